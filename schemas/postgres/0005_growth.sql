-- SPDX-License-Identifier: Apache-2.0
-- Partitions made ahead, and retention. Functions that make or drop tables
-- run with their owner's rights, so that the server needs none of its own.

-- What is partitioned by the week of its event, and by which column.
CREATE FUNCTION partitioned_tables()
RETURNS TABLE (table_name text, time_column text)
LANGUAGE sql IMMUTABLE AS $$
  VALUES ('events', 'created_at'), ('github_events', 'created_at'),
         ('linear_events', 'created_at'), ('slack_events', 'created_at'),
         ('deployment_events', 'created_at'),
         ('event_processing_status', 'event_created_at'),
         ('event_correlations', 'event_created_at'),
         ('event_deliveries', 'event_created_at')
$$;
COMMENT ON FUNCTION partitioned_tables IS 'The tables that are partitioned by the week of their event, and by which column.';

-- Times that no week was made for; retention and ensure_partitions() see to
-- what gets in here.
DO $$
DECLARE
  t record;
BEGIN
  FOR t IN SELECT * FROM partitioned_tables() LOOP
    EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT',
                   t.table_name || '_default', t.table_name);
  END LOOP;
END $$;

-- Makes the partitions of all weeks from p_from to p_to that are missing.
-- Returns how many tables that were.
CREATE FUNCTION ensure_partitions(
  p_from timestamptz DEFAULT now() - interval '1 week',
  p_to timestamptz DEFAULT now() + interval '2 weeks'
) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  v_week timestamp := date_trunc('week', p_from AT TIME ZONE 'UTC');
  v_lower timestamptz;
  v_upper timestamptz;
  v_name text;
  v_made integer := 0;
  t record;
BEGIN
  WHILE v_week <= p_to AT TIME ZONE 'UTC' LOOP
    v_lower := v_week AT TIME ZONE 'UTC';
    v_upper := (v_week + interval '1 week') AT TIME ZONE 'UTC';
    FOR t IN SELECT * FROM partitioned_tables() LOOP
      v_name := t.table_name || to_char(v_week, '"_"YYYYMMDD');
      CONTINUE WHEN to_regclass(v_name) IS NOT NULL;
      -- One at a time; others find it made.
      PERFORM pg_advisory_xact_lock(7311146936416691829);
      CONTINUE WHEN to_regclass(v_name) IS NOT NULL;
      EXECUTE format(
        'CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS '
        'INCLUDING STORAGE INCLUDING COMPRESSION)', v_name, t.table_name);
      -- Rows that came before their partition move into it.
      EXECUTE format(
        'WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *) '
        'INSERT INTO %I SELECT * FROM moved', t.table_name || '_default',
        t.time_column, v_lower, t.time_column, v_upper, v_name);
      EXECUTE format(
        'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        t.table_name, v_name, v_lower, v_upper);
      v_made := v_made + 1;
    END LOOP;
    v_week := v_week + interval '1 week';
  END LOOP;
  RETURN v_made;
END $$;
COMMENT ON FUNCTION ensure_partitions IS 'Makes the missing partitions of all weeks in a span of time; how many tables it made.';

SELECT ensure_partitions();

-- The weeks there are.
CREATE FUNCTION event_weeks()
RETURNS TABLE (suffix text, lower_bound timestamptz, upper_bound timestamptz)
LANGUAGE sql STABLE AS $$
  SELECT right(c.relname, 9),
         to_date(right(c.relname, 8), 'YYYYMMDD')::timestamp
           AT TIME ZONE 'UTC',
         (to_date(right(c.relname, 8), 'YYYYMMDD') + 7)::timestamp
           AT TIME ZONE 'UTC'
  FROM pg_inherits i
  JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = 'events'::regclass AND c.relname ~ '_[0-9]{8}$'
$$;
COMMENT ON FUNCTION event_weeks IS 'The weeks that have partitions: the suffix of their names and their bounds.';

-- Up to which seq nobody needs the log any more: all active subscriptions
-- have read it and the metrics have counted it.
CREATE FUNCTION retention_horizon() RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT least(
    (SELECT min(s.cursor_seq) FROM stream_subscriptions s WHERE s.active),
    (SELECT c.last_seq FROM event_metrics_cursor c))
$$;
COMMENT ON FUNCTION retention_horizon IS 'The seq up to which no active subscription needs the log any more.';

-- Why the events of a span of time can't go as a whole; NULL if they can.
CREATE FUNCTION retention_hold(p_from timestamptz, p_to timestamptz)
RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN EXISTS (
      SELECT 1 FROM events e
      WHERE e.created_at >= p_from AND e.created_at < p_to
        AND e.seq > (SELECT retention_horizon()))
      THEN 'a subscription has not read it'
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
$$;
COMMENT ON FUNCTION retention_hold IS 'Why the events of a span of time must stay; NULL if they may go.';

-- Single events that are past their time, oldest first; those that are still
-- needed are left out.
CREATE FUNCTION expired_events(
  p_keep interval, p_platform_keep jsonb, p_now timestamptz, p_limit bigint
) RETURNS TABLE (id uuid, seq bigint, created_at timestamptz, platform text)
LANGUAGE sql STABLE AS $$
  SELECT e.id, e.seq, e.created_at, e.platform
  FROM events e
  WHERE e.created_at < p_now - least(
          p_keep, (SELECT min(v::interval)
                   FROM jsonb_each_text(p_platform_keep) AS k (n, v)))
    AND e.created_at < p_now - coalesce(
          (p_platform_keep ->> e.platform)::interval, p_keep)
    AND e.seq <= (SELECT retention_horizon())
    AND NOT EXISTS (SELECT 1 FROM dead_letters d WHERE d.event_id = e.id)
    AND NOT EXISTS (
      SELECT 1 FROM event_processing_status s
      WHERE s.event_id = e.id AND s.event_created_at = e.created_at
        AND s.status IN ('pending', 'processing', 'retrying'))
  ORDER BY e.seq
  LIMIT p_limit
$$;
COMMENT ON FUNCTION expired_events IS 'Events past their time that nobody needs any more.';

-- Applies retention: drops whole weeks that are older than everything that is
-- to be kept, then deletes up to p_limit single events whose platform is kept
-- shorter than others. p_keep: how long, NULL for ever; p_platform_keep: the
-- same for single platforms, {"slack":"30 days"}. A dry run changes nothing.
-- Returns what went or would go, and which weeks must stay and why.
CREATE FUNCTION apply_retention(
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

  SELECT array_agg(x.id), array_agg(x.seq), array_agg(x.created_at)
  INTO v_ids, v_seqs, v_times
  FROM expired_events(p_keep, p_platform_keep, p_now, p_limit) x
  -- A dry run has not dropped them.
  WHERE NOT EXISTS (
    SELECT 1 FROM event_weeks() w
    WHERE w.upper_bound <= p_now - v_longest
      AND x.created_at >= w.lower_bound AND x.created_at < w.upper_bound
      AND retention_hold(w.lower_bound, w.upper_bound) IS NULL);
  IF v_ids IS NOT NULL THEN
    RETURN QUERY
    SELECT 'delete events', e.platform, max(e.created_at), count(*),
           sum(e.payload_bytes)::bigint, NULL::text
    FROM unnest(v_seqs, v_times) AS x (s, t)
    JOIN events e ON e.seq = x.s AND e.created_at = x.t
    GROUP BY e.platform ORDER BY e.platform;
    IF NOT p_dry_run THEN
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
  END IF;
  IF p_keep IS NOT NULL AND NOT p_dry_run THEN
    DELETE FROM event_performance f WHERE f.recorded_at < p_now - p_keep;
  END IF;
END $$;
COMMENT ON FUNCTION apply_retention IS 'Drops and deletes what is past its time, or says what would go.';

-- Definer functions find our own tables and nobody else's.
DO $$
DECLARE
  f text;
BEGIN
  FOREACH f IN ARRAY ARRAY['ensure_partitions', 'apply_retention'] LOOP
    EXECUTE format('ALTER FUNCTION %I SET search_path = %I, pg_temp', f,
                   current_schema());
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %I FROM PUBLIC', f);
  END LOOP;
END $$;
