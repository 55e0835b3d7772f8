-- SPDX-License-Identifier: Apache-2.0
-- The log: one row an event, numbered in commit order without a hole.

CREATE TABLE log_head (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  last_seq INTEGER NOT NULL CHECK (last_seq >= 0)
) STRICT;
INSERT INTO log_head VALUES (1, 0);

-- Times are UTC, RFC 3339 with six digits, so that text order is time order.
-- The payload comes last: what filters and pages read lies before it.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  event_key INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  processed_at TEXT,
  processing_duration REAL,
  correlation_id TEXT,
  parent_event_id TEXT,
  priority TEXT NOT NULL
    CHECK (priority IN ('low', 'normal', 'high', 'critical')),
  platform TEXT NOT NULL
    CHECK (platform <> '' AND platform NOT GLOB '*[^a-z0-9_-]*'),
  event_id TEXT NOT NULL CHECK (event_id <> ''),
  event_type TEXT NOT NULL CHECK (event_type <> ''),
  source_id TEXT NOT NULL,
  source_name TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  actor_name TEXT NOT NULL,
  metadata TEXT NOT NULL,
  payload TEXT NOT NULL,
  payload_raw TEXT
) STRICT;

CREATE UNIQUE INDEX events_id ON events (id);

-- Duplicates are found through 64 bits of hash over platform and event_id,
-- computed by the program, and checked against the real values. The hashes are
-- random: in one index over all of them every batch would dirty as many pages
-- as it has events. So the index has a part of its own for every 16,384
-- events; a filter in memory knows which events need no look into all parts.
CREATE INDEX events_key ON events (seq >> 14, event_key);

CREATE INDEX events_created_at ON events (created_at);
CREATE INDEX events_platform ON events (platform);
CREATE INDEX events_type ON events (event_type);
CREATE INDEX events_source_name ON events (source_name)
  WHERE source_name <> '';
CREATE INDEX events_source_id ON events (source_id) WHERE source_id <> '';
CREATE INDEX events_actor_id ON events (actor_id) WHERE actor_id <> '';
CREATE INDEX events_actor_name ON events (actor_name) WHERE actor_name <> '';
CREATE INDEX events_correlation ON events (correlation_id)
  WHERE correlation_id IS NOT NULL;
CREATE INDEX events_parent ON events (parent_event_id)
  WHERE parent_event_id IS NOT NULL;
-- The rare ones; the others are soon met on the way through the log.
CREATE INDEX events_priority ON events (priority)
  WHERE priority IN ('low', 'critical');

CREATE TABLE dead_letters (
  id TEXT PRIMARY KEY,
  created_at TEXT NOT NULL,
  origin TEXT NOT NULL,
  reason TEXT NOT NULL,
  attempts INTEGER NOT NULL CHECK (attempts >= 0),
  history TEXT NOT NULL DEFAULT '[]',
  event_id TEXT,
  event_seq INTEGER NOT NULL DEFAULT 0,
  platform TEXT NOT NULL,
  event_type TEXT NOT NULL DEFAULT '',
  body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
