-- SPDX-License-Identifier: Apache-2.0
-- The log: one row an event, numbered in commit order without a hole.

CREATE TYPE event_priority AS ENUM ('low', 'normal', 'high', 'critical');

-- Held (FOR UPDATE) from the first statement of an append to its commit: that
-- makes seq gapless and the look-up of duplicates free of races.
CREATE TABLE log_head (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  last_seq bigint NOT NULL DEFAULT 0 CHECK (last_seq >= 0)
) WITH (fillfactor = 10);
INSERT INTO log_head DEFAULT VALUES;

CREATE TABLE events (
  seq bigint PRIMARY KEY,
  id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  processed_at timestamptz,
  processing_duration double precision,
  correlation_id uuid,
  parent_event_id uuid,
  priority event_priority NOT NULL,
  payload_bytes integer NOT NULL,
  platform text COLLATE "C" NOT NULL CHECK (platform ~ '^[a-z0-9_-]+$'),
  event_id text COLLATE "C" NOT NULL CHECK (event_id <> ''),
  event_type text COLLATE "C" NOT NULL CHECK (event_type <> ''),
  source_id text COLLATE "C" NOT NULL,
  source_name text COLLATE "C" NOT NULL,
  actor_id text COLLATE "C" NOT NULL,
  actor_name text COLLATE "C" NOT NULL,
  metadata json NOT NULL,
  payload json NOT NULL,
  payload_raw text
);

-- lz4 costs a third of pglz to write; a server built without it keeps pglz.
DO $$
BEGIN
  EXECUTE 'ALTER TABLE events ALTER COLUMN payload SET COMPRESSION lz4,
                              ALTER COLUMN payload_raw SET COMPRESSION lz4';
EXCEPTION WHEN OTHERS THEN
  NULL;
END $$;

CREATE UNIQUE INDEX events_id ON events (id);

-- Duplicates are found through 64 bits of hash and checked against the real
-- values. Ids from outside are random: an index over them is dirtied all over
-- by every batch, so it has to be as small as it can be.
CREATE FUNCTION event_key(platform text, event_id text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN hashtextextended(event_id, hashtextextended(platform, 0));

CREATE INDEX events_key ON events (event_key(platform, event_id));

CREATE INDEX events_created_at ON events (created_at);
CREATE INDEX events_platform ON events (platform, seq);
CREATE INDEX events_type ON events (event_type, seq);
CREATE INDEX events_source_name ON events (source_name, seq)
  WHERE source_name <> '';
CREATE INDEX events_actor_id ON events (actor_id, seq) WHERE actor_id <> '';
CREATE INDEX events_actor_name ON events (actor_name, seq)
  WHERE actor_name <> '';
CREATE INDEX events_correlation ON events (correlation_id, seq)
  WHERE correlation_id IS NOT NULL;

-- Appends a batch, given as one array a column. Gives back one row for each
-- of its events, in order: the id and seq that it has in the log, and whether
-- another event was there first.
CREATE FUNCTION append_events(
  p_id uuid[], p_event_id text[], p_platform text[], p_event_type text[],
  p_source_id text[], p_source_name text[], p_actor_id text[],
  p_actor_name text[], p_priority text[], p_correlation_id uuid[],
  p_parent_event_id uuid[], p_metadata json[], p_created_at timestamptz[],
  p_processed_at timestamptz[], p_processing_duration double precision[],
  p_payload_bytes integer[], p_payload json[], p_payload_raw text[]
) RETURNS TABLE (id uuid, seq bigint, duplicate boolean)
LANGUAGE plpgsql
-- The statements below must never become table scans, whatever the planner
-- knew when it saw them first.
SET enable_seqscan = off
SET jit = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  v_head bigint;
  v_fresh bigint;
  -- For each event: the place of the first in this batch with the same key,
  -- what the log has of it, and its new number if it is new.
  v_first bigint[];
  v_stored_seq bigint[];
  v_stored_id uuid[];
  v_new bigint[];
BEGIN
  -- A statement of its own: those that follow see what the holder before us
  -- has committed.
  SELECT h.last_seq INTO v_head FROM log_head h FOR UPDATE;

  WITH incoming AS MATERIALIZED (
    SELECT t.n, t.p, t.e, event_key(t.p, t.e) AS k
    FROM unnest(p_platform, p_event_id) WITH ORDINALITY AS t (p, e, n)
  ), looked_up AS (
    SELECT x.n, s.seq, s.id,
           min(x.n) OVER (PARTITION BY x.k, x.p, x.e) AS first
    FROM incoming x
    LEFT JOIN LATERAL (
      SELECT ev.seq, ev.id FROM events ev
      WHERE event_key(ev.platform, ev.event_id) = x.k
        -- Written so that no index on platform can be chosen for it.
        AND ev.platform IS NOT DISTINCT FROM x.p
        AND ev.event_id IS NOT DISTINCT FROM x.e
      LIMIT 1
    ) s ON true
  ), numbered AS (
    SELECT l.*, l.seq IS NULL AND l.n = l.first AS fresh,
           count(*) FILTER (WHERE l.seq IS NULL AND l.n = l.first)
             OVER (ORDER BY l.n) AS place
    FROM looked_up l
  )
  SELECT array_agg(a.first ORDER BY a.n), array_agg(a.seq ORDER BY a.n),
         array_agg(a.id ORDER BY a.n),
         array_agg(CASE WHEN a.fresh THEN v_head + a.place END ORDER BY a.n),
         count(*) FILTER (WHERE a.fresh)
  INTO v_first, v_stored_seq, v_stored_id, v_new, v_fresh
  FROM numbered a;

  IF v_fresh > 0 THEN
    UPDATE log_head SET last_seq = v_head + v_fresh;
    -- unnest in the select list streams; in FROM it would spool the payloads
    -- to a temporary file first.
    INSERT INTO events (
      seq, id, created_at, processed_at, processing_duration, correlation_id,
      parent_event_id, priority, payload_bytes, platform, event_id, event_type,
      source_id, source_name, actor_id, actor_name, metadata, payload,
      payload_raw)
    SELECT b.seq, b.id, b.created_at, b.processed_at, b.processing_duration,
           b.correlation_id, b.parent_event_id, b.priority::event_priority,
           b.payload_bytes, b.platform, b.event_id, b.event_type, b.source_id,
           b.source_name, b.actor_id, b.actor_name, b.metadata, b.payload,
           b.payload_raw
    FROM (
      SELECT unnest(v_new) AS seq, unnest(p_id) AS id,
             unnest(p_created_at) AS created_at,
             unnest(p_processed_at) AS processed_at,
             unnest(p_processing_duration) AS processing_duration,
             unnest(p_correlation_id) AS correlation_id,
             unnest(p_parent_event_id) AS parent_event_id,
             unnest(p_priority) AS priority,
             unnest(p_payload_bytes) AS payload_bytes,
             unnest(p_platform) AS platform, unnest(p_event_id) AS event_id,
             unnest(p_event_type) AS event_type,
             unnest(p_source_id) AS source_id,
             unnest(p_source_name) AS source_name,
             unnest(p_actor_id) AS actor_id,
             unnest(p_actor_name) AS actor_name,
             unnest(p_metadata) AS metadata, unnest(p_payload) AS payload,
             unnest(p_payload_raw) AS payload_raw
    ) b
    WHERE b.seq IS NOT NULL;
  END IF;

  RETURN QUERY
  SELECT coalesce(r.stored_id, p_id[r.first]),
         coalesce(r.stored_seq, v_new[r.first]),
         r.n <> r.first OR r.stored_id IS NOT NULL
  FROM unnest(v_first, v_stored_seq, v_stored_id) WITH ORDINALITY
    AS r (first, stored_seq, stored_id, n)
  ORDER BY r.n;
END $$;

CREATE TABLE dead_letters (
  id uuid PRIMARY KEY,
  created_at timestamptz NOT NULL,
  origin text NOT NULL,
  reason text NOT NULL,
  attempts integer NOT NULL CHECK (attempts >= 0),
  event_id uuid,
  platform text COLLATE "C" NOT NULL,
  body bytea NOT NULL
);
