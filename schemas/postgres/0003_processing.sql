-- SPDX-License-Identifier: Apache-2.0
-- What happens to events after they are stored: processing, threads, streams,
-- subscriptions and their deliveries.

CREATE TABLE event_processing_status (
  event_id uuid NOT NULL,
  event_created_at timestamptz NOT NULL,
  processor_name text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL DEFAULT 'pending'
    CHECK (status IN ('pending', 'processing', 'retrying', 'completed',
                      'failed')),
  attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  error_message text,
  started_at timestamptz,
  completed_at timestamptz,
  duration double precision,
  PRIMARY KEY (event_id, processor_name, event_created_at)
) PARTITION BY RANGE (event_created_at);
CREATE INDEX event_processing_status_open
  ON event_processing_status (event_created_at)
  WHERE status IN ('pending', 'processing', 'retrying');
COMMENT ON TABLE event_processing_status IS 'How far each processor is with each event it wanted.';
COMMENT ON COLUMN event_processing_status.event_id IS 'events.id.';
COMMENT ON COLUMN event_processing_status.event_created_at IS 'events.created_at; this table is partitioned by it.';
COMMENT ON COLUMN event_processing_status.processor_name IS 'The processor.';
COMMENT ON COLUMN event_processing_status.status IS 'pending, processing, retrying (a failed attempt, another will follow), completed or failed (given up). What is done within a second of its event has one row, written once.';
COMMENT ON COLUMN event_processing_status.attempts IS 'How often it was tried.';
COMMENT ON COLUMN event_processing_status.error_message IS 'What the last failed attempt said.';
COMMENT ON COLUMN event_processing_status.started_at IS 'When the first attempt began.';
COMMENT ON COLUMN event_processing_status.completed_at IS 'When it was completed or given up.';
COMMENT ON COLUMN event_processing_status.duration IS 'Seconds the last attempt took.';

CREATE TABLE event_correlations (
  source_event_id uuid NOT NULL,
  event_created_at timestamptz NOT NULL,
  confidence_score real NOT NULL DEFAULT 1
    CHECK (confidence_score BETWEEN 0 AND 1),
  correlation_key text COLLATE "C" NOT NULL CHECK (correlation_key <> ''),
  correlation_type text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL DEFAULT 'linked'
    CHECK (state IN ('linked', 'unsure', 'pending', 'hot_key',
                     'huge_thread')),
  rule text COLLATE "C" NOT NULL DEFAULT '',
  field text COLLATE "C" NOT NULL DEFAULT '',
  matched text NOT NULL DEFAULT '',
  target_event_id uuid,
  PRIMARY KEY (source_event_id, correlation_key, event_created_at),
  CHECK (source_event_id <> target_event_id)
) PARTITION BY RANGE (event_created_at);
-- Most rows say what an event is itself, which nobody looks for by its type.
CREATE INDEX event_correlations_type
  ON event_correlations (correlation_type, event_created_at)
  WHERE correlation_type <> 'identity';
COMMENT ON TABLE event_correlations IS 'The evidence: each correlation key that was found in an event, and why.';
COMMENT ON COLUMN event_correlations.source_event_id IS 'events.id of the event in which the key was found.';
COMMENT ON COLUMN event_correlations.event_created_at IS 'events.created_at of that event; this table is partitioned by it.';
COMMENT ON COLUMN event_correlations.confidence_score IS 'How sure the rule was, from 0 to 1.';
COMMENT ON COLUMN event_correlations.correlation_key IS 'What the event has in common with others, as in github:pr:octo/repo#12.';
COMMENT ON COLUMN event_correlations.correlation_type IS 'What kind of link it is: pr_to_issue, deployment_to_commit, …; identity where the event is that thing itself.';
COMMENT ON COLUMN event_correlations.state IS 'linked, or why the key did not link: unsure, pending, hot_key, huge_thread.';
COMMENT ON COLUMN event_correlations.rule IS 'The rule that found it.';
COMMENT ON COLUMN event_correlations.field IS 'Where in the event.';
COMMENT ON COLUMN event_correlations.matched IS 'The text that was found there.';
COMMENT ON COLUMN event_correlations.target_event_id IS 'events.id of the other event, where a person named it; else it is the key''s owner.';

CREATE TABLE event_streams (
  name text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9_.-]{1,100}$'),
  description text NOT NULL DEFAULT '',
  filter json NOT NULL DEFAULT '{}',
  built_in boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE event_streams IS 'Named filters over the log that readers subscribe to.';
COMMENT ON COLUMN event_streams.name IS 'Its name in URLs.';
COMMENT ON COLUMN event_streams.description IS 'What it is for.';
COMMENT ON COLUMN event_streams.filter IS 'Which events it shows; {} shows all.';
COMMENT ON COLUMN event_streams.built_in IS 'There from the start; cannot be deleted.';
COMMENT ON COLUMN event_streams.created_at IS 'When it was made.';

INSERT INTO event_streams (name, description, filter, built_in) VALUES
  ('all_events', 'Every event of every platform.', '{}', true),
  ('github_events', 'Everything from GitHub.', '{"platforms":["github"]}', true),
  ('linear_events', 'Everything from Linear.', '{"platforms":["linear"]}', true),
  ('slack_events', 'Everything from Slack.', '{"platforms":["slack"]}', true),
  ('deployment_events', 'Deployments and their progress.',
   '{"event_types":["deployment","deployment_status"]}', true),
  ('pr_events', 'Pull requests, their reviews and comments.',
   '{"event_types":["pull_request","pull_request_review","pull_request_review_comment","pull_request_review_thread","pull_request_target"]}',
   true),
  ('issue_events', 'Issues and their comments.',
   '{"event_types":["Comment","Issue","issue_comment","issues"]}', true),
  ('high_priority', 'What is of high or critical priority.',
   '{"min_priority":"high"}', true);

CREATE TABLE stream_subscriptions (
  id uuid PRIMARY KEY,
  stream_name text COLLATE "C" NOT NULL
    REFERENCES event_streams (name) ON DELETE CASCADE,
  subscriber_id text NOT NULL,
  type text COLLATE "C" NOT NULL
    CHECK (type IN ('webhook', 'nats', 'kafka', 'websocket', 'sse', 'callback')),
  url text,
  filter json NOT NULL DEFAULT '{}',
  secrets json NOT NULL DEFAULT '[]',
  format text COLLATE "C" NOT NULL DEFAULT 'native'
    CHECK (format IN ('native', 'cloudevents')),
  ordered boolean NOT NULL DEFAULT false,
  headers json NOT NULL DEFAULT '[]',
  max_concurrent integer NOT NULL DEFAULT 0 CHECK (max_concurrent >= 0),
  rate_per_second double precision NOT NULL DEFAULT 0
    CHECK (rate_per_second >= 0),
  active boolean NOT NULL DEFAULT true,
  disabled_reason text NOT NULL DEFAULT '',
  cursor_seq bigint NOT NULL DEFAULT 0 CHECK (cursor_seq >= 0),
  progress text NOT NULL DEFAULT '',
  replay text NOT NULL DEFAULT '',
  matched bigint NOT NULL DEFAULT 0,
  delivered bigint NOT NULL DEFAULT 0,
  failed bigint NOT NULL DEFAULT 0,
  given_up bigint NOT NULL DEFAULT 0,
  last_seq bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_delivery_at timestamptz,
  CHECK (type NOT IN ('webhook', 'nats', 'kafka') OR url IS NOT NULL)
);
CREATE INDEX stream_subscriptions_stream
  ON stream_subscriptions (stream_name);
COMMENT ON TABLE stream_subscriptions IS 'Durable readers of a stream.';
COMMENT ON COLUMN stream_subscriptions.id IS 'Its own id.';
COMMENT ON COLUMN stream_subscriptions.stream_name IS 'event_streams.name.';
COMMENT ON COLUMN stream_subscriptions.subscriber_id IS 'Whose it is, as the subscriber calls itself.';
COMMENT ON COLUMN stream_subscriptions.type IS 'webhook, nats or kafka; websocket, sse or callback.';
COMMENT ON COLUMN stream_subscriptions.url IS 'Where its events go.';
COMMENT ON COLUMN stream_subscriptions.filter IS 'Narrows the stream''s own filter.';
COMMENT ON COLUMN stream_subscriptions.secrets IS 'What its webhooks are signed with, the newest first.';
COMMENT ON COLUMN stream_subscriptions.format IS 'native or cloudevents.';
COMMENT ON COLUMN stream_subscriptions.ordered IS 'Deliver one after the other, in the log''s order.';
COMMENT ON COLUMN stream_subscriptions.headers IS 'Sent along with each webhook: [["name","value"],…].';
COMMENT ON COLUMN stream_subscriptions.max_concurrent IS 'Requests under way at once; 0: as configured.';
COMMENT ON COLUMN stream_subscriptions.rate_per_second IS 'Most requests a second; 0: no limit.';
COMMENT ON COLUMN stream_subscriptions.active IS 'Off: nothing is delivered and retention does not wait for it.';
COMMENT ON COLUMN stream_subscriptions.disabled_reason IS 'Why the hub itself switched it off; empty if it did not.';
COMMENT ON COLUMN stream_subscriptions.cursor_seq IS 'Everything up to this seq has been dealt with; retention keeps what follows.';
COMMENT ON COLUMN stream_subscriptions.progress IS 'How far the log was looked at, and what of it is still open; empty: cursor_seq says it.';
COMMENT ON COLUMN stream_subscriptions.replay IS 'A replay that is not through with the log; empty: none.';
COMMENT ON COLUMN stream_subscriptions.matched IS 'Events that it wanted so far.';
COMMENT ON COLUMN stream_subscriptions.delivered IS 'Events that arrived.';
COMMENT ON COLUMN stream_subscriptions.failed IS 'Attempts that failed.';
COMMENT ON COLUMN stream_subscriptions.given_up IS 'Events that became dead letters.';
COMMENT ON COLUMN stream_subscriptions.last_seq IS 'events.seq of the newest event that arrived.';
COMMENT ON COLUMN stream_subscriptions.created_at IS 'When it was made.';
COMMENT ON COLUMN stream_subscriptions.last_delivery_at IS 'When something was last delivered.';

CREATE TABLE event_deliveries (
  id uuid NOT NULL,
  subscription_id uuid NOT NULL,
  event_id uuid NOT NULL,
  event_created_at timestamptz NOT NULL,
  event_seq bigint NOT NULL,
  attempt integer NOT NULL CHECK (attempt > 0),
  status text COLLATE "C" NOT NULL
    CHECK (status IN ('pending', 'delivered', 'failed')),
  response_status integer,
  response_body text,
  error_message text,
  duration double precision,
  created_at timestamptz NOT NULL DEFAULT now(),
  next_attempt_at timestamptz,
  PRIMARY KEY (id, event_created_at)
) PARTITION BY RANGE (event_created_at);
CREATE INDEX event_deliveries_subscription
  ON event_deliveries (subscription_id, id);
COMMENT ON TABLE event_deliveries IS 'Attempts to hand an event to a subscription.';
COMMENT ON COLUMN event_deliveries.id IS 'Its own id; later attempts have greater ones.';
COMMENT ON COLUMN event_deliveries.subscription_id IS 'stream_subscriptions.id.';
COMMENT ON COLUMN event_deliveries.event_id IS 'events.id.';
COMMENT ON COLUMN event_deliveries.event_created_at IS 'events.created_at; this table is partitioned by it.';
COMMENT ON COLUMN event_deliveries.event_seq IS 'events.seq.';
COMMENT ON COLUMN event_deliveries.attempt IS 'Which attempt it was, from 1.';
COMMENT ON COLUMN event_deliveries.status IS 'pending (another attempt will follow), delivered or failed (given up).';
COMMENT ON COLUMN event_deliveries.response_status IS 'The HTTP status that came back.';
COMMENT ON COLUMN event_deliveries.response_body IS 'The start of what came back.';
COMMENT ON COLUMN event_deliveries.error_message IS 'What went wrong.';
COMMENT ON COLUMN event_deliveries.duration IS 'Seconds the attempt took.';
COMMENT ON COLUMN event_deliveries.created_at IS 'When the attempt was made.';
COMMENT ON COLUMN event_deliveries.next_attempt_at IS 'When the next one is due.';
