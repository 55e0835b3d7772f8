-- SPDX-License-Identifier: Apache-2.0
-- What is to be forgotten is looked for before the log head is taken, and the
-- head is not taken where there is nothing: with millions of keys the search
-- takes seconds, in which nobody could append.

-- As it was otherwise: call it until it returns 0.
CREATE OR REPLACE FUNCTION forget_threads(p_limit bigint DEFAULT 10000)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  -- So many threads go, and are counted anew, while the head is held: each
  -- takes looks into every week, or has keys.
  c_threads CONSTANT bigint := least(p_limit, 1000);
  v_gone bigint := 0;
  v_rows bigint;
  v_seq bigint;
  v_since timestamptz;
  v_due uuid[];
  v_went uuid[];
  v_empty uuid[];
  v_keys text[];
  v_merges uuid[];
BEGIN
  SELECT coalesce((SELECT min(e.seq) FROM events e), h.last_seq + 1),
         coalesce((SELECT min(e.created_at) FROM events e), 'infinity')
  INTO v_seq, v_since
  FROM log_head h;
  IF NOT EXISTS (SELECT 1 FROM correlation_threads t WHERE t.last_seq < v_seq)
     AND NOT EXISTS (SELECT 1 FROM correlation_recounts) THEN
    SELECT array_agg(x.key) INTO v_keys
    FROM (SELECT o.key FROM correlation_keys o
          WHERE o.last_seen < v_since
             OR NOT EXISTS (SELECT 1 FROM correlation_threads t
                            WHERE t.id = o.thread_id)
          LIMIT p_limit) x;
    SELECT array_agg(x.old_id) INTO v_merges
    FROM (SELECT o.old_id FROM correlation_merges o
          WHERE NOT EXISTS (SELECT 1 FROM correlation_threads t
                            WHERE t.id = o.thread_id)
          LIMIT p_limit) x;
    IF v_keys IS NULL AND v_merges IS NULL AND NOT EXISTS (
      SELECT 1 FROM correlation_pending w WHERE w.event_created_at < v_since)
    THEN
      RETURN 0;
    END IF;
  END IF;

  -- Whoever joins events meanwhile would link to what goes. What was found
  -- before is looked at again.
  SELECT h.last_seq + 1 INTO v_seq FROM log_head h FOR UPDATE;
  SELECT coalesce(min(e.seq), v_seq), coalesce(min(e.created_at), 'infinity')
  INTO v_seq, v_since
  FROM events e;
  WITH went AS (
    DELETE FROM correlation_threads t
    WHERE t.id IN (
      SELECT o.id FROM correlation_threads o
      WHERE o.last_seq < v_seq ORDER BY o.last_seq LIMIT c_threads)
    RETURNING t.id)
  SELECT coalesce(array_agg(w.id), '{}') INTO v_went FROM went w;
  -- What lost events is counted anew, thread by thread through their index.
  WITH due AS (
    DELETE FROM correlation_recounts r
    WHERE r.thread_id IN (
      SELECT o.thread_id FROM correlation_recounts o
      LIMIT c_threads)
    RETURNING r.thread_id)
  SELECT array_agg(d.thread_id) INTO v_due FROM due d;
  v_gone := v_gone + coalesce(cardinality(v_due), 0);
  WITH went AS (
    DELETE FROM correlation_threads t
    WHERE t.id = ANY (v_due)
      AND NOT EXISTS (SELECT 1 FROM events e WHERE e.correlation_id = t.id)
    RETURNING t.id)
  SELECT coalesce(array_agg(w.id), '{}') INTO v_empty FROM went w;
  v_went := v_went || v_empty;
  v_gone := v_gone + cardinality(v_went);
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
  -- Whoever names such a key next must not find what it was.
  DELETE FROM correlation_keys k WHERE k.thread_id = ANY (v_went);
  DELETE FROM correlation_merges m WHERE m.thread_id = ANY (v_went);
  DELETE FROM correlation_keys k
  WHERE k.key = ANY (v_keys)
    AND (k.last_seen < v_since
         OR NOT EXISTS (SELECT 1 FROM correlation_threads t
                        WHERE t.id = k.thread_id));
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  v_gone := v_gone + v_rows;
  DELETE FROM correlation_merges m
  WHERE m.old_id = ANY (v_merges)
    AND NOT EXISTS (SELECT 1 FROM correlation_threads t
                    WHERE t.id = m.thread_id);
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
