-- SPDX-License-Identifier: Apache-2.0
-- What the events of each platform are about, in columns: one row an event,
-- written in the event's own transaction. Lists are JSON arrays.

CREATE TABLE github_events (
  event_seq INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL,
  created_at TEXT NOT NULL,
  event TEXT,
  action TEXT,
  repository_id INTEGER,
  repository_name TEXT,
  organization TEXT,
  installation_id INTEGER,
  pr_number INTEGER,
  issue_number INTEGER,
  commit_sha TEXT,
  branch TEXT,
  title TEXT,
  state TEXT,
  labels TEXT,
  assignees TEXT
) STRICT;
CREATE INDEX github_events_pr_number ON github_events (repository_name, pr_number) WHERE pr_number IS NOT NULL;
CREATE INDEX github_events_issue_number ON github_events (repository_name, issue_number) WHERE issue_number IS NOT NULL;
CREATE INDEX github_events_commit_sha ON github_events (commit_sha) WHERE commit_sha IS NOT NULL;

CREATE TABLE linear_events (
  event_seq INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL,
  created_at TEXT NOT NULL,
  type TEXT,
  action TEXT,
  organization_id TEXT,
  team_id TEXT,
  team_key TEXT,
  issue_id TEXT,
  issue_number INTEGER,
  identifier TEXT,
  project_id TEXT,
  cycle_id TEXT,
  title TEXT,
  state TEXT,
  priority INTEGER,
  labels TEXT,
  assignee TEXT,
  updated_from TEXT
) STRICT;
CREATE INDEX linear_events_identifier ON linear_events (identifier) WHERE identifier IS NOT NULL;

CREATE TABLE slack_events (
  event_seq INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL,
  created_at TEXT NOT NULL,
  type TEXT,
  workspace_id TEXT,
  channel_id TEXT,
  user_id TEXT,
  thread_ts TEXT,
  message_ts TEXT,
  text TEXT,
  subtype TEXT,
  bot_id TEXT
) STRICT;
CREATE INDEX slack_events_thread_ts ON slack_events (channel_id, thread_ts) WHERE thread_ts IS NOT NULL;

CREATE TABLE deployment_events (
  event_seq INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL,
  created_at TEXT NOT NULL,
  deployment_id TEXT,
  environment TEXT,
  status TEXT,
  repository_name TEXT,
  commit_sha TEXT,
  branch_name TEXT,
  deployment_url TEXT,
  log_url TEXT,
  started_at TEXT,
  completed_at TEXT,
  pull_request_number INTEGER
) STRICT;
CREATE INDEX deployment_events_environment ON deployment_events (environment);
CREATE INDEX deployment_events_commit_sha ON deployment_events (commit_sha) WHERE commit_sha IS NOT NULL;
