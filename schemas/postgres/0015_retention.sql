-- SPDX-License-Identifier: Apache-2.0
-- Retention: what holds events back, and how long it may wait for a lock.

-- A replay under way needs the log from where it is, also where the
-- subscription has read it before.
CREATE OR REPLACE FUNCTION retention_horizon() RETURNS bigint
LANGUAGE sql STABLE AS $$
  SELECT least(
    (SELECT min(least(s.cursor_seq,
                      (nullif(s.replay, '')::json ->> 'after')::bigint))
     FROM stream_subscriptions s WHERE s.active),
    (SELECT min(m.cursor_seq) FROM processor_marks m
     WHERE m.updated_at > now() - interval '7 days'),
    (SELECT c.last_seq FROM event_metrics_cursor c))
$$;

CREATE OR REPLACE FUNCTION retention_hold(p_from timestamptz, p_to timestamptz)
RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN newest > (SELECT c.last_seq FROM event_metrics_cursor c)
      THEN 'the figures have not counted it'
    WHEN newest > (SELECT min(s.cursor_seq) FROM stream_subscriptions s
                   WHERE s.active)
      THEN 'a subscription has not read it'
    WHEN newest > (SELECT min(m.cursor_seq) FROM processor_marks m
                   WHERE m.updated_at > now() - interval '7 days')
      THEN 'a processor has not read it'
    WHEN newest > retention_horizon()
      THEN 'a replay has not read it'
    WHEN EXISTS (
      SELECT 1 FROM dead_letters d JOIN events e ON e.id = d.event_id
      WHERE e.created_at >= p_from AND e.created_at < p_to)
      THEN 'a dead letter needs it'
    WHEN EXISTS (
      SELECT 1 FROM event_processing_status s
      WHERE s.event_created_at >= p_from AND s.event_created_at < p_to
        AND s.status IN ('pending', 'processing', 'retrying'))
      THEN 'a processor is not done with it'
  END
  FROM (SELECT max(e.seq) AS newest FROM events e
        WHERE e.created_at >= p_from AND e.created_at < p_to) n
$$;

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
    DELETE FROM events e USING unnest(v_seqs, v_times) AS x (s, t)
    WHERE e.seq = x.s AND e.created_at = x.t;
  END IF;
  IF p_keep IS NOT NULL THEN
    DELETE FROM event_performance f WHERE f.recorded_at < p_now - p_keep;
  END IF;
END $$;

-- Both need a partition for themselves for a moment, and whoever appends queues
-- behind them while they wait for a long-running query: they give up at once,
-- and are called again.
DO $$
DECLARE
  f text;
BEGIN
  FOREACH f IN ARRAY ARRAY['ensure_partitions', 'apply_retention'] LOOP
    EXECUTE format('ALTER FUNCTION %I SET search_path = %I, pg_temp', f,
                   current_schema());
    EXECUTE format('ALTER FUNCTION %I SET lock_timeout = %L', f, '300ms');
  END LOOP;
END $$;
