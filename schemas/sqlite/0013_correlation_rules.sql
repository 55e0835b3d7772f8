-- SPDX-License-Identifier: Apache-2.0
-- Correlation rules that the server takes on while it runs, beside those of the
-- configuration.

CREATE TABLE correlation_rules (
  name TEXT PRIMARY KEY
    CHECK (length(name) BETWEEN 1 AND 100 AND name NOT GLOB '*[^A-Za-z0-9_.-]*'),
  -- A filter: the events it applies to.
  match TEXT NOT NULL DEFAULT '{}',
  -- The key it gives, with values in braces.
  key TEXT NOT NULL CHECK (key <> ''),
  -- With a pattern: where the text is that it is looked for in.
  field TEXT NOT NULL DEFAULT '',
  -- RE2; each match gives a key.
  pattern TEXT NOT NULL DEFAULT '',
  confidence REAL NOT NULL DEFAULT 1 CHECK (confidence BETWEEN 0 AND 1),
  -- How long after it was last seen a key links; 0: for ever.
  window_seconds INTEGER NOT NULL DEFAULT 0
    CHECK (window_seconds BETWEEN 0 AND 4000000000),
  changed_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z'))
) STRICT, WITHOUT ROWID;
