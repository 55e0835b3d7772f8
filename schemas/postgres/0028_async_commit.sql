-- SPDX-License-Identifier: Apache-2.0
-- Appends whose transaction ends before its WAL is on disk, so that the next
-- one works meanwhile. Who appended so has the WAL flushed, by make_durable,
-- before anybody is told of the events; log_durable says how far that is.

-- Appends under way end first, and the next ones find what is made here.
LOCK TABLE log_head IN ACCESS EXCLUSIVE MODE;

CREATE TABLE log_durable (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  seq bigint NOT NULL DEFAULT 0 CHECK (seq >= 0)
);
INSERT INTO log_durable (seq) SELECT last_seq FROM log_head;
COMMENT ON TABLE log_durable IS 'One row. How far the log is on disk for good; readers of the log go no further. Raised to n by a transaction that commits after all events up to n have.';
COMMENT ON COLUMN log_durable.only_row IS 'Always true: there is one row.';
COMMENT ON COLUMN log_durable.seq IS 'The last seq that is durable; at most a few batches behind log_head.last_seq.';

-- Raises the mark, and wakes the other nodes, where there are some; see
-- persistence/nodes.hpp.
CREATE FUNCTION raise_log_durable(p_seq bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE log_durable d SET seq = p_seq WHERE d.seq < p_seq;
  IF FOUND AND coalesce(current_setting('eventweft.node', true), '') <> '' THEN
    PERFORM pg_notify('eventweft_log', p_seq::text || ' ' ||
                                       current_setting('eventweft.node'));
  END IF;
END $$;
COMMENT ON FUNCTION raise_log_durable IS 'Raises log_durable and tells the other nodes of it, in a transaction that is durable once it has ended.';

-- Lets the transaction that calls it end without waiting for the disk.
CREATE FUNCTION commit_async() RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  PERFORM set_config('eventweft.commit', 'async', true);
  RETURN true;
END $$;
COMMENT ON FUNCTION commit_async IS 'Called in a transaction that appends: it ends before it is durable. make_durable has to follow.';

-- Makes durable what was committed so far, if the events that were appended
-- last by some transactions are still there: a server that lost its memory
-- meanwhile, or one that took over for another, may have forgotten them. False
-- if so. One event for each transaction: where an earlier one's is lost, a later
-- one's may have been committed after that. p_created_at, where it is not NULL,
-- spares looking into every partition. No events: whatever there is.
CREATE FUNCTION make_durable(
  p_seq bigint[], p_id uuid[], p_created_at timestamptz[]
) RETURNS boolean
LANGUAGE plpgsql
SET enable_seqscan = off
SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_seq bigint;
  v_id uuid;
  v_created_at timestamptz;
BEGIN
  FOR i IN 1 .. cardinality(p_seq) LOOP
    v_seq := p_seq[i];
    v_id := p_id[i];
    v_created_at := p_created_at[i];
    IF v_created_at IS NULL THEN
      PERFORM 1 FROM events e WHERE e.seq = v_seq AND e.id = v_id;
    ELSE
      PERFORM 1 FROM events e
      WHERE e.seq = v_seq AND e.id = v_id AND e.created_at = v_created_at;
    END IF;
    IF NOT FOUND THEN
      RETURN false;
    END IF;
  END LOOP;
  -- What can be seen here was committed before this is.
  PERFORM raise_log_durable(h.last_seq) FROM log_head h;
  RETURN true;
END $$;
COMMENT ON FUNCTION make_durable IS 'Makes the log durable as far as it is, at least up to these events; false if one is not there.';

-- Every other transaction that appends, also one of a program that knows
-- nothing of this table, is durable with all that was before it when it ends.
CREATE FUNCTION log_head_moved() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM raise_log_durable(NEW.last_seq);
  RETURN NULL;
END $$;
COMMENT ON FUNCTION log_head_moved IS 'Trigger: raises log_durable with the log head.';
CREATE TRIGGER durable AFTER UPDATE OF last_seq ON log_head
FOR EACH ROW
WHEN (coalesce(current_setting('eventweft.commit', true), '') <> 'async')
EXECUTE FUNCTION log_head_moved();

-- Without the NOTIFY, which comes when the events are durable.
CREATE OR REPLACE FUNCTION take_log_head(
  p_seq bigint, p_version bigint, p_events bigint
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  v_head record;
BEGIN
  SELECT h.last_seq, h.thread_version INTO v_head FROM log_head h FOR UPDATE;
  IF v_head.last_seq <> p_seq OR v_head.thread_version <> p_version THEN
    RETURN false;
  END IF;
  -- Who appends nothing must still be noticed.
  IF p_events > 0 THEN
    UPDATE log_head SET last_seq = p_seq + p_events;
  ELSE
    UPDATE log_head SET thread_version = p_version + 1;
  END IF;
  RETURN true;
END $$;

CREATE OR REPLACE FUNCTION append_events(
  p_id uuid[], p_event_id text[], p_platform text[], p_event_type text[],
  p_source_id text[], p_source_name text[], p_actor_id text[],
  p_actor_name text[], p_priority text[], p_correlation_id uuid[],
  p_parent_event_id uuid[], p_metadata json[], p_created_at timestamptz[],
  p_processed_at timestamptz[], p_processing_duration double precision[],
  p_payload_bytes integer[], p_payload json[], p_payload_raw text[],
  p_github json[] DEFAULT '{}', p_linear json[] DEFAULT '{}',
  p_slack json[] DEFAULT '{}', p_deployment json[] DEFAULT '{}'
) RETURNS TABLE (id uuid, seq bigint, duplicate boolean, correlation_id uuid,
                 parent_event_id uuid)
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  v_head bigint;
  v_since timestamptz;
  v_fresh bigint;
  -- For each event: the place of the first in this batch with the same key,
  -- what the log has of it, and its new number if it is new.
  v_first bigint[];
  v_stored_seq bigint[];
  v_stored_id uuid[];
  v_thread uuid[];
  v_parent uuid[];
  v_new bigint[];
BEGIN
  -- A statement of its own: those that follow see what the holder before us
  -- has committed.
  SELECT h.last_seq,
         (SELECT min(t.c) FROM unnest(p_created_at) AS t (c)) - h.dedup_window
  INTO v_head, v_since
  FROM log_head h FOR UPDATE;

  WITH numbered AS (
    SELECT t.n, coalesce(s.first, t.n) AS first, s.seq, s.id,
           s.correlation_id, s.parent_event_id, s.n IS NULL AS fresh,
           count(*) FILTER (WHERE s.n IS NULL) OVER (ORDER BY t.n) AS place
    FROM generate_series(1, cardinality(p_id)) AS t (n)
    LEFT JOIN find_stored_events(p_platform, p_event_id, v_since) s
      ON s.n = t.n
  )
  SELECT array_agg(a.first ORDER BY a.n), array_agg(a.seq ORDER BY a.n),
         array_agg(a.id ORDER BY a.n),
         array_agg(a.correlation_id ORDER BY a.n),
         array_agg(a.parent_event_id ORDER BY a.n),
         array_agg(CASE WHEN a.fresh THEN v_head + a.place END ORDER BY a.n),
         count(*) FILTER (WHERE a.fresh)
  INTO v_first, v_stored_seq, v_stored_id, v_thread, v_parent, v_new, v_fresh
  FROM numbered a;

  IF v_fresh > 0 THEN
    UPDATE log_head SET last_seq = v_head + v_fresh;
    PERFORM insert_events(
      v_new, p_id, p_event_id, p_platform, p_event_type, p_source_id,
      p_source_name, p_actor_id, p_actor_name, p_priority, p_correlation_id,
      p_parent_event_id, p_metadata, p_created_at, p_processed_at,
      p_processing_duration, p_payload_bytes, p_payload, p_payload_raw,
      p_github, p_linear, p_slack, p_deployment);
  END IF;

  RETURN QUERY
  SELECT coalesce(r.stored_id, p_id[r.first]),
         coalesce(r.stored_seq, v_new[r.first]),
         r.n <> r.first OR r.stored_id IS NOT NULL,
         CASE WHEN r.stored_id IS NULL THEN p_correlation_id[r.first]
           ELSE r.thread END,
         CASE WHEN r.stored_id IS NULL THEN p_parent_event_id[r.first]
           ELSE r.parent END
  FROM unnest(v_first, v_stored_seq, v_stored_id, v_thread, v_parent)
    WITH ORDINALITY AS r (first, stored_seq, stored_id, thread, parent, n)
  ORDER BY r.n;
END $$;

-- Who may append may do all of it, also where roles.sql was run before.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'eventweft_writer') THEN
    GRANT SELECT, UPDATE (seq) ON log_durable TO eventweft_writer;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'eventweft_analyst') THEN
    GRANT SELECT ON log_durable TO eventweft_analyst;
  END IF;
END $$;
