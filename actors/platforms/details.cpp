// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/details.hpp"

#include "actors/platforms/base_platform.hpp"
#include "codec/json_text.hpp"
#include "messages/time.hpp"

#include <initializer_list>
#include <limits>
#include <optional>
#include <string>

namespace eventweft::platforms {

namespace {

using simdjson::dom::element;
using pointers = std::initializer_list<std::string_view>;

constexpr size_t max_text = 8'192;
constexpr size_t max_list = 100;
constexpr size_t max_json = 64u << 10;
constexpr int64_t int_max = std::numeric_limits<int32_t>::max();

class detail_writer {
 public:
  explicit detail_writer(element root) : root_(root) {}

  detail_writer& text(std::string_view column, pointers from,
                      size_t limit = max_field) {
    return value(column, first_text(root_, from), limit);
  }

  detail_writer& value(std::string_view column, std::string_view text,
                       size_t limit = max_field) {
    if (text.empty())
      return *this;
    std::string json;
    codec::append_quoted(json, clean_text(text, limit));
    out_.raw(column, json);
    return *this;
  }

  detail_writer& number(std::string_view column, pointers from,
                        int64_t highest = int_max) {
    for (auto pointer : from) {
      int64_t found = 0;
      if (root_.at_pointer(pointer).get_int64().get(found) || found < 0 ||
          found > highest)
        continue;
      out_.raw(column, std::to_string(found));
      break;
    }
    return *this;
  }

  detail_writer& time(std::string_view column, pointers from) {
    if (const auto found = parse_rfc3339(first_text(root_, from)))
      value(column, to_rfc3339(*found));
    return *this;
  }

  /// The member `key` of each object in the first list that is there.
  detail_writer& list(std::string_view column, pointers from,
                      std::string_view key) {
    for (auto pointer : from) {
      simdjson::dom::array array;
      if (root_.at_pointer(pointer).get_array().get(array))
        continue;
      std::string json = "[";
      size_t count = 0;
      for (const auto item : array) {
        std::string_view name;
        if (count == max_list || item[key].get_string().get(name))
          continue;
        if (count++ > 0)
          json.push_back(',');
        codec::append_quoted(json, clean_text(name));
      }
      out_.raw(column, json + "]");
      break;
    }
    return *this;
  }

  detail_writer& object(std::string_view column, std::string_view pointer) {
    simdjson::dom::object found;
    if (root_.at_pointer(pointer).get_object().get(found))
      return *this;
    if (const auto json = simdjson::minify(found); json.size() <= max_json)
      out_.raw(column, json);
    return *this;
  }

  std::string finish() && { return std::move(out_).finish(); }

 private:
  element root_;
  metadata_writer out_;
};

bool has(element root, std::string_view pointer) {
  return !root.at_pointer(pointer).error();
}

std::string commit_of(element root) {
  auto sha =
      first_text(root, {"/pull_request/head/sha", "/after", "/head_commit/id",
                        "/check_run/head_sha", "/check_suite/head_sha",
                        "/workflow_run/head_sha", "/workflow_job/head_sha",
                        "/merge_group/head_sha", "/deployment/sha",
                        "/comment/commit_id", "/sha"});
  // A branch that was deleted points nowhere.
  if (sha.find_first_not_of('0') == std::string::npos)
    sha.clear();
  return sha;
}

std::string branch_of(element root) {
  constexpr std::string_view heads = "refs/heads/";
  for (const auto* whole : {"/ref", "/merge_group/head_ref"})
    if (const auto ref = codec::string_at(root, whole); ref.starts_with(heads))
      return ref.substr(heads.size());
  const auto ref = codec::string_at(root, "/ref");
  if (codec::string_at(root, "/ref_type") == "branch")
    return ref;
  return first_text(root, {"/pull_request/head/ref", "/check_suite/head_branch",
                           "/check_run/check_suite/head_branch",
                           "/workflow_run/head_branch",
                           "/workflow_job/head_branch", "/deployment/ref"});
}

bool is_final(std::string_view state) noexcept {
  return state == "success" || state == "failure" || state == "error";
}

std::string github_deployment(element root) {
  auto state = codec::string_at(root, "/deployment_status/state");
  const bool final = is_final(state);
  detail_writer out{root};
  out.text("deployment_id", {"/deployment/id"})
      .text("environment",
            {"/deployment/environment", "/deployment_status/environment"})
      .value("status", state.empty() ? "pending" : state)
      .text("repository_name", {"/repository/full_name"})
      .text("commit_sha", {"/deployment/sha"})
      // What a workflow deploys, `ref` may name as a commit or by the branch
      // that the workflow is from.
      .text("branch_name", {"/workflow_run/head_branch", "/deployment/ref"})
      .text("deployment_url", {"/deployment_status/environment_url",
                               "/deployment_status/target_url"})
      .text("log_url", {"/deployment_status/log_url"})
      .time("started_at", {"/deployment/created_at"});
  out.number("pull_request_number", {"/workflow_run/pull_requests/0/number"});
  if (final)
    out.time("completed_at", {"/deployment_status/created_at"});
  return std::move(out).finish();
}

} // namespace

event_details github_details(element root, std::string_view event) {
  constexpr auto any = std::numeric_limits<int64_t>::max();
  // GitHub's comments on a pull request call it an issue.
  const bool issue_is_pull_request = has(root, "/issue/pull_request");
  detail_writer out{root};
  out.value("event", event)
      .text("action", {"/action"})
      .number("repository_id", {"/repository/id"}, any)
      .text("repository_name", {"/repository/full_name"})
      .text("organization", {"/organization/login"})
      .number("installation_id", {"/installation/id"}, any);
  if (issue_is_pull_request)
    out.number("pr_number", {"/issue/number"});
  else
    out.number("pr_number",
               {"/pull_request/number", "/check_run/pull_requests/0/number",
                "/check_suite/pull_requests/0/number",
                "/workflow_run/pull_requests/0/number"})
        .number("issue_number", {"/issue/number"});
  out.value("commit_sha", commit_of(root))
      .value("branch", branch_of(root))
      .text("title",
            {"/pull_request/title", "/issue/title", "/discussion/title"})
      .text("state",
            {"/review/state", "/deployment_status/state",
             "/check_run/conclusion", "/check_run/status",
             "/check_suite/conclusion", "/check_suite/status",
             "/workflow_run/conclusion", "/workflow_run/status",
             "/workflow_job/conclusion", "/workflow_job/status",
             "/pull_request/state", "/issue/state", "/alert/state", "/state"})
      .list("labels", {"/pull_request/labels", "/issue/labels"}, "name")
      .list("assignees", {"/pull_request/assignees", "/issue/assignees"},
            "login");
  event_details details;
  details.github = std::move(out).finish();
  if (event == "deployment" || event == "deployment_status")
    details.deployment = github_deployment(root);
  return details;
}

std::string linear_issue(element root) {
  const auto type = codec::string_at(root, "/type");
  if (type == "Issue")
    return "/data";
  if (type == "IssueSLA")
    return "/issueData";
  if (type == "AgentSessionEvent")
    return "/agentSession/issue";
  if (type == "AppUserNotification")
    return "/notification/issue";
  // A reaction to a comment knows only the comment.
  if (!has(root, "/data/issue") && has(root, "/data/comment/issue"))
    return "/data/comment/issue";
  return "/data/issue";
}

std::string linear_identifier(element root) {
  const auto issue = linear_issue(root);
  auto found = first_text(root, {"/data/identifier", issue + "/identifier"});
  if (!found.empty())
    return found;
  const auto team = codec::string_at(root, issue + "/team/key");
  int64_t number = 0;
  if (team.empty() ||
      root.at_pointer(issue + "/number").get_int64().get(number))
    return {};
  return team + "-" + std::to_string(number);
}

event_details linear_details(element root) {
  const auto type = codec::string_at(root, "/type");
  const auto issue = linear_issue(root);
  // What the event is about, where that is not what `data` says.
  const std::string subject = type == "IssueSLA" ? issue : "/data";
  detail_writer out{root};
  out.text("type", {"/type"})
      .text("action", {"/action"})
      .text("organization_id", {"/organizationId"})
      .text("team_id", {"/data/team/id", "/data/teamId", issue + "/team/id",
                        issue + "/teamId", "/data/teamIds/0"})
      .text("team_key", {"/data/team/key", issue + "/team/key"})
      .text("issue_id",
            {issue + "/id", "/data/issueId", "/data/comment/issueId",
             "/agentSession/issueId", "/notification/issueId"})
      .number("issue_number", {issue + "/number"})
      .value("identifier", linear_identifier(root))
      .text("project_id", {type == "Project" ? "/data/id" : "/data/project/id",
                           "/data/projectId"})
      .text("cycle_id",
            {type == "Cycle" ? "/data/id" : "/data/cycle/id", "/data/cycleId"})
      .text("title", {"/data/title", issue + "/title", "/data/name"})
      .text("state", {subject + "/state/name", subject + "/state",
                      subject + "/status/name"})
      .number("priority", {subject + "/priority"})
      .list("labels", {subject + "/labels"}, "name")
      .text("assignee", {subject + "/assignee/name"})
      .object("updated_from", "/updatedFrom");
  event_details details;
  details.linear = std::move(out).finish();
  return details;
}

std::string slack_user(element root) {
  return first_text(root,
                    {"/event/user", "/event/user/id", "/event/user_id",
                     "/event/message/user", "/event/previous_message/user",
                     "/event/assistant_thread/user_id",
                     "/event/subteam/created_by", "/user_id", "/user/id"});
}

std::string slack_channel(element root) {
  return first_text(root, {"/event/channel", "/event/channel/id",
                           "/event/channel_id", "/event/item/channel",
                           "/event/assistant_thread/channel_id", "/channel_id",
                           "/channel/id", "/container/channel_id"});
}

event_details slack_details(element root, const event& ev) {
  // Of a message that was changed or deleted, the envelope's own time is that
  // of the change.
  const bool deleted =
      codec::string_at(root, "/event/subtype") == "message_deleted";
  const std::string message =
      deleted ? "/event/previous_message" : "/event/message";
  detail_writer out{root};
  out.value("type", ev.event_type)
      .value("workspace_id", ev.source_id)
      .value("channel_id", slack_channel(root))
      .value("user_id", slack_user(root))
      .text("thread_ts", {"/event/thread_ts", message + "/thread_ts",
                          "/event/assistant_thread/thread_ts",
                          "/message/thread_ts", "/container/thread_ts"})
      .text("message_ts",
            {"/event/deleted_ts", message + "/ts", "/event/message_ts",
             "/event/ts", "/event/item/ts", "/event/item/message/ts",
             "/message/ts", "/message_ts", "/container/message_ts"})
      .text("text",
            {"/event/text", message + "/text", "/message/text", "/text"},
            max_text)
      .text("subtype", {"/event/subtype"})
      .text("bot_id", {"/event/bot_id", message + "/bot_id"});
  event_details details;
  details.slack = std::move(out).finish();
  return details;
}

event_details deployment_details(element root) {
  detail_writer out{root};
  out.text("deployment_id", {"/deployment_id"})
      .text("environment", {"/environment"})
      .text("status", {"/status"})
      .text("repository_name", {"/repository_name"})
      .text("commit_sha", {"/commit_sha"})
      .text("branch_name", {"/branch_name"})
      .text("deployment_url", {"/deployment_url"}, max_text)
      .text("log_url", {"/log_url"}, max_text)
      .time("started_at", {"/started_at"})
      .time("completed_at", {"/completed_at"})
      .number("pull_request_number",
              {"/pull_request", "/pull_request/number", "/pull_request_number",
               "/pull_request_number/number"});
  event_details details;
  details.deployment = std::move(out).finish();
  return details;
}

} // namespace eventweft::platforms
