-- SPDX-License-Identifier: Apache-2.0
-- What threads say of their events counts the events that told of merges and
-- leaves out those that retention removed.

CREATE TABLE correlation_recounts (thread_id uuid PRIMARY KEY);
COMMENT ON TABLE correlation_recounts IS 'Threads that lost events since they were counted; forget_threads counts them anew.';
COMMENT ON COLUMN correlation_recounts.thread_id IS 'correlation_threads.id; the thread may be gone.';

-- Those that this concerns so far; the next retention counts them.
INSERT INTO correlation_recounts (thread_id)
SELECT t.id FROM correlation_threads t
WHERE t.first_event_at < coalesce((SELECT min(e.created_at) FROM events e),
                                  'infinity')
UNION
SELECT m.thread_id FROM correlation_merges m;

-- As it was, but notes the threads that it takes events from.
CREATE OR REPLACE FUNCTION apply_retention(
  p_keep interval, p_platform_keep jsonb DEFAULT '{}',
  p_dry_run boolean DEFAULT false, p_now timestamptz DEFAULT now(),
  p_limit bigint DEFAULT 10000
) RETURNS TABLE (action text, what text, until timestamptz, events bigint,
                 bytes bigint, reason text)
LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_column
DECLARE
  -- NULL as soon as something is kept for ever.
  v_longest interval := p_keep;
  v_week record;
  v_table record;
  v_ids uuid[];
  v_seqs bigint[];
  v_times timestamptz[];
BEGIN
  IF p_keep IS NOT NULL THEN
    SELECT greatest(p_keep, max(k.v::interval)) INTO v_longest
    FROM jsonb_each_text(p_platform_keep) AS k (n, v);
  END IF;
  IF NOT p_dry_run THEN
    -- What holds an event back must not come up while we look.
    LOCK TABLE dead_letters, stream_subscriptions, event_processing_status
      IN SHARE MODE;
  END IF;
  FOR v_week IN
    SELECT w.* FROM event_weeks() w
    WHERE w.upper_bound <= p_now - v_longest ORDER BY w.lower_bound
  LOOP
    what := to_char(v_week.lower_bound AT TIME ZONE 'UTC', 'YYYY-MM-DD');
    until := v_week.upper_bound;
    reason := retention_hold(v_week.lower_bound, v_week.upper_bound);
    action := CASE WHEN reason IS NULL THEN 'drop week' ELSE 'keep week' END;
    SELECT coalesce(max(e.seq) - min(e.seq) + 1, 0) INTO events
    FROM events e WHERE e.created_at >= v_week.lower_bound
                    AND e.created_at < v_week.upper_bound;
    SELECT coalesce(sum(pg_total_relation_size(
             to_regclass(t.table_name || v_week.suffix))), 0)
    INTO bytes FROM partitioned_tables() t;
    IF reason IS NULL AND NOT p_dry_run THEN
      -- By the name of the part, so that its index is all that is read.
      EXECUTE format(
        'INSERT INTO correlation_recounts (thread_id) '
        'SELECT DISTINCT e.correlation_id FROM %I e '
        'WHERE e.correlation_id IS NOT NULL ON CONFLICT DO NOTHING',
        'events' || v_week.suffix);
      FOR v_table IN SELECT * FROM partitioned_tables() LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I',
                       v_table.table_name || v_week.suffix);
      END LOOP;
    END IF;
    RETURN NEXT;
  END LOOP;

  IF p_dry_run THEN
    -- All of them, whatever p_limit says of one real run, but for those whose
    -- week goes as a whole.
    RETURN QUERY
    WITH whole_weeks AS MATERIALIZED (
      SELECT w.lower_bound, w.upper_bound FROM event_weeks() w
      WHERE w.upper_bound <= p_now - v_longest
        AND retention_hold(w.lower_bound, w.upper_bound) IS NULL
    )
    SELECT 'delete events', e.platform, max(e.created_at), count(*),
           sum(e.payload_bytes)::bigint, NULL::text
    FROM expired_events(p_keep, p_platform_keep, p_now, NULL) x
    JOIN events e ON e.seq = x.seq AND e.created_at = x.created_at
    WHERE NOT EXISTS (
      SELECT 1 FROM whole_weeks w
      WHERE x.created_at >= w.lower_bound AND x.created_at < w.upper_bound)
    GROUP BY e.platform ORDER BY e.platform;
    RETURN;
  END IF;

  SELECT array_agg(x.id), array_agg(x.seq), array_agg(x.created_at)
  INTO v_ids, v_seqs, v_times
  FROM expired_events(p_keep, p_platform_keep, p_now, p_limit) x;
  IF v_ids IS NOT NULL THEN
    RETURN QUERY
    SELECT 'delete events', e.platform, max(e.created_at), count(*),
           sum(e.payload_bytes)::bigint, NULL::text
    FROM unnest(v_seqs, v_times) AS x (s, t)
    JOIN events e ON e.seq = x.s AND e.created_at = x.t
    GROUP BY e.platform ORDER BY e.platform;
    FOR v_table IN
      SELECT * FROM partitioned_tables() t WHERE t.table_name <> 'events'
    LOOP
      EXECUTE format(
        'DELETE FROM %I d USING unnest($1, $2, $3) AS x (i, s, t) '
        'WHERE d.%I = x.t AND %s', v_table.table_name, v_table.time_column,
        CASE WHEN v_table.table_name = 'event_correlations'
               THEN 'd.source_event_id = x.i'
             WHEN v_table.time_column = 'created_at'
               THEN 'd.event_seq = x.s'
             ELSE 'd.event_id = x.i' END)
      USING v_ids, v_seqs, v_times;
    END LOOP;
    INSERT INTO correlation_recounts (thread_id)
    SELECT DISTINCT e.correlation_id
    FROM unnest(v_seqs, v_times) AS x (s, t)
    JOIN events e ON e.seq = x.s AND e.created_at = x.t
    WHERE e.correlation_id IS NOT NULL
    ON CONFLICT DO NOTHING;
    DELETE FROM events e USING unnest(v_seqs, v_times) AS x (s, t)
    WHERE e.seq = x.s AND e.created_at = x.t;
  END IF;
  IF p_keep IS NOT NULL THEN
    DELETE FROM event_performance f WHERE f.recorded_at < p_now - p_keep;
  END IF;
END $$;

-- As it was, but counts those threads anew, at most p_limit of them.
CREATE OR REPLACE FUNCTION forget_threads(p_limit bigint DEFAULT 10000)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_gone bigint := 0;
  v_rows bigint;
  v_seq bigint;
  v_since timestamptz;
  v_due uuid[];
BEGIN
  -- Whoever joins events meanwhile would link to what goes.
  SELECT h.last_seq + 1 INTO v_seq FROM log_head h FOR UPDATE;
  SELECT coalesce(min(e.seq), v_seq), coalesce(min(e.created_at), 'infinity')
  INTO v_seq, v_since
  FROM events e;
  DELETE FROM correlation_threads t
  WHERE t.id IN (
    SELECT o.id FROM correlation_threads o
    WHERE o.last_seq < v_seq ORDER BY o.last_seq LIMIT p_limit);
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  v_gone := v_gone + v_rows;
  -- What lost events is counted anew, thread by thread through their index.
  WITH due AS (
    DELETE FROM correlation_recounts r
    WHERE r.thread_id IN (
      SELECT o.thread_id FROM correlation_recounts o LIMIT p_limit)
    RETURNING r.thread_id)
  SELECT array_agg(d.thread_id) INTO v_due FROM due d;
  v_gone := v_gone + coalesce(cardinality(v_due), 0);
  DELETE FROM correlation_threads t
  WHERE t.id = ANY (v_due)
    AND NOT EXISTS (SELECT 1 FROM events e WHERE e.correlation_id = t.id);
  UPDATE correlation_threads t
  SET event_count = s.events, last_seq = s.seq, first_event_at = s.first,
      last_event_at = s.last, platforms = s.platforms
  FROM unnest(v_due) AS d (id)
  CROSS JOIN LATERAL (
    SELECT count(*) AS events, max(e.seq) AS seq, min(e.created_at) AS first,
           max(e.created_at) AS last,
           coalesce(array_agg(DISTINCT e.platform ORDER BY e.platform)
                      FILTER (WHERE e.platform <> 'eventweft'), '{}')
             AS platforms
    FROM events e WHERE e.correlation_id = d.id) s
  WHERE t.id = d.id AND s.events > 0;
  DELETE FROM correlation_keys k
  WHERE k.key IN (
    SELECT o.key FROM correlation_keys o
    WHERE o.last_seen < v_since
       OR NOT EXISTS (SELECT 1 FROM correlation_threads t
                      WHERE t.id = o.thread_id)
    LIMIT p_limit);
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  v_gone := v_gone + v_rows;
  DELETE FROM correlation_merges m
  WHERE m.old_id IN (
    SELECT o.old_id FROM correlation_merges o
    WHERE NOT EXISTS (SELECT 1 FROM correlation_threads t
                      WHERE t.id = o.thread_id)
    LIMIT p_limit);
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  v_gone := v_gone + v_rows;
  DELETE FROM correlation_pending w
  WHERE (w.fact, w.event_id, w.key) IN (
    SELECT o.fact, o.event_id, o.key FROM correlation_pending o
    WHERE o.event_created_at < v_since LIMIT p_limit);
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  v_gone := v_gone + v_rows;
  IF v_gone > 0 THEN
    UPDATE log_head SET thread_version = thread_version + 1;
  END IF;
  RETURN v_gone;
END $$;

-- As it was: it gives up at once on a lock.
DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION apply_retention SET search_path = %I, pg_temp',
                 current_schema());
  EXECUTE format('ALTER FUNCTION apply_retention SET lock_timeout = %L',
                 '300ms');
END $$;
