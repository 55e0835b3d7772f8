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
  v_keys bigint[];
BEGIN
  -- A statement of its own: those that follow see what the holder before us
  -- has committed.
  SELECT h.last_seq, h.thread_version,
         (SELECT min(t.c) FROM unnest(p_created_at) AS t (c)) - h.dedup_window,
         ARRAY(SELECT event_key(d.p, d.e)
               FROM unnest(p_platform, p_event_id) AS d (p, e))
  INTO v_head, v_version, v_since, v_keys
  FROM log_head h FOR UPDATE;
  IF v_head <> p_head OR v_version <> p_version THEN
    RETURN 1;
  END IF;
  IF cardinality(p_absent_keys) > 0 THEN
    PERFORM 1 FROM correlation_keys k WHERE k.key = ANY (p_absent_keys) LIMIT 1;
    IF FOUND THEN
      RETURN 2;
    END IF;
  END IF;
  IF cardinality(p_absent_facts) > 0 THEN
    PERFORM 1 FROM correlation_facts f
    WHERE f.fact = ANY (p_absent_facts) LIMIT 1;
    IF FOUND THEN
      RETURN 2;
    END IF;
  END IF;
  IF cardinality(p_unawaited) > 0 THEN
    PERFORM 1 FROM correlation_pending w
    WHERE w.fact = ANY (p_unawaited) LIMIT 1;
    IF FOUND THEN
      RETURN 2;
    END IF;
  END IF;
  -- Two deliveries may have one key; then it is found out by reading.
  PERFORM 1 FROM events ev
  WHERE event_key(ev.platform, ev.event_id) = ANY (v_keys)
    AND ev.created_at >= v_since
  LIMIT 1;
  IF FOUND THEN
    RETURN 2;
  END IF;
  RETURN 0;
END $$;
COMMENT ON FUNCTION check_assumed IS 'Whether a batch that was joined without reading may be written, with the log head held: 0 if so, 1 if the log or its threads have changed, 2 if something is there that was taken for new.';
