-- SPDX-License-Identifier: Apache-2.0
-- Retention lets go of a few weeks a call: to drop a part takes all of `events`
-- for the length of the transaction, and a lock for each of its indexes. Single
-- events go only where weeks can't: of platforms that are kept shorter than
-- others, and of weeks past their time in which something is still needed. What
-- a dry run counts leaves out the weeks that go as a whole before it looks at an
-- event.

DROP FUNCTION expired_events(interval, jsonb, timestamptz, bigint);
CREATE FUNCTION expired_events(
  p_keep interval, p_platform_keep jsonb, p_now timestamptz, p_limit bigint,
  p_longest interval DEFAULT NULL,
  p_from timestamptz DEFAULT '-infinity', p_to timestamptz DEFAULT 'infinity'
) RETURNS TABLE (id uuid, seq bigint, created_at timestamptz, platform text)
LANGUAGE sql STABLE
SET enable_seqscan = off SET jit = off AS $$
  WITH RECURSIVE known (platform) AS (
    (SELECT e.platform FROM events e ORDER BY e.platform LIMIT 1)
    UNION ALL
    SELECT (SELECT e.platform FROM events e WHERE e.platform > k.platform
            ORDER BY e.platform LIMIT 1)
    FROM known k WHERE k.platform IS NOT NULL
  ), rules AS MATERIALIZED (
    SELECT x.platform,
           CASE WHEN x.keep >= p_longest
             THEN date_trunc('week', (p_now - x.keep) AT TIME ZONE 'UTC')
                    AT TIME ZONE 'UTC'
             ELSE p_now - x.keep END AS until
    FROM (
      SELECT k.platform, coalesce(
               (p_platform_keep ->> CASE WHEN p_platform_keep ? k.platform
                                         THEN k.platform ELSE '' END)::interval,
               p_keep) AS keep
      FROM known k WHERE k.platform IS NOT NULL
    ) x
  )
  SELECT x.id, x.seq, x.created_at, r.platform
  FROM rules r
  CROSS JOIN LATERAL (
    SELECT e.id, e.seq, e.created_at
    FROM events e
    WHERE e.platform = r.platform AND e.created_at >= p_from
      AND e.created_at < least(r.until, p_to)
      AND e.seq <= (SELECT retention_horizon())
      AND NOT EXISTS (SELECT 1 FROM dead_letters d WHERE d.event_id = e.id)
      AND NOT EXISTS (
        SELECT 1 FROM event_processing_status s
        WHERE s.event_id = e.id AND s.event_created_at = e.created_at
          AND s.status IN ('pending', 'processing', 'retrying'))
    ORDER BY e.seq
    LIMIT p_limit
  ) x
  WHERE r.until IS NOT NULL
  ORDER BY x.seq
  LIMIT p_limit
$$;
COMMENT ON FUNCTION expired_events IS 'Events past their time that nobody needs any more; of those that came in from p_from until p_to. Of a platform that is kept for p_longest, only those of weeks that are past it as a whole.';

-- As it was otherwise. Call it again after one that dropped weeks: it deletes
-- single events only when no week is left to drop.
CREATE OR REPLACE FUNCTION apply_retention(
  p_keep interval, p_platform_keep jsonb DEFAULT '{}',
  p_dry_run boolean DEFAULT false, p_now timestamptz DEFAULT now(),
  p_limit bigint DEFAULT 10000
) RETURNS TABLE (action text, what text, until timestamptz, events bigint,
                 bytes bigint, reason text)
LANGUAGE plpgsql SECURITY DEFINER AS $$
#variable_conflict use_column
DECLARE
  c_weeks CONSTANT int := 4;
  -- NULL as soon as something is kept for ever.
  v_longest interval := p_keep;
  v_week record;
  v_table record;
  -- The weeks that go; and what lies between them, of which single events do.
  v_suffixes text[] := '{}';
  v_until timestamptz := '-infinity';
  v_from timestamptz[] := '{}';
  v_to timestamptz[] := '{}';
  v_kept boolean := false;
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
    IF reason IS NULL THEN
      v_suffixes := v_suffixes || v_week.suffix;
      v_from := v_from || v_until;
      v_to := v_to || v_week.lower_bound;
      v_until := v_week.upper_bound;
    ELSE
      v_kept := true;
    END IF;
    RETURN NEXT;
    EXIT WHEN NOT p_dry_run AND cardinality(v_suffixes) = c_weeks;
  END LOOP;

  IF p_dry_run THEN
    -- All of them, whatever p_limit says of one real run.
    RETURN QUERY
    SELECT 'delete events', e.platform, max(e.created_at), count(*),
           sum(e.payload_bytes)::bigint, NULL::text
    FROM unnest(v_from || v_until, v_to || 'infinity'::timestamptz)
      AS r (f, t)
    CROSS JOIN LATERAL expired_events(p_keep, p_platform_keep, p_now, NULL,
                                      v_longest, r.f, r.t) x
    JOIN events e ON e.seq = x.seq AND e.created_at = x.created_at
    GROUP BY e.platform ORDER BY e.platform;
    RETURN;
  END IF;

  IF cardinality(v_suffixes) > 0 THEN
    -- Threads that reach beyond these weeks; the others go for their last_seq.
    INSERT INTO correlation_recounts (thread_id)
    SELECT t.id FROM correlation_threads t
    WHERE t.first_event_at < v_until AND (v_kept OR t.last_event_at >= v_until)
    ON CONFLICT DO NOTHING;
    FOR v_table IN SELECT * FROM partitioned_tables() LOOP
      FOR i IN 1 .. cardinality(v_suffixes) LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I',
                       v_table.table_name || v_suffixes[i]);
      END LOOP;
    END LOOP;
    RETURN;
  END IF;

  SELECT array_agg(x.id), array_agg(x.seq), array_agg(x.created_at)
  INTO v_ids, v_seqs, v_times
  FROM expired_events(p_keep, p_platform_keep, p_now, p_limit,
                      v_longest) x;
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

-- As it was: it gives up at once on a lock.
DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION apply_retention SET search_path = %I, pg_temp',
                 current_schema());
  EXECUTE format('ALTER FUNCTION apply_retention SET lock_timeout = %L',
                 '300ms');
END $$;
