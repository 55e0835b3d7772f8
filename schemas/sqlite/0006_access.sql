-- SPDX-License-Identifier: Apache-2.0
-- Who may do what, and who did what.

CREATE TABLE api_keys (
  id TEXT PRIMARY KEY CHECK (length(id) = 16),
  -- SHA-256 of the key; the key itself is nowhere.
  hash TEXT NOT NULL CHECK (length(hash) = 64),
  name TEXT NOT NULL DEFAULT '',
  scopes TEXT NOT NULL CHECK (scopes <> ''),
  filter TEXT,
  created_at TEXT NOT NULL,
  expires_at TEXT,
  revoked_at TEXT,
  last_used_at TEXT
) STRICT, WITHOUT ROWID;

-- One row, by which servers see that keys have changed.
CREATE TABLE api_keys_version (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL
) STRICT;
INSERT INTO api_keys_version VALUES (1, 1);

CREATE TABLE audit_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL DEFAULT '',
  address TEXT NOT NULL DEFAULT '',
  status INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_log_at ON audit_log (at);
