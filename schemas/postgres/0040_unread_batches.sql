-- SPDX-License-Identifier: Apache-2.0
-- A writer knows the rows of its last batches, and takes what it does not know
-- for new. This proves it, so that such a batch costs one call.
CREATE FUNCTION check_assumed(
  p_head bigint, p_version bigint, p_platform text[], p_event_id text[],
  p_created_at timestamptz[], p_absent_keys text[], p_absent_facts text[],
  p_unawaited text[]
) RETURNS integer
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_head bigint;
  v_version bigint;
  v_since timestamptz;
BEGIN
  -- A statement of its own: those that follow see what the holder before us
  -- has committed.
  SELECT h.last_seq, h.thread_version,
         (SELECT min(t.c) FROM unnest(p_created_at) AS t (c)) - h.dedup_window
  INTO v_head, v_version, v_since
  FROM log_head h FOR UPDATE;
  IF v_head <> p_head OR v_version <> p_version THEN
    RETURN 1;
  END IF;
  IF cardinality(p_absent_keys) > 0 THEN
    PERFORM 1 FROM unnest(p_absent_keys) AS a (key)
    JOIN correlation_keys k ON k.key = a.key LIMIT 1;
    IF FOUND THEN
      RETURN 2;
    END IF;
  END IF;
  IF cardinality(p_absent_facts) > 0 THEN
    PERFORM 1 FROM unnest(p_absent_facts) AS a (fact)
    JOIN correlation_facts f ON f.fact = a.fact LIMIT 1;
    IF FOUND THEN
      RETURN 2;
    END IF;
  END IF;
  IF cardinality(p_unawaited) > 0 THEN
    PERFORM 1 FROM unnest(p_unawaited) AS a (fact)
    JOIN correlation_pending w ON w.fact = a.fact LIMIT 1;
    IF FOUND THEN
      RETURN 2;
    END IF;
  END IF;
  PERFORM 1 FROM find_stored_events(p_platform, p_event_id, v_since) LIMIT 1;
  IF FOUND THEN
    RETURN 2;
  END IF;
  RETURN 0;
END $$;
COMMENT ON FUNCTION check_assumed IS 'Whether a batch that was joined without reading may be written, with the log head held: 0 if so, 1 if the log or its threads have changed, 2 if something is there that was taken for new.';
