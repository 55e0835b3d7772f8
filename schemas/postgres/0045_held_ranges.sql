-- SPDX-License-Identifier: Apache-2.0
-- What a retention must keep is looked for where something may have to go, and
-- not in the whole log, as it was where weeks alone go.

CREATE OR REPLACE FUNCTION held_events(
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
  ), ranges AS MATERIALIZED (
    SELECT r.platform, s.f, least(r.until, s.t) AS t
    FROM rules r CROSS JOIN spans s
    WHERE r.until IS NOT NULL AND s.f < least(r.until, s.t)
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
    FROM ranges r CROSS JOIN read h
    CROSS JOIN LATERAL (
      -- OFFSET: for each range by itself; what is joined some other way is
      -- the whole log.
      SELECT x.id, x.seq, x.created_at, x.payload_bytes
      FROM events x
      WHERE x.platform = r.platform AND x.created_at >= r.f
        AND x.created_at < r.t
      OFFSET 0
    ) e
    WHERE NOT EXISTS (SELECT 1 FROM free f WHERE f.seq = e.seq)
  )
  SELECT h.platform, max(h.created_at), count(*), sum(h.payload_bytes)::bigint,
         h.reason
  FROM held h
  GROUP BY h.platform, h.reason ORDER BY h.platform, h.reason
$$;
