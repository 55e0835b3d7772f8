-- SPDX-License-Identifier: Apache-2.0
-- Of what waits for a fact no more is read than an append links: months of
-- texts that name a team may wait for its first event.

CREATE OR REPLACE FUNCTION look_up_threads(
  p_lock boolean, p_platform text[], p_event_id text[],
  p_created_at timestamptz[], p_keys text[], p_facts text[],
  p_waited_for text[], p_prefixes text[], p_ids uuid[]
) RETURNS TABLE (kind text, n bigint, name text, id uuid, other uuid,
                 parent uuid, x bigint, y bigint, z bigint, at timestamptz,
                 more text)
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  -- correlation::join_limits::max_waiting, which takes the newest of them.
  c_waiting CONSTANT bigint := 5000;
  v_since timestamptz;
  v_waiting uuid[];
BEGIN
  IF p_lock THEN
    PERFORM 1 FROM log_head FOR UPDATE;
  END IF;
  kind := 'head';
  SELECT h.last_seq, h.thread_version,
         (SELECT min(t.c) FROM unnest(p_created_at) AS t (c)) - h.dedup_window
  INTO x, y, v_since
  FROM log_head h;
  RETURN NEXT;
  IF cardinality(p_event_id) > 0 THEN
    RETURN QUERY
    SELECT 'seen', s.n, NULL::text, s.id, s.correlation_id,
           s.parent_event_id, s.first, s.seq, NULL::bigint,
           NULL::timestamptz, NULL::text
    FROM find_stored_events(p_platform, p_event_id, v_since) s;
  END IF;
  IF cardinality(p_keys) > 0 THEN
    RETURN QUERY
    SELECT 'key', NULL::bigint, k.key, k.thread_id, k.owner_event_id,
           NULL::uuid, k.links, k.mentions, t.event_count, k.last_seen,
           NULL::text
    FROM unnest(p_keys) AS a (key)
    JOIN correlation_keys k ON k.key = a.key
    JOIN correlation_threads t ON t.id = k.thread_id;
  END IF;
  IF cardinality(p_facts) > 0 THEN
    RETURN QUERY
    SELECT 'fact', NULL::bigint, f.fact, NULL::uuid, NULL::uuid, NULL::uuid,
           NULL::bigint, NULL::bigint, NULL::bigint, NULL::timestamptz, f.value
    FROM unnest(p_facts) AS a (fact)
    JOIN correlation_facts f ON f.fact = a.fact;
  END IF;
  IF cardinality(p_prefixes) > 0 THEN
    RETURN QUERY
    SELECT 'commit', NULL::bigint, k.key, NULL::uuid, NULL::uuid, NULL::uuid,
           NULL::bigint, NULL::bigint, NULL::bigint, NULL::timestamptz,
           NULL::text
    FROM unnest(p_prefixes) AS a (prefix)
    CROSS JOIN LATERAL (
      -- Hexadecimal digits end before "g".
      SELECT c.key FROM correlation_keys c
      WHERE c.key >= a.prefix AND c.key < a.prefix || 'g'
        AND length(c.key) = 48
      ORDER BY c.key LIMIT 2
    ) k;
  END IF;
  IF cardinality(p_waited_for) > 0 THEN
    RETURN QUERY
    SELECT 'wait', NULL::bigint, w.fact, w.event_id, NULL::uuid, NULL::uuid,
           NULL::bigint, NULL::bigint, NULL::bigint, w.event_created_at,
           w.evidence::text
    FROM unnest(p_waited_for) AS a (fact)
    CROSS JOIN LATERAL (
      SELECT * FROM correlation_pending p WHERE p.fact = a.fact
      ORDER BY p.event_created_at DESC, p.event_id DESC, p.key DESC
      LIMIT c_waiting) w;
    IF FOUND THEN
      SELECT array_agg(DISTINCT w.event_id) INTO v_waiting
      FROM unnest(p_waited_for) AS a (fact)
      CROSS JOIN LATERAL (
        SELECT p.event_id FROM correlation_pending p WHERE p.fact = a.fact
        ORDER BY p.event_created_at DESC, p.event_id DESC, p.key DESC
        LIMIT c_waiting) w;
    END IF;
  END IF;
  IF cardinality(p_ids) > 0 OR v_waiting IS NOT NULL THEN
    RETURN QUERY
    SELECT 'thread', NULL::bigint, NULL::text, a.id, t.id, NULL::uuid,
           t.event_count, NULL::bigint, NULL::bigint, NULL::timestamptz,
           NULL::text
    FROM unnest(p_ids || v_waiting) AS a (id)
    CROSS JOIN LATERAL (
      SELECT coalesce(
        (SELECT e.correlation_id FROM events e
         WHERE e.id = a.id AND e.correlation_id IS NOT NULL LIMIT 1),
        (SELECT m.thread_id FROM correlation_merges m WHERE m.old_id = a.id),
        a.id) AS id
    ) r
    JOIN correlation_threads t ON t.id = r.id;
  END IF;
END $$;
