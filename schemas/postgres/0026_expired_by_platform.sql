-- SPDX-License-Identifier: Apache-2.0
-- Events past their time are looked for platform by platform, through the
-- index that has them so: where some platforms are kept longer than others, or
-- for ever, all that they have stored was read each time.

CREATE OR REPLACE FUNCTION expired_events(
  p_keep interval, p_platform_keep jsonb, p_now timestamptz, p_limit bigint
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
    SELECT k.platform, p_now - coalesce(
             (p_platform_keep ->> CASE WHEN p_platform_keep ? k.platform
                                       THEN k.platform ELSE '' END)::interval,
             p_keep) AS until
    FROM known k WHERE k.platform IS NOT NULL
  )
  SELECT x.id, x.seq, x.created_at, r.platform
  FROM rules r
  CROSS JOIN LATERAL (
    SELECT e.id, e.seq, e.created_at
    FROM events e
    WHERE e.platform = r.platform AND e.created_at < r.until
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
