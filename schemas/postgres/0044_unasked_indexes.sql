-- SPDX-License-Identifier: Apache-2.0
-- Indexes that no query of the program, of a view or of the documents asks;
-- each took its time at every append. Who asks by such a column makes one
-- (docs/operate.md).

DROP INDEX github_events_issue_number;
DROP INDEX github_events_commit_sha;
DROP INDEX linear_events_identifier;
DROP INDEX slack_events_thread_ts;
DROP INDEX deployment_events_environment;
DROP INDEX deployment_events_commit_sha;
