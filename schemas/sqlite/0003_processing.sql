-- SPDX-License-Identifier: Apache-2.0
-- What happens to events after they are stored: processing, threads, streams,
-- subscriptions and their deliveries.

CREATE TABLE event_processing_status (
  event_id TEXT NOT NULL,
  processor_name TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending'
    CHECK (status IN ('pending', 'processing', 'retrying', 'completed',
                      'failed')),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  error_message TEXT,
  started_at TEXT,
  completed_at TEXT,
  duration REAL,
  PRIMARY KEY (event_id, processor_name)
) STRICT, WITHOUT ROWID;

-- The evidence: each correlation key that was found in an event, and why.
CREATE TABLE event_correlations (
  source_event_id TEXT NOT NULL,
  correlation_key TEXT NOT NULL CHECK (correlation_key <> ''),
  correlation_type TEXT NOT NULL,
  confidence_score REAL NOT NULL DEFAULT 1
    CHECK (confidence_score BETWEEN 0 AND 1),
  state TEXT NOT NULL DEFAULT 'linked'
    CHECK (state IN ('linked', 'unsure', 'pending', 'hot_key',
                     'huge_thread')),
  rule TEXT NOT NULL DEFAULT '',
  field TEXT NOT NULL DEFAULT '',
  matched TEXT NOT NULL DEFAULT '',
  target_event_id TEXT,
  PRIMARY KEY (source_event_id, correlation_key),
  CHECK (source_event_id <> target_event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_correlations_type ON event_correlations (correlation_type)
  WHERE correlation_type <> 'identity';

CREATE TABLE event_streams (
  name TEXT PRIMARY KEY CHECK (name <> ''),
  description TEXT NOT NULL DEFAULT '',
  filter TEXT NOT NULL DEFAULT '{}',
  built_in INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z'))
) STRICT, WITHOUT ROWID;

INSERT INTO event_streams (name, description, filter, built_in) VALUES
  ('all_events', 'Every event of every platform.', '{}', 1),
  ('github_events', 'Everything from GitHub.', '{"platforms":["github"]}', 1),
  ('linear_events', 'Everything from Linear.', '{"platforms":["linear"]}', 1),
  ('slack_events', 'Everything from Slack.', '{"platforms":["slack"]}', 1),
  ('deployment_events', 'Deployments and their progress.',
   '{"event_types":["deployment","deployment_status"]}', 1),
  ('pr_events', 'Pull requests, their reviews and comments.',
   '{"event_types":["pull_request","pull_request_review","pull_request_review_comment","pull_request_review_thread","pull_request_target"]}',
   1),
  ('issue_events', 'Issues and their comments.',
   '{"event_types":["Comment","Issue","issue_comment","issues"]}', 1),
  ('high_priority', 'What is of high or critical priority.',
   '{"min_priority":"high"}', 1);

CREATE TABLE stream_subscriptions (
  id TEXT PRIMARY KEY,
  stream_name TEXT NOT NULL REFERENCES event_streams (name) ON DELETE CASCADE,
  subscriber_id TEXT NOT NULL,
  type TEXT NOT NULL
    CHECK (type IN ('webhook', 'nats', 'kafka', 'websocket', 'sse', 'callback')),
  url TEXT,
  filter TEXT NOT NULL DEFAULT '{}',
  secrets TEXT NOT NULL DEFAULT '[]',
  format TEXT NOT NULL DEFAULT 'native'
    CHECK (format IN ('native', 'cloudevents')),
  ordered INTEGER NOT NULL DEFAULT 0,
  headers TEXT NOT NULL DEFAULT '[]',
  max_concurrent INTEGER NOT NULL DEFAULT 0 CHECK (max_concurrent >= 0),
  rate_per_second REAL NOT NULL DEFAULT 0 CHECK (rate_per_second >= 0),
  active INTEGER NOT NULL DEFAULT 1,
  disabled_reason TEXT NOT NULL DEFAULT '',
  cursor_seq INTEGER NOT NULL DEFAULT 0 CHECK (cursor_seq >= 0),
  progress TEXT NOT NULL DEFAULT '',
  replay TEXT NOT NULL DEFAULT '',
  matched INTEGER NOT NULL DEFAULT 0,
  delivered INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  given_up INTEGER NOT NULL DEFAULT 0,
  last_seq INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z')),
  last_delivery_at TEXT,
  CHECK (type NOT IN ('webhook', 'nats', 'kafka') OR url IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX stream_subscriptions_stream ON stream_subscriptions (stream_name);

CREATE TABLE event_deliveries (
  id TEXT PRIMARY KEY,
  subscription_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  event_created_at TEXT NOT NULL,
  event_seq INTEGER NOT NULL,
  attempt INTEGER NOT NULL CHECK (attempt > 0),
  status TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
  response_status INTEGER,
  response_body TEXT,
  error_message TEXT,
  duration REAL,
  created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z')),
  next_attempt_at TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX event_deliveries_subscription
  ON event_deliveries (subscription_id, id);
CREATE INDEX event_deliveries_event ON event_deliveries (event_seq);
CREATE INDEX dead_letters_event ON dead_letters (event_id)
  WHERE event_id IS NOT NULL;
