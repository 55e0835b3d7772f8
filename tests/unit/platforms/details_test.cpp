// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/details.hpp"

#include <gtest/gtest.h>

namespace eventweft::platforms {
namespace {

class details_test : public ::testing::Test {
 protected:
  simdjson::dom::element parse(std::string_view json) {
    return parser_.parse(json.data(), json.size());
  }

  simdjson::dom::parser parser_;
};

TEST_F(details_test, of_a_pull_request) {
  const auto d = github_details(
      parse(R"({"action":"opened","pull_request":{"number":12,"title":"Add",)"
            R"("state":"open","head":{"sha":"6113728f","ref":"topic"},)"
            R"("labels":[{"name":"bug"},{"name":"a\"b"},{}],)"
            R"("assignees":[{"login":"ann"}]},)"
            R"("repository":{"id":186853002,"full_name":"octo/repo"},)"
            R"("organization":{"login":"octo"},"installation":{"id":77}})"),
      "pull_request");
  EXPECT_EQ(
      d.github,
      R"({"event":"pull_request","action":"opened","repository_id":186853002,)"
      R"("repository_name":"octo/repo","organization":"octo",)"
      R"("installation_id":77,"pr_number":12,"commit_sha":"6113728f",)"
      R"("branch":"topic","title":"Add","state":"open",)"
      R"("labels":["bug","a\"b"],"assignees":["ann"]})");
  EXPECT_TRUE(d.deployment.empty());
}

TEST_F(details_test, of_a_comment_on_a_pull_request) {
  EXPECT_EQ(
      github_details(parse(R"({"issue":{"number":3,"pull_request":{}}})"), "x")
          .github,
      R"({"event":"x","pr_number":3})");
  EXPECT_EQ(github_details(parse(R"({"issue":{"number":3}})"), "x").github,
            R"({"event":"x","issue_number":3})");
}

TEST_F(details_test, of_a_push) {
  EXPECT_EQ(
      github_details(parse(R"({"ref":"refs/heads/a/b","after":"61"})"), "push")
          .github,
      R"({"event":"push","commit_sha":"61","branch":"a/b"})");
  // A deleted branch and a tag.
  EXPECT_EQ(
      github_details(parse(R"({"ref":"refs/heads/a","after":"0000"})"), "push")
          .github,
      R"({"event":"push","branch":"a"})");
  EXPECT_EQ(
      github_details(parse(R"({"ref":"refs/tags/v1","after":"61"})"), "push")
          .github,
      R"({"event":"push","commit_sha":"61"})");
}

TEST_F(details_test, of_githubs_own_deployments) {
  const auto d = github_details(
      parse(
          R"({"deployment":{"id":7,"environment":"production","sha":"61",)"
          R"("ref":"main","created_at":"2026-01-31T12:00:00Z"},)"
          R"("deployment_status":{"state":"success","log_url":"l",)"
          R"("environment_url":"e","created_at":"2026-01-31T13:00:00+01:00"},)"
          R"("repository":{"full_name":"o/r"}})"),
      "deployment_status");
  EXPECT_EQ(d.deployment,
            R"({"deployment_id":"7","environment":"production",)"
            R"("status":"success","repository_name":"o/r","commit_sha":"61",)"
            R"("branch_name":"main","deployment_url":"e","log_url":"l",)"
            R"("started_at":"2026-01-31T12:00:00.000000Z",)"
            R"("completed_at":"2026-01-31T12:00:00.000000Z"})");
  EXPECT_NE(github_details(parse(R"({"deployment":{}})"), "deployment")
                .deployment.find(R"("status":"pending")"),
            std::string::npos);
}

TEST_F(details_test, of_what_a_workflow_of_a_pull_request_deploys) {
  const auto d = github_details(
      parse(R"({"deployment":{"id":7,"environment":"staging","sha":"abc1234",)"
            R"("ref":"main"},"deployment_status":{"state":"in_progress"},)"
            R"("workflow_run":{"head_branch":"topic",)"
            R"("pull_requests":[{"number":12}]}})"),
      "deployment_status");
  const auto has = [](const std::string& json, std::string_view member) {
    return json.find(member) != std::string::npos;
  };
  EXPECT_TRUE(has(d.deployment, R"("pull_request_number":12)"));
  EXPECT_TRUE(has(d.deployment, R"("branch_name":"topic")"));
  EXPECT_TRUE(has(d.github, R"("pr_number":12)"));
  EXPECT_TRUE(has(d.github, R"("branch":"topic")"));
}

TEST_F(details_test, of_a_merge_queue) {
  const auto d = github_details(
      parse(R"({"action":"checks_requested","merge_group":{)"
            R"("head_sha":"6113728f","base_ref":"refs/heads/main",)"
            R"("head_ref":"refs/heads/gh-readonly-queue/main/pr-12-abc"}})"),
      "merge_group");
  EXPECT_EQ(d.github, R"({"event":"merge_group","action":"checks_requested",)"
                      R"("commit_sha":"6113728f",)"
                      R"("branch":"gh-readonly-queue/main/pr-12-abc"})");
}

TEST_F(details_test, leave_out_what_a_column_can_not_hold) {
  EXPECT_EQ(
      github_details(parse(R"({"issue":{"number":3000000000},"repository":)"
                           R"({"id":"x"},"pull_request":{"number":-1}})"),
                     "x")
          .github,
      R"({"event":"x"})");
  EXPECT_EQ(deployment_details(parse(R"({"started_at":"soon","status":"s"})"))
                .deployment,
            R"({"status":"s"})");
  const auto longest = github_details(parse(R"({"repository":{"full_name":")" +
                                            std::string(9'000, 'x') + R"("}})"),
                                      "x");
  EXPECT_LT(longest.github.size(), 600u);
}

TEST_F(details_test, of_linear) {
  EXPECT_EQ(
      linear_details(
          parse(R"({"type":"Issue","action":"update","organizationId":"o",)"
                R"("data":{"id":"i","number":42,"identifier":"ENG-42",)"
                R"("title":"T","priority":1,"state":{"name":"Done"},)"
                R"("team":{"id":"t","key":"ENG"},"projectId":"p",)"
                R"("cycleId":"c","labels":[{"name":"bug"}],)"
                R"("assignee":{"name":"Ann"}},"updatedFrom":{"title":"S"}})"))
          .linear,
      R"({"type":"Issue","action":"update","organization_id":"o",)"
      R"("team_id":"t","team_key":"ENG","issue_id":"i","issue_number":42,)"
      R"("identifier":"ENG-42","project_id":"p","cycle_id":"c","title":"T",)"
      R"("state":"Done","priority":1,"labels":["bug"],"assignee":"Ann",)"
      R"("updated_from":{"title":"S"}})");
}

TEST_F(details_test, of_linears_projects_and_cycles) {
  EXPECT_EQ(
      linear_details(
          parse(R"({"type":"Project","action":"create","data":{"id":"p1",)"
                R"("name":"Loom","state":"started","teamIds":["t1","t2"]}})"))
          .linear,
      R"({"type":"Project","action":"create","team_id":"t1",)"
      R"("project_id":"p1","title":"Loom","state":"started"})");
  EXPECT_EQ(
      linear_details(parse(R"({"type":"Cycle","data":{"id":"c1","number":3,)"
                           R"("teamId":"t","name":"Spring"}})"))
          .linear,
      R"({"type":"Cycle","team_id":"t","cycle_id":"c1",)"
      R"("title":"Spring"})");
  EXPECT_EQ(linear_details(parse(R"({"type":"Project","data":{"id":"p1",)"
                                 R"("status":{"name":"Planned"}}})"))
                .linear,
            R"({"type":"Project","project_id":"p1","state":"Planned"})");
}

TEST_F(details_test, of_slack) {
  event ev;
  ev.event_type = "message";
  ev.source_id = "T1";
  EXPECT_EQ(
      slack_details(
          parse(R"({"event":{"type":"message","channel":"C1","text":"hi",)"
                R"("user":"U1",)"
                R"("ts":"1.2","thread_ts":"1.1","bot_id":"B1",)"
                R"("subtype":"bot_message"}})"),
          ev)
          .slack,
      R"({"type":"message","workspace_id":"T1","channel_id":"C1",)"
      R"("user_id":"U1","thread_ts":"1.1","message_ts":"1.2","text":"hi",)"
      R"("subtype":"bot_message","bot_id":"B1"})");
}

TEST_F(details_test, of_what_happens_to_slacks_messages) {
  event ev;
  ev.event_type = "message";
  const auto of = [&](std::string_view json) {
    return slack_details(parse(json), ev).slack;
  };
  // The envelope's own time is that of the change.
  EXPECT_EQ(
      of(R"({"event":{"subtype":"message_changed","channel":"C","ts":"9.9",)"
         R"("message":{"text":"new","ts":"1.2","thread_ts":"1.1"},)"
         R"("previous_message":{"text":"old","ts":"1.2"}}})"),
      R"({"type":"message","channel_id":"C","thread_ts":"1.1",)"
      R"("message_ts":"1.2","text":"new","subtype":"message_changed"})");
  // Changed into nothing but a picture.
  EXPECT_EQ(of(R"({"event":{"subtype":"message_changed","ts":"9.9","message":)"
               R"({"text":"","ts":"1.2"},"previous_message":{"text":"old"}}})"),
            R"({"type":"message","message_ts":"1.2",)"
            R"("subtype":"message_changed"})");
  EXPECT_EQ(
      of(R"({"event":{"subtype":"message_deleted","channel":"C","ts":"9.9",)"
         R"("deleted_ts":"1.2","previous_message":{"text":"old","ts":"1.2",)"
         R"("thread_ts":"1.1","bot_id":"B1"}}})"),
      R"({"type":"message","channel_id":"C","thread_ts":"1.1",)"
      R"("message_ts":"1.2","text":"old","subtype":"message_deleted",)"
      R"("bot_id":"B1"})");
  EXPECT_EQ(of(R"({"event":{"type":"link_shared","channel":"C",)"
               R"("message_ts":"1.2","thread_ts":"1.1","event_ts":"9.9"}})"),
            R"({"type":"message","channel_id":"C","thread_ts":"1.1",)"
            R"("message_ts":"1.2"})");
  EXPECT_EQ(of(R"({"type":"message_action","channel":{"id":"C"},"message":)"
               R"({"text":"hi","ts":"1.2"},"message_ts":"1.2"})"),
            R"({"type":"message","channel_id":"C","message_ts":"1.2",)"
            R"("text":"hi"})");
}

TEST_F(details_test, of_linears_events_about_an_issue) {
  const auto of = [&](std::string_view json) {
    return linear_details(parse(json)).linear;
  };
  constexpr std::string_view issue =
      R"({"id":"i7","number":7,"title":"T","team":{"id":"t","key":"ENG"},)"
      R"("state":{"name":"Todo"},"priority":2})";
  EXPECT_EQ(of(R"({"type":"AgentSessionEvent","agentSession":{"issueId":"i7",)"
               R"("issue":)" +
               std::string{issue} + "}}"),
            R"({"type":"AgentSessionEvent","team_id":"t","team_key":"ENG",)"
            R"("issue_id":"i7","issue_number":7,"identifier":"ENG-7",)"
            R"("title":"T"})");
  EXPECT_EQ(of(R"({"type":"AppUserNotification","notification":)"
               R"({"issue":{"id":"i7","identifier":"ENG-7","teamId":"t"}}})"),
            R"({"type":"AppUserNotification","team_id":"t","issue_id":"i7",)"
            R"("identifier":"ENG-7"})");
  EXPECT_EQ(of(R"({"type":"IssueSLA","action":"breached","issueData":)" +
               std::string{issue} + "}"),
            R"({"type":"IssueSLA","action":"breached","team_id":"t",)"
            R"("team_key":"ENG","issue_id":"i7","issue_number":7,)"
            R"("identifier":"ENG-7","title":"T","state":"Todo","priority":2})");
  EXPECT_EQ(of(R"({"type":"Reaction","data":{"id":"r","comment":)"
               R"({"id":"c","issueId":"i7"}}})"),
            R"({"type":"Reaction","issue_id":"i7"})");
  EXPECT_EQ(of(R"({"type":"Issue","data":{"id":"i7","number":7,)"
               R"("team":{"key":"ENG"}}})"),
            R"({"type":"Issue","team_key":"ENG","issue_id":"i7",)"
            R"("issue_number":7,"identifier":"ENG-7"})");
}

TEST_F(details_test, of_deployments) {
  EXPECT_EQ(
      deployment_details(
          parse(R"({"deployment_id":42,"environment":"e","status":"success",)"
                R"("repository_name":"o/r","commit_sha":"6113728",)"
                R"("branch_name":"main","deployment_url":"d","log_url":null,)"
                R"("started_at":"2026-01-31T11:59:00Z","pull_request":12})"))
          .deployment,
      R"({"deployment_id":"42","environment":"e","status":"success",)"
      R"("repository_name":"o/r","commit_sha":"6113728",)"
      R"("branch_name":"main","deployment_url":"d",)"
      R"("started_at":"2026-01-31T11:59:00.000000Z",)"
      R"("pull_request_number":12})");
  for (auto member :
       {R"("pull_request":{"number":3})", R"("pull_request_number":3)"})
    EXPECT_EQ(
        deployment_details(parse("{" + std::string{member} + "}")).deployment,
        R"({"pull_request_number":3})");
}

} // namespace
} // namespace eventweft::platforms
