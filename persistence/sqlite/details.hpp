// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"

#include <array>
#include <string_view>

namespace eventweft::sqlite {

/// How one member of `event_details` becomes a row. Parameters of the
/// statement: seq, id, created_at and the JSON object.
struct detail_table {
  std::string event_details::*member;
  std::string_view insert;
};

inline constexpr std::array<detail_table, 4> detail_tables{{
    {&event_details::github,
     "INSERT INTO github_events (event_seq, event_id, created_at, event,"
     " action, repository_id, repository_name, organization, "
     "installation_id, pr_number, issue_number, commit_sha, branch, "
     "title, state, labels, assignees) SELECT ?1, ?2, ?3, CAST(d ->> "
     "'event' AS TEXT), CAST(d ->> 'action' AS TEXT), CAST(d ->> "
     "'repository_id' AS INTEGER), CAST(d ->> 'repository_name' AS "
     "TEXT), CAST(d ->> 'organization' AS TEXT), CAST(d ->> "
     "'installation_id' AS INTEGER), CAST(d ->> 'pr_number' AS INTEGER),"
     " CAST(d ->> 'issue_number' AS INTEGER), CAST(d ->> 'commit_sha' AS"
     " TEXT), CAST(d ->> 'branch' AS TEXT), CAST(d ->> 'title' AS TEXT),"
     " CAST(d ->> 'state' AS TEXT), CAST(d ->> 'labels' AS TEXT), CAST(d"
     " ->> 'assignees' AS TEXT) FROM (SELECT CAST(?4 AS TEXT) AS d)"},
    {&event_details::linear,
     "INSERT INTO linear_events (event_seq, event_id, created_at, type, "
     "action, organization_id, team_id, team_key, issue_id, "
     "issue_number, identifier, project_id, cycle_id, title, state, "
     "priority, labels, assignee, updated_from) SELECT ?1, ?2, ?3, "
     "CAST(d ->> 'type' AS TEXT), CAST(d ->> 'action' AS TEXT), CAST(d "
     "->> 'organization_id' AS TEXT), CAST(d ->> 'team_id' AS TEXT), "
     "CAST(d ->> 'team_key' AS TEXT), CAST(d ->> 'issue_id' AS TEXT), "
     "CAST(d ->> 'issue_number' AS INTEGER), CAST(d ->> 'identifier' AS "
     "TEXT), CAST(d ->> 'project_id' AS TEXT), CAST(d ->> 'cycle_id' AS "
     "TEXT), CAST(d ->> 'title' AS TEXT), CAST(d ->> 'state' AS TEXT), "
     "CAST(d ->> 'priority' AS INTEGER), CAST(d ->> 'labels' AS TEXT), "
     "CAST(d ->> 'assignee' AS TEXT), CAST(d ->> 'updated_from' AS TEXT)"
     " FROM (SELECT CAST(?4 AS TEXT) AS d)"},
    {&event_details::slack,
     "INSERT INTO slack_events (event_seq, event_id, created_at, type, "
     "workspace_id, channel_id, user_id, thread_ts, message_ts, text, "
     "subtype, bot_id) SELECT ?1, ?2, ?3, CAST(d ->> 'type' AS TEXT), "
     "CAST(d ->> 'workspace_id' AS TEXT), CAST(d ->> 'channel_id' AS "
     "TEXT), CAST(d ->> 'user_id' AS TEXT), CAST(d ->> 'thread_ts' AS "
     "TEXT), CAST(d ->> 'message_ts' AS TEXT), CAST(d ->> 'text' AS "
     "TEXT), CAST(d ->> 'subtype' AS TEXT), CAST(d ->> 'bot_id' AS TEXT)"
     " FROM (SELECT CAST(?4 AS TEXT) AS d)"},
    {&event_details::deployment,
     "INSERT INTO deployment_events (event_seq, event_id, created_at, "
     "deployment_id, environment, status, repository_name, commit_sha, "
     "branch_name, deployment_url, log_url, started_at, completed_at, "
     "pull_request_number) SELECT ?1, ?2, ?3, CAST(d ->> 'deployment_id'"
     " AS TEXT), CAST(d ->> 'environment' AS TEXT), CAST(d ->> 'status' "
     "AS TEXT), CAST(d ->> 'repository_name' AS TEXT), CAST(d ->> "
     "'commit_sha' AS TEXT), CAST(d ->> 'branch_name' AS TEXT), CAST(d "
     "->> 'deployment_url' AS TEXT), CAST(d ->> 'log_url' AS TEXT), "
     "CAST(d ->> 'started_at' AS TEXT), CAST(d ->> 'completed_at' AS "
     "TEXT), CAST(d ->> 'pull_request_number' AS INTEGER) FROM (SELECT "
     "CAST(?4 AS TEXT) AS d)"},
}};

} // namespace eventweft::sqlite
