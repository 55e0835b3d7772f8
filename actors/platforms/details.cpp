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
                        "/deployment/sha", "/comment/commit_id", "/sha"});
  // A branch that was deleted points nowhere.
  if (sha.find_first_not_of('0') == std::string::npos)
    sha.clear();
  return sha;
}

std::string branch_of(element root) {
  constexpr std::string_view heads = "refs/heads/";
  const auto ref = codec::string_at(root, "/ref");
  if (ref.starts_with(heads))
    return ref.substr(heads.size());
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
      .text("branch_name", {"/deployment/ref"})
      .text("deployment_url", {"/deployment_status/environment_url",
                               "/deployment_status/target_url"})
      .text("log_url", {"/deployment_status/log_url"})
      .time("started_at", {"/deployment/created_at"});
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

event_details linear_details(element root) {
  const auto type = codec::string_at(root, "/type");
  const bool issue = type == "Issue";
  detail_writer out{root};
  out.text("type", {"/type"})
      .text("action", {"/action"})
      .text("organization_id", {"/organizationId"})
      .text("team_id", {"/data/team/id", "/data/teamId", "/data/issue/team/id",
                        "/data/issue/teamId", "/data/teamIds/0"})
      .text("team_key", {"/data/team/key", "/data/issue/team/key"});
  if (issue)
    out.text("issue_id", {"/data/id"}).number("issue_number", {"/data/number"});
  else
    out.text("issue_id", {"/data/issue/id", "/data/issueId"})
        .number("issue_number", {"/data/issue/number"});
  out.text("identifier", {"/data/identifier", "/data/issue/identifier"})
      .text("project_id", {type == "Project" ? "/data/id" : "/data/project/id",
                           "/data/projectId"})
      .text("cycle_id",
            {type == "Cycle" ? "/data/id" : "/data/cycle/id", "/data/cycleId"})
      .text("title", {"/data/title", "/data/issue/title", "/data/name"})
      .text("state", {"/data/state/name", "/data/state", "/data/status/name"})
      .number("priority", {"/data/priority"})
      .list("labels", {"/data/labels"}, "name")
      .text("assignee", {"/data/assignee/name"})
      .object("updated_from", "/updatedFrom");
  event_details details;
  details.linear = std::move(out).finish();
  return details;
}

event_details slack_details(element root, const event& ev) {
  detail_writer out{root};
  out.value("type", ev.event_type)
      .value("workspace_id", ev.source_id)
      .text("channel_id",
            {"/event/channel", "/event/channel/id", "/event/channel_id",
             "/event/item/channel", "/channel_id", "/channel/id",
             "/container/channel_id"})
      .value("user_id", ev.actor_id)
      .text("thread_ts", {"/event/thread_ts", "/event/message/thread_ts",
                          "/message/thread_ts", "/container/thread_ts"})
      .text("message_ts", {"/event/ts", "/event/item/ts", "/message/ts",
                           "/container/message_ts"})
      .text("text", {"/event/text", "/event/message/text", "/text"}, max_text)
      .text("subtype", {"/event/subtype"})
      .text("bot_id", {"/event/bot_id", "/event/message/bot_id"});
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
      .number("pull_request_number", {"/pull_request", "/pull_request/number"});
  event_details details;
  details.deployment = std::move(out).finish();
  return details;
}

} // namespace eventweft::platforms
