-- SPDX-License-Identifier: Apache-2.0
-- What threads are found by.

-- platforms: a JSON array.
CREATE TABLE correlation_threads (
  id TEXT PRIMARY KEY,
  event_count INTEGER NOT NULL DEFAULT 0,
  last_seq INTEGER NOT NULL DEFAULT 0,
  first_event_at TEXT NOT NULL,
  last_event_at TEXT NOT NULL,
  platforms TEXT NOT NULL DEFAULT '[]'
) STRICT, WITHOUT ROWID;
CREATE INDEX correlation_threads_last_seq ON correlation_threads (last_seq);

-- Which thread a key leads to; the owner is the first event that is the thing.
CREATE TABLE correlation_keys (
  key TEXT PRIMARY KEY CHECK (key <> ''),
  thread_id TEXT NOT NULL,
  owner_event_id TEXT,
  links INTEGER NOT NULL DEFAULT 0,
  mentions INTEGER NOT NULL DEFAULT 0,
  last_seen TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX correlation_keys_thread ON correlation_keys (thread_id);

-- Where the threads went that were joined to others.
CREATE TABLE correlation_merges (
  old_id TEXT PRIMARY KEY,
  thread_id TEXT NOT NULL,
  merged_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z'))
) STRICT, WITHOUT ROWID;
CREATE INDEX correlation_merges_thread ON correlation_merges (thread_id);

-- What events taught, as in linear:team:ENG.
CREATE TABLE correlation_facts (
  fact TEXT PRIMARY KEY,
  value TEXT NOT NULL DEFAULT '',
  learned_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z'))
) STRICT, WITHOUT ROWID;

-- Keys of stored events that wait for a fact.
CREATE TABLE correlation_pending (
  fact TEXT NOT NULL,
  event_id TEXT NOT NULL,
  key TEXT NOT NULL,
  event_created_at TEXT NOT NULL,
  evidence TEXT NOT NULL,
  PRIMARY KEY (fact, event_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX correlation_pending_time ON correlation_pending (event_created_at);

-- One row while `eventweft correlate --backfill` is not done.
CREATE TABLE correlation_backfill (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  last_seq INTEGER NOT NULL,
  until_seq INTEGER NOT NULL,
  started_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z'))
) STRICT;

CREATE VIEW correlated_events AS
SELECT c.correlation_type, s.correlation_id, c.correlation_key,
       c.confidence_score, c.rule, c.field, c.matched,
       s.id AS source_event_id, s.platform AS source_platform,
       s.event_type AS source_event_type, s.source_name AS source_source_name,
       s.created_at AS source_created_at,
       t.id AS target_event_id, t.platform AS target_platform,
       t.event_type AS target_event_type, t.source_name AS target_source_name,
       t.created_at AS target_created_at
FROM event_correlations c
JOIN events s ON s.id = c.source_event_id
LEFT JOIN correlation_keys k ON k.key = c.correlation_key
LEFT JOIN events t ON t.id = coalesce(c.target_event_id, k.owner_event_id)
WHERE c.state = 'linked' AND c.correlation_type <> 'identity'
  AND t.id IS NOT s.id;
