-- SPDX-License-Identifier: Apache-2.0
-- What the events of each platform are about, in columns: one row an event,
-- written in the event's own transaction.

CREATE TABLE github_events (
  event_seq bigint NOT NULL,
  event_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  event text COLLATE "C",
  action text COLLATE "C",
  repository_id bigint,
  repository_name text COLLATE "C",
  organization text COLLATE "C",
  installation_id bigint,
  pr_number integer,
  issue_number integer,
  commit_sha text COLLATE "C",
  branch text COLLATE "C",
  title text,
  state text COLLATE "C",
  labels text[],
  assignees text[],
  PRIMARY KEY (event_seq, created_at)
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE github_events IS 'What GitHub webhooks are about.';
COMMENT ON COLUMN github_events.event_seq IS 'events.seq.';
COMMENT ON COLUMN github_events.event_id IS 'events.id.';
COMMENT ON COLUMN github_events.created_at IS 'events.created_at; both tables are partitioned by it.';
COMMENT ON COLUMN github_events.event IS 'X-GitHub-Event.';
COMMENT ON COLUMN github_events.action IS 'The payloads action.';
COMMENT ON COLUMN github_events.repository_id IS 'Repository.';
COMMENT ON COLUMN github_events.repository_name IS 'owner/name.';
COMMENT ON COLUMN github_events.organization IS 'Login of the organization.';
COMMENT ON COLUMN github_events.installation_id IS 'GitHub App installation.';
COMMENT ON COLUMN github_events.pr_number IS 'Number of the pull request it is about.';
COMMENT ON COLUMN github_events.issue_number IS 'Number of the issue it is about.';
COMMENT ON COLUMN github_events.commit_sha IS 'Head commit.';
COMMENT ON COLUMN github_events.branch IS 'Branch or head ref.';
COMMENT ON COLUMN github_events.title IS 'Title of the pull request or issue.';
COMMENT ON COLUMN github_events.state IS 'State of the pull request, issue, review, check or deployment.';
COMMENT ON COLUMN github_events.labels IS 'Names of its labels.';
COMMENT ON COLUMN github_events.assignees IS 'Logins of its assignees.';
CREATE INDEX github_events_pr_number ON github_events (repository_name, pr_number) WHERE pr_number IS NOT NULL;
CREATE INDEX github_events_issue_number ON github_events (repository_name, issue_number) WHERE issue_number IS NOT NULL;
CREATE INDEX github_events_commit_sha ON github_events (commit_sha) WHERE commit_sha IS NOT NULL;

CREATE TABLE linear_events (
  event_seq bigint NOT NULL,
  event_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  type text COLLATE "C",
  action text COLLATE "C",
  organization_id text COLLATE "C",
  team_id text COLLATE "C",
  team_key text COLLATE "C",
  issue_id text COLLATE "C",
  issue_number integer,
  identifier text COLLATE "C",
  project_id text COLLATE "C",
  cycle_id text COLLATE "C",
  title text,
  state text COLLATE "C",
  priority integer,
  labels text[],
  assignee text COLLATE "C",
  updated_from json,
  PRIMARY KEY (event_seq, created_at)
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE linear_events IS 'What Linear webhooks are about.';
COMMENT ON COLUMN linear_events.event_seq IS 'events.seq.';
COMMENT ON COLUMN linear_events.event_id IS 'events.id.';
COMMENT ON COLUMN linear_events.created_at IS 'events.created_at; both tables are partitioned by it.';
COMMENT ON COLUMN linear_events.type IS 'Entity type: Issue, Comment, Project, ….';
COMMENT ON COLUMN linear_events.action IS 'create, update or remove.';
COMMENT ON COLUMN linear_events.organization_id IS 'Linear organization.';
COMMENT ON COLUMN linear_events.team_id IS 'Team.';
COMMENT ON COLUMN linear_events.team_key IS 'Key of the team, as in ENG.';
COMMENT ON COLUMN linear_events.issue_id IS 'Issue.';
COMMENT ON COLUMN linear_events.issue_number IS 'Number of the issue within its team.';
COMMENT ON COLUMN linear_events.identifier IS 'Key and number, as in ENG-42.';
COMMENT ON COLUMN linear_events.project_id IS 'Project.';
COMMENT ON COLUMN linear_events.cycle_id IS 'Cycle.';
COMMENT ON COLUMN linear_events.title IS 'Title.';
COMMENT ON COLUMN linear_events.state IS 'Name of the workflow state.';
COMMENT ON COLUMN linear_events.priority IS '0 none, 1 urgent … 4 low.';
COMMENT ON COLUMN linear_events.labels IS 'Names of its labels.';
COMMENT ON COLUMN linear_events.assignee IS 'Name of the assignee.';
COMMENT ON COLUMN linear_events.updated_from IS 'Previous values, for an update.';
CREATE INDEX linear_events_identifier ON linear_events (identifier) WHERE identifier IS NOT NULL;

CREATE TABLE slack_events (
  event_seq bigint NOT NULL,
  event_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  type text COLLATE "C",
  workspace_id text COLLATE "C",
  channel_id text COLLATE "C",
  user_id text COLLATE "C",
  thread_ts text COLLATE "C",
  message_ts text COLLATE "C",
  text text,
  subtype text COLLATE "C",
  bot_id text COLLATE "C",
  PRIMARY KEY (event_seq, created_at)
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE slack_events IS 'What Slack events are about.';
COMMENT ON COLUMN slack_events.event_seq IS 'events.seq.';
COMMENT ON COLUMN slack_events.event_id IS 'events.id.';
COMMENT ON COLUMN slack_events.created_at IS 'events.created_at; both tables are partitioned by it.';
COMMENT ON COLUMN slack_events.type IS 'Inner event type, command or interaction.';
COMMENT ON COLUMN slack_events.workspace_id IS 'Team.';
COMMENT ON COLUMN slack_events.channel_id IS 'Channel.';
COMMENT ON COLUMN slack_events.user_id IS 'User.';
COMMENT ON COLUMN slack_events.thread_ts IS 'Thread the message is in.';
COMMENT ON COLUMN slack_events.message_ts IS 'Timestamp that identifies the message.';
COMMENT ON COLUMN slack_events.text IS 'Text of the message.';
COMMENT ON COLUMN slack_events.subtype IS 'Subtype of the message.';
COMMENT ON COLUMN slack_events.bot_id IS 'Bot that sent it.';
CREATE INDEX slack_events_thread_ts ON slack_events (channel_id, thread_ts) WHERE thread_ts IS NOT NULL;

CREATE TABLE deployment_events (
  event_seq bigint NOT NULL,
  event_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  deployment_id text COLLATE "C",
  environment text COLLATE "C",
  status text COLLATE "C",
  repository_name text COLLATE "C",
  commit_sha text COLLATE "C",
  branch_name text COLLATE "C",
  deployment_url text COLLATE "C",
  log_url text COLLATE "C",
  started_at timestamptz,
  completed_at timestamptz,
  pull_request_number integer,
  PRIMARY KEY (event_seq, created_at)
) PARTITION BY RANGE (created_at);
COMMENT ON TABLE deployment_events IS 'What deployments are about, from our own webhook and from GitHubs.';
COMMENT ON COLUMN deployment_events.event_seq IS 'events.seq.';
COMMENT ON COLUMN deployment_events.event_id IS 'events.id.';
COMMENT ON COLUMN deployment_events.created_at IS 'events.created_at; both tables are partitioned by it.';
COMMENT ON COLUMN deployment_events.deployment_id IS 'Id of the deployment.';
COMMENT ON COLUMN deployment_events.environment IS 'Where it goes: production, staging, ….';
COMMENT ON COLUMN deployment_events.status IS 'pending, in_progress, success, failure, ….';
COMMENT ON COLUMN deployment_events.repository_name IS 'owner/name.';
COMMENT ON COLUMN deployment_events.commit_sha IS 'Commit that is deployed.';
COMMENT ON COLUMN deployment_events.branch_name IS 'Branch that is deployed.';
COMMENT ON COLUMN deployment_events.deployment_url IS 'Where the result can be seen.';
COMMENT ON COLUMN deployment_events.log_url IS 'Where its log can be read.';
COMMENT ON COLUMN deployment_events.started_at IS 'When it began.';
COMMENT ON COLUMN deployment_events.completed_at IS 'When it ended.';
COMMENT ON COLUMN deployment_events.pull_request_number IS 'Pull request that caused it.';
CREATE INDEX deployment_events_environment ON deployment_events (environment, event_seq);
CREATE INDEX deployment_events_commit_sha ON deployment_events (commit_sha) WHERE commit_sha IS NOT NULL;
