-- SPDX-License-Identifier: Apache-2.0
-- Retention of custom events, whose platform is a name of their sender's.

-- As before; and p_platform_keep may hold the empty name, for all platforms
-- that it does not name. Then one that it names with null is kept as p_keep
-- says.
CREATE OR REPLACE FUNCTION expired_events(
  p_keep interval, p_platform_keep jsonb, p_now timestamptz, p_limit bigint
) RETURNS TABLE (id uuid, seq bigint, created_at timestamptz, platform text)
LANGUAGE sql STABLE AS $$
  SELECT e.id, e.seq, e.created_at, e.platform
  FROM events e
  WHERE e.created_at < p_now - least(
          p_keep, (SELECT min(v::interval)
                   FROM jsonb_each_text(p_platform_keep) AS k (n, v)))
    AND e.created_at < p_now - coalesce(
          (p_platform_keep ->> CASE WHEN p_platform_keep ? e.platform
                                    THEN e.platform ELSE '' END)::interval,
          p_keep)
    AND e.seq <= (SELECT retention_horizon())
    AND NOT EXISTS (SELECT 1 FROM dead_letters d WHERE d.event_id = e.id)
    AND NOT EXISTS (
      SELECT 1 FROM event_processing_status s
      WHERE s.event_id = e.id AND s.event_created_at = e.created_at
        AND s.status IN ('pending', 'processing', 'retrying'))
  ORDER BY e.seq
  LIMIT p_limit
$$;
