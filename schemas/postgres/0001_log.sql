-- SPDX-License-Identifier: Apache-2.0
-- The log: one row an event, numbered in commit order without a hole,
-- partitioned by the week in which it came in.

CREATE TYPE event_priority AS ENUM ('low', 'normal', 'high', 'critical');
COMMENT ON TYPE event_priority IS 'How urgent an event is; the order is that of the names given.';

CREATE TABLE log_head (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  last_seq bigint NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
  dedup_window interval NOT NULL DEFAULT '14 days',
  thread_version bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
INSERT INTO log_head DEFAULT VALUES;
COMMENT ON TABLE log_head IS 'One row. Held (FOR UPDATE) from the first statement of an append to its commit: that makes seq gapless and the look-up of duplicates free of races.';
COMMENT ON COLUMN log_head.only_row IS 'Always true: there is one row.';
COMMENT ON COLUMN log_head.last_seq IS 'The last seq given out; 0 for an empty log.';
COMMENT ON COLUMN log_head.dedup_window IS 'How far back a delivery is recognised as one that is already there.';
COMMENT ON COLUMN log_head.thread_version IS 'Counts the changes to threads that appended nothing.';

CREATE TABLE events (
  seq bigint NOT NULL,
  id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  processed_at timestamptz,
  processing_duration double precision,
  correlation_id uuid,
  parent_event_id uuid,
  priority event_priority NOT NULL DEFAULT 'normal',
  payload_bytes integer NOT NULL,
  platform text COLLATE "C" NOT NULL CHECK (platform ~ '^[a-z0-9_-]+$'),
  event_id text COLLATE "C" NOT NULL CHECK (event_id <> ''),
  event_type text COLLATE "C" NOT NULL CHECK (event_type <> ''),
  source_id text COLLATE "C" NOT NULL DEFAULT '',
  source_name text COLLATE "C" NOT NULL DEFAULT '',
  actor_id text COLLATE "C" NOT NULL DEFAULT '',
  actor_name text COLLATE "C" NOT NULL DEFAULT '',
  metadata json NOT NULL DEFAULT '{}',
  payload json NOT NULL,
  payload_raw text,
  PRIMARY KEY (seq, created_at),
  UNIQUE (id, created_at)
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE events IS 'The log: every event once, in commit order. Rows come in through append_events().';
COMMENT ON COLUMN events.seq IS 'Place in the log: gapless, in commit order; what readers use as their cursor.';
COMMENT ON COLUMN events.id IS 'Our id, a UUIDv7.';
COMMENT ON COLUMN events.created_at IS 'When this hub took the event in.';
COMMENT ON COLUMN events.processed_at IS 'When the last processor that wanted it was done.';
COMMENT ON COLUMN events.processing_duration IS 'Seconds that processing took.';
COMMENT ON COLUMN events.correlation_id IS 'The thread it belongs to, shared by all its events.';
COMMENT ON COLUMN events.parent_event_id IS 'The event that this one follows from.';
COMMENT ON COLUMN events.priority IS 'low, normal, high or critical.';
COMMENT ON COLUMN events.payload_bytes IS 'Length of the payload as it was sent.';
COMMENT ON COLUMN events.platform IS 'Where it comes from: github, linear, slack, deployments, custom, …';
COMMENT ON COLUMN events.event_id IS 'The platform''s own delivery id; unique with the platform.';
COMMENT ON COLUMN events.event_type IS 'What happened, as type or type:action (pull_request:opened).';
COMMENT ON COLUMN events.source_id IS 'Id of what it happened to: a repository, a team, a channel.';
COMMENT ON COLUMN events.source_name IS 'Name of what it happened to.';
COMMENT ON COLUMN events.actor_id IS 'Id of who did it.';
COMMENT ON COLUMN events.actor_name IS 'Name of who did it.';
COMMENT ON COLUMN events.metadata IS 'What the hub noted about the delivery.';
COMMENT ON COLUMN events.payload IS 'The sender''s JSON, byte for byte but for what payload_raw says.';
COMMENT ON COLUMN events.payload_raw IS 'The original where the payload holds \u0000 or lone surrogates, which JSON operators refuse: payload has U+FFFD in their place.';

-- lz4 costs a third of pglz to write; a server built without it keeps pglz.
DO $$
BEGIN
  EXECUTE 'ALTER TABLE events ALTER COLUMN payload SET COMPRESSION lz4,
                              ALTER COLUMN payload_raw SET COMPRESSION lz4';
EXCEPTION WHEN OTHERS THEN
  NULL;
END $$;

-- Duplicates are found through 64 bits of hash and checked against the real
-- values. Ids from outside are random: an index over them is dirtied all over
-- by every batch, so it has to be as small as it can be.
CREATE FUNCTION event_key(platform text, event_id text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN hashtextextended(event_id, hashtextextended(platform, 0));
COMMENT ON FUNCTION event_key IS '64 bits that stand for (platform, event_id) in an index.';

CREATE INDEX events_key ON events (event_key(platform, event_id));
CREATE INDEX events_created_at ON events (created_at);
CREATE INDEX events_platform ON events (platform, seq);
CREATE INDEX events_type ON events (event_type, seq);
CREATE INDEX events_source_name ON events (source_name, seq)
  WHERE source_name <> '';
CREATE INDEX events_source_id ON events (source_id, seq) WHERE source_id <> '';
CREATE INDEX events_actor_id ON events (actor_id, seq) WHERE actor_id <> '';
CREATE INDEX events_actor_name ON events (actor_name, seq)
  WHERE actor_name <> '';
CREATE INDEX events_correlation ON events (correlation_id, seq)
  WHERE correlation_id IS NOT NULL;
CREATE INDEX events_parent ON events (parent_event_id, seq)
  WHERE parent_event_id IS NOT NULL;
-- The rare ones; the others are soon met on the way through the log.
CREATE INDEX events_priority ON events (priority, seq)
  WHERE priority IN ('low', 'critical');

CREATE TABLE dead_letters (
  id uuid PRIMARY KEY,
  created_at timestamptz NOT NULL,
  origin text COLLATE "C" NOT NULL,
  reason text NOT NULL,
  attempts integer NOT NULL CHECK (attempts >= 0),
  history json NOT NULL DEFAULT '[]',
  event_id uuid,
  event_seq bigint NOT NULL DEFAULT 0,
  platform text COLLATE "C" NOT NULL,
  event_type text COLLATE "C" NOT NULL DEFAULT '',
  body bytea NOT NULL
);
CREATE INDEX dead_letters_origin ON dead_letters (origin, id);
CREATE INDEX dead_letters_event ON dead_letters (event_id)
  WHERE event_id IS NOT NULL;
COMMENT ON TABLE dead_letters IS 'What was given up on, with what is needed to try it again.';
COMMENT ON COLUMN dead_letters.id IS 'Its own id, a UUIDv7.';
COMMENT ON COLUMN dead_letters.created_at IS 'When it was given up.';
COMMENT ON COLUMN dead_letters.origin IS 'Who gave up, as kind or kind:name: processor:notify, subscription:<uuid>, store, spool.';
COMMENT ON COLUMN dead_letters.reason IS 'Why, for people.';
COMMENT ON COLUMN dead_letters.attempts IS 'How often it was tried.';
COMMENT ON COLUMN dead_letters.history IS 'The attempts, oldest first: [{"at":…,"error":…}].';
COMMENT ON COLUMN dead_letters.event_id IS 'events.id, if it is about a stored event; retention keeps that event.';
COMMENT ON COLUMN dead_letters.event_seq IS 'events.seq of that event; 0 if it is not in the log.';
COMMENT ON COLUMN dead_letters.platform IS 'The platform it came from, as far as known.';
COMMENT ON COLUMN dead_letters.event_type IS 'The event''s type, as far as known.';
COMMENT ON COLUMN dead_letters.body IS 'The event''s JSON, or the raw bytes.';
