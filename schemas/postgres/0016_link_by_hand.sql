-- SPDX-License-Identifier: Apache-2.0
-- Two events of two threads that are linked by hand join these threads.

CREATE OR REPLACE FUNCTION create_event_correlation(
  p_source_event_id uuid, p_target_event_id uuid, p_correlation_type text,
  p_correlation_key text DEFAULT NULL, p_confidence_score real DEFAULT 1
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_source record;
  v_target record;
  v_thread uuid;
BEGIN
  PERFORM 1 FROM log_head FOR UPDATE;
  SELECT e.* INTO v_source FROM events e WHERE e.id = p_source_event_id;
  SELECT e.* INTO v_target FROM events e WHERE e.id = p_target_event_id;
  IF v_source.id IS NULL OR v_target.id IS NULL THEN
    RETURN NULL;
  END IF;
  v_thread := coalesce(v_target.correlation_id, v_source.correlation_id,
                       v_target.id);
  IF v_source.correlation_id <> v_target.correlation_id THEN
    PERFORM change_threads(
      ARRAY[v_source.correlation_id], ARRAY[v_target.correlation_id],
      '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
      '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
      '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}');
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
          coalesce(p_correlation_key, 'event:' || p_target_event_id),
          p_correlation_type, 'by hand', p_target_event_id)
  ON CONFLICT (source_event_id, correlation_key, event_created_at) DO NOTHING;
  RETURN FOUND;
END $$;
COMMENT ON FUNCTION create_event_correlation IS 'Links two events by hand and puts them into one thread; the source''s thread, if it had another, goes into the target''s. True if the link is new, NULL if either event does not exist.';
