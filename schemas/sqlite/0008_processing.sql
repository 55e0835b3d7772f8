-- SPDX-License-Identifier: Apache-2.0
-- What processors remember.

-- How far each processor has read the log, and what it has in hand.
CREATE TABLE processor_marks (
  processor_name TEXT NOT NULL,
  feed TEXT NOT NULL,
  cursor_seq INTEGER NOT NULL CHECK (cursor_seq >= 0),
  mark TEXT NOT NULL,
  updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z')),
  PRIMARY KEY (processor_name, feed)
) STRICT, WITHOUT ROWID;
