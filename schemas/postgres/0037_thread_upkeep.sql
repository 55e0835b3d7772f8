-- SPDX-License-Identifier: Apache-2.0
-- Threads that are joined by hand are told of in the log, as others are: readers
-- of either thread follow by that event.

CREATE OR REPLACE FUNCTION create_event_correlation(
  p_source_event_id uuid, p_target_event_id uuid, p_correlation_type text,
  p_correlation_key text DEFAULT NULL, p_confidence_score real DEFAULT 1
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_key text := coalesce(p_correlation_key, 'event:' || p_target_event_id);
  v_source record;
  v_target record;
  v_thread uuid;
  v_old uuid;
  v_seq bigint;
  v_now timestamptz;
  v_id uuid;
  v_payload text;
BEGIN
  IF p_source_event_id = p_target_event_id THEN
    RAISE EXCEPTION 'p_target_event_id: event % can''t be linked to itself',
      p_source_event_id USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Give two different events.';
  END IF;
  IF p_confidence_score IS NULL
     OR NOT p_confidence_score BETWEEN 0 AND 1 THEN
    RAISE EXCEPTION 'p_confidence_score: % is not a number from 0 to 1',
      coalesce(p_confidence_score::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Leave it out if the link is certain; that is 1.';
  END IF;
  IF p_correlation_type IS NULL THEN
    RAISE EXCEPTION 'p_correlation_type: is missing'
      USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Say what kind of link it is, such as pr_to_issue.';
  END IF;
  IF p_correlation_key = '' THEN
    RAISE EXCEPTION 'p_correlation_key: is empty'
      USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Leave it out if no key is known.';
  END IF;
  SELECT h.last_seq + 1 INTO v_seq FROM log_head h FOR UPDATE;
  SELECT e.* INTO v_source FROM events e WHERE e.id = p_source_event_id;
  SELECT e.* INTO v_target FROM events e WHERE e.id = p_target_event_id;
  IF v_source.id IS NULL OR v_target.id IS NULL THEN
    RETURN NULL;
  END IF;
  v_thread := coalesce(v_target.correlation_id, v_source.correlation_id,
                       v_target.id);
  IF v_source.correlation_id <> v_target.correlation_id THEN
    -- The larger thread's id stays; of two alike the older.
    SELECT s.id INTO v_thread
    FROM unnest(ARRAY[v_source.correlation_id, v_target.correlation_id])
      AS s (id)
    LEFT JOIN correlation_threads t ON t.id = s.id
    ORDER BY coalesce(t.event_count, 0) DESC, s.id LIMIT 1;
    v_old := CASE WHEN v_thread = v_target.correlation_id
      THEN v_source.correlation_id ELSE v_target.correlation_id END;
    PERFORM change_threads(
      ARRAY[v_old], ARRAY[v_thread],
      '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
      '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
      '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}');
    v_now := clock_timestamp();
    -- A UUIDv7: 48 bits of time before the version, which is 7 for 4 with two
    -- more bits.
    v_id := encode(set_bit(set_bit(overlay(
              uuid_send(gen_random_uuid()) PLACING substring(
                int8send(floor(extract(epoch FROM v_now) * 1000)::bigint)
                FROM 3) FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid;
    v_payload := format(
      '{"from":"%s","into":"%s","event":"%s","key":%s}', v_old, v_thread,
      p_source_event_id, to_json(v_key));
    PERFORM insert_events(
      ARRAY[v_seq], ARRAY[v_id], ARRAY['merged-' || v_old],
      ARRAY['eventweft'], ARRAY['correlation:merged'],
      ARRAY[v_thread::text], ARRAY[''], ARRAY[''], ARRAY[''], ARRAY['low'],
      ARRAY[v_thread], ARRAY[p_source_event_id], ARRAY['{}'::json],
      ARRAY[v_now], ARRAY[NULL::timestamptz], ARRAY[NULL::double precision],
      ARRAY[octet_length(v_payload)], ARRAY[v_payload::json],
      ARRAY[NULL::text], '{}', '{}', '{}', '{}');
    -- An event of the thread; its platform is not one that the thread is about.
    UPDATE correlation_threads t
    SET event_count = t.event_count + 1, last_seq = v_seq,
        first_event_at = least(t.first_event_at, v_now),
        last_event_at = greatest(t.last_event_at, v_now)
    WHERE t.id = v_thread;
    -- Nodes are woken by what is appended in a node's name.
    IF coalesce(current_setting('eventweft.node', true), '') = '' THEN
      PERFORM set_config('eventweft.node', 'sql', true);
    END IF;
    UPDATE log_head SET last_seq = v_seq;
  END IF;
  INSERT INTO correlation_threads AS t (
    id, event_count, last_seq, first_event_at, last_event_at, platforms)
  SELECT v_thread, count(*), max(e.seq), min(e.created_at), max(e.created_at),
         array_agg(DISTINCT e.platform ORDER BY e.platform)
  FROM events e
  WHERE e.id IN (p_source_event_id, p_target_event_id)
    AND e.correlation_id IS NULL
  HAVING count(*) > 0
  ON CONFLICT (id) DO UPDATE
  SET event_count = t.event_count + excluded.event_count,
      last_seq = greatest(t.last_seq, excluded.last_seq),
      first_event_at = least(t.first_event_at, excluded.first_event_at),
      last_event_at = greatest(t.last_event_at, excluded.last_event_at),
      platforms = ARRAY(SELECT unnest(t.platforms) UNION
                        SELECT unnest(excluded.platforms) ORDER BY 1);
  UPDATE events e SET correlation_id = v_thread
  WHERE e.id IN (p_source_event_id, p_target_event_id)
    AND e.correlation_id IS NULL;
  UPDATE log_head SET thread_version = thread_version + 1;
  INSERT INTO event_correlations (
    source_event_id, event_created_at, confidence_score, correlation_key,
    correlation_type, rule, target_event_id)
  VALUES (p_source_event_id, v_source.created_at, p_confidence_score,
          v_key, p_correlation_type, 'by hand', p_target_event_id)
  ON CONFLICT (source_event_id, correlation_key, event_created_at) DO NOTHING;
  RETURN FOUND;
END $$;
COMMENT ON FUNCTION create_event_correlation IS 'Links two events by hand and puts them into one thread; where each had one, the smaller goes into the larger, and the log tells of it. True if the link is new, NULL if either event does not exist.';
