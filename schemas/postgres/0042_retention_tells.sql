-- SPDX-License-Identifier: Apache-2.0
-- Retention tells of the single events that must stay, too; and what
-- mark_event_processed can't take is refused by name.

-- Beside apply_retention, so that nobody waits for its locks meanwhile.
CREATE FUNCTION held_events(
  p_keep interval, p_platform_keep jsonb DEFAULT '{}',
  p_now timestamptz DEFAULT now()
) RETURNS TABLE (platform text, until timestamptz, events bigint, bytes bigint,
                 reason text)
LANGUAGE sql STABLE
SET enable_seqscan = off SET jit = off AS $$
  WITH RECURSIVE known (platform) AS (
    (SELECT e.platform FROM events e ORDER BY e.platform LIMIT 1)
    UNION ALL
    SELECT (SELECT e.platform FROM events e WHERE e.platform > k.platform
            ORDER BY e.platform LIMIT 1)
    FROM known k WHERE k.platform IS NOT NULL
  ), longest AS MATERIALIZED (
    -- NULL as soon as something is kept for ever.
    SELECT CASE WHEN p_keep IS NOT NULL
             THEN greatest(p_keep, (SELECT max(v::interval)
                                    FROM jsonb_each_text(p_platform_keep)
                                      AS k (n, v))) END AS keep
  ), rules AS MATERIALIZED (
    SELECT x.platform,
           CASE WHEN x.keep >= l.keep
             THEN date_trunc('week', (p_now - x.keep) AT TIME ZONE 'UTC')
                    AT TIME ZONE 'UTC'
             ELSE p_now - x.keep END AS until
    FROM (
      SELECT k.platform, coalesce(
               (p_platform_keep ->> CASE WHEN p_platform_keep ? k.platform
                                         THEN k.platform ELSE '' END)::interval,
               p_keep) AS keep
      FROM known k WHERE k.platform IS NOT NULL
    ) x CROSS JOIN longest l
  ), weeks AS MATERIALIZED (
    SELECT w.lower_bound, w.upper_bound
    FROM event_weeks() w CROSS JOIN longest l
    WHERE w.upper_bound <= p_now - l.keep
  ), spans AS MATERIALIZED (
    -- What lies between the weeks that apply_retention speaks of.
    SELECT s.f, s.t FROM (
      SELECT coalesce(lag(w.upper_bound) OVER (ORDER BY w.lower_bound),
                      '-infinity') AS f, w.lower_bound AS t
      FROM weeks w
      UNION ALL
      SELECT coalesce(max(w.upper_bound), '-infinity'), 'infinity' FROM weeks w
    ) s WHERE s.f < s.t
  ), free AS MATERIALIZED (
    SELECT x.seq
    FROM spans s CROSS JOIN longest l
    CROSS JOIN LATERAL expired_events(p_keep, p_platform_keep, p_now, NULL,
                                      l.keep, s.f, s.t) x
  ), read AS MATERIALIZED (
    SELECT (SELECT c.last_seq FROM event_metrics_cursor c) AS figures,
           (SELECT min(s.cursor_seq) FROM stream_subscriptions s
            WHERE s.active) AS subscriptions,
           (SELECT min(m.cursor_seq) FROM processor_marks m
            WHERE m.updated_at > now() - interval '7 days') AS processors,
           retention_horizon() AS everybody
  ), held AS (
    SELECT r.platform, e.created_at, e.payload_bytes,
           CASE
             WHEN e.seq > h.figures THEN 'the figures have not counted it'
             WHEN e.seq > h.subscriptions THEN 'a subscription has not read it'
             WHEN e.seq > h.processors THEN 'a processor has not read it'
             WHEN e.seq > h.everybody THEN 'a replay has not read it'
             WHEN EXISTS (SELECT 1 FROM dead_letters d WHERE d.event_id = e.id)
               THEN 'a dead letter needs it'
             ELSE 'a processor is not done with it' END AS reason
    FROM rules r CROSS JOIN spans s CROSS JOIN read h
    CROSS JOIN LATERAL (
      SELECT x.id, x.seq, x.created_at, x.payload_bytes
      FROM events x
      WHERE x.platform = r.platform AND x.created_at >= s.f
        AND x.created_at < least(r.until, s.t)
    ) e
    WHERE r.until IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM free f WHERE f.seq = e.seq)
  )
  SELECT h.platform, max(h.created_at), count(*), sum(h.payload_bytes)::bigint,
         h.reason
  FROM held h
  GROUP BY h.platform, h.reason ORDER BY h.platform, h.reason
$$;
COMMENT ON FUNCTION held_events IS 'Why events past their time must stay, of those that go by themselves and not with their week: how many of each platform.';

-- As it was otherwise.
CREATE OR REPLACE FUNCTION mark_event_processed(
  p_event_id uuid, p_processor_name text DEFAULT 'default',
  p_success boolean DEFAULT true, p_error_message text DEFAULT NULL,
  p_duration double precision DEFAULT NULL
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_event record;
  v_duration double precision;
  v_timed double precision;
BEGIN
  IF coalesce(p_processor_name, '') = '' THEN
    RAISE EXCEPTION 'p_processor_name: a name is needed'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF p_success IS NULL THEN
    RAISE EXCEPTION 'p_success: true or false is needed'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- NaN is above all numbers.
  IF p_duration NOT BETWEEN 0 AND 1e9 THEN
    RAISE EXCEPTION 'p_duration: % is not a number of seconds from 0 to 1e9',
      p_duration
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- Of two processors that end with an event at once, one has to see the other.
  SELECT e.created_at, e.platform, e.event_type, e.source_name INTO v_event
  FROM events e WHERE e.id = p_event_id
  FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO event_processing_status AS s (
    event_id, event_created_at, processor_name, status, attempts,
    error_message, started_at, completed_at, duration)
  VALUES (
    p_event_id, v_event.created_at, p_processor_name,
    CASE WHEN p_success THEN 'completed' ELSE 'failed' END, 1, p_error_message,
    clock_timestamp() - make_interval(secs => p_duration),
    clock_timestamp(), p_duration)
  ON CONFLICT (event_id, processor_name, event_created_at) DO UPDATE
    SET status = excluded.status, attempts = s.attempts + 1,
        error_message = excluded.error_message,
        started_at = coalesce(s.started_at, excluded.started_at),
        completed_at = excluded.completed_at,
        duration = coalesce(
          excluded.duration,
          CASE WHEN s.status = 'processing'
                    AND s.started_at >= coalesce(s.completed_at, '-infinity')
            THEN extract(epoch FROM excluded.completed_at - s.started_at) END)
    WHERE s.status <> 'completed'
  RETURNING s.duration INTO v_duration;
  IF NOT FOUND THEN
    RETURN true;
  END IF;
  -- The event is processed once nobody has anything left to do with it.
  UPDATE events e
  SET processed_at = clock_timestamp(),
      processing_duration = (
        SELECT sum(o.duration) FROM event_processing_status o
        WHERE o.event_id = p_event_id
          AND o.event_created_at = v_event.created_at)
  WHERE e.id = p_event_id AND e.created_at = v_event.created_at AND p_success
    AND NOT EXISTS (
      SELECT 1 FROM event_processing_status o
      WHERE o.event_id = p_event_id
        AND o.event_created_at = v_event.created_at
        AND o.status IN ('pending', 'processing', 'retrying'));
  v_timed := CASE WHEN p_success THEN coalesce(v_duration, 0) ELSE 0 END;
  INSERT INTO event_metrics AS m (
    day, platform, event_type, source_name, error_count, processed_count,
    untimed_count, total_processing_time, max_processing_time)
  VALUES (
    (v_event.created_at AT TIME ZONE 'UTC')::date, v_event.platform,
    v_event.event_type, v_event.source_name, (NOT p_success)::int,
    p_success::int, (p_success AND v_duration IS NULL)::int, v_timed, v_timed)
  ON CONFLICT (day, platform, event_type, source_name) DO UPDATE
    SET error_count = m.error_count + excluded.error_count,
        processed_count = m.processed_count + excluded.processed_count,
        untimed_count = m.untimed_count + excluded.untimed_count,
        total_processing_time
          = m.total_processing_time + excluded.total_processing_time,
        max_processing_time
          = greatest(m.max_processing_time, excluded.max_processing_time);
  RETURN true;
END $$;
