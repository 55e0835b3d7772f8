-- SPDX-License-Identifier: Apache-2.0
-- Retention waits for what a processor has not done with for as long as it
-- waits for what it has not read: until the processor was not heard of for a
-- week. What it never came to was not held back any more, but what it had in
-- hand when it was removed was, for ever.

-- Who has no marks is none of ours: a job that notes by itself what it does.
CREATE FUNCTION processor_is_awaited(p_processor text) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT max(m.updated_at) > now() - interval '7 days'
     FROM processor_marks m WHERE m.processor_name = p_processor), true)
$$;
COMMENT ON FUNCTION processor_is_awaited IS 'Whether retention waits for what this processor is not done with: not if it was not heard of for a week.';

COMMENT ON COLUMN processor_marks.mark IS 'The same with what was read and is not done: {"cursor":seq,"open":[[seq,attempts,due,since],…]}, times in microseconds since 1970; "failed" has the times and errors of the attempts, "floors" how far each priority is done with where that is beyond the cursor.';

-- As they were otherwise.
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
        AND s.status IN ('pending', 'processing', 'retrying')
        AND processor_is_awaited(s.processor_name))
      THEN 'a processor is not done with it'
  END
  FROM (SELECT max(e.seq) AS newest FROM events e
        WHERE e.created_at >= p_from AND e.created_at < p_to) n
$$;

CREATE OR REPLACE FUNCTION expired_events(
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
          AND s.status IN ('pending', 'processing', 'retrying')
          AND processor_is_awaited(s.processor_name))
    ORDER BY e.seq
    LIMIT p_limit
  ) x
  WHERE r.until IS NOT NULL
  ORDER BY x.seq
  LIMIT p_limit
$$;
