-- SPDX-License-Identifier: Apache-2.0
-- Correlation rules that all nodes take on while they run, beside those of the
-- configuration.

CREATE TABLE correlation_rules (
  name text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9_.-]{1,100}$'),
  match json NOT NULL DEFAULT '{}',
  key text NOT NULL CHECK (key <> ''),
  field text NOT NULL DEFAULT '',
  pattern text NOT NULL DEFAULT '',
  confidence real NOT NULL DEFAULT 1 CHECK (confidence BETWEEN 0 AND 1),
  window_seconds bigint NOT NULL DEFAULT 0
    CHECK (window_seconds BETWEEN 0 AND 4000000000),
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE correlation_rules IS 'Rules that read correlation keys out of events, made through the API. In force on all nodes within a second; a rule of that name in a node''s configuration goes first.';
COMMENT ON COLUMN correlation_rules.name IS 'Stands in event_correlations with what the rule found.';
COMMENT ON COLUMN correlation_rules.match IS 'A filter: the events it applies to; {}: all.';
COMMENT ON COLUMN correlation_rules.key IS 'The key it gives, with values in braces.';
COMMENT ON COLUMN correlation_rules.field IS 'With a pattern: where the text is that it is looked for in.';
COMMENT ON COLUMN correlation_rules.pattern IS 'RE2; each match gives a key. Empty: one key an event.';
COMMENT ON COLUMN correlation_rules.confidence IS 'Of its keys; those below the threshold do not link.';
COMMENT ON COLUMN correlation_rules.window_seconds IS 'How long after it was last seen a key links; 0: for ever.';
COMMENT ON COLUMN correlation_rules.changed_at IS 'When it was made or replaced.';
