// SPDX-License-Identifier: Apache-2.0
#include "codec/thread_json.hpp"
#include "tests/unit/codec/support.hpp"

#include <gmock/gmock.h>

namespace eventweft::codec {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::SizeIs;

event_ptr told(std::string type, std::string payload,
               std::string platform = "github") {
  auto ev = event_with_payload(std::move(payload));
  ev.platform = std::move(platform);
  ev.event_type = std::move(type);
  return event_ptr{std::move(ev)};
}

event_ptr pull_request(std::string type, std::string members) {
  return told(std::move(type),
              R"({"repository":{"full_name":"octo/repo"},"pull_request":{)"
              R"("number":12,"title":"t",)" +
                  members + "}}");
}

auto is_state(const std::string& state) {
  return Field(&thing_state::state, state);
}

// A review's pull request has no "merged".
TEST(thread_states, ApprovalAfterTheMergeLeavesItMerged) {
  const auto states = states_of(
      {pull_request("pull_request_review:submitted",
                    R"("state":"closed","merged_at":"2026-01-31T12:00:00Z")"),
       pull_request("pull_request:closed",
                    R"("state":"closed","merged":true)")});
  EXPECT_THAT(states, ElementsAre(is_state("merged")));
  EXPECT_THAT(states_of({pull_request("pull_request:closed",
                                      R"("state":"closed","merged":true)")}),
              ElementsAre(is_state("merged")));
}

TEST(thread_states, WhatCameLateIsNotTheLatest) {
  const auto late = pull_request(
      "pull_request:opened",
      R"("state":"open","merged":false,"updated_at":"2026-01-31T10:00:00Z")");
  const auto merged = pull_request(
      "pull_request:closed",
      R"("state":"closed","merged":true,"updated_at":"2026-01-31T12:00:00Z")");
  EXPECT_THAT(states_of({late, merged}), ElementsAre(is_state("merged")));
  EXPECT_THAT(states_of({merged, late}), ElementsAre(is_state("merged")));
  // Who doesn't say when is taken in the log's order.
  const auto silent =
      pull_request("pull_request:reopened", R"("state":"open")");
  EXPECT_THAT(states_of({silent, merged}), ElementsAre(is_state("open")));

  const auto linear = [](const std::string& state, const std::string& at) {
    return told("Issue:update", R"({"data":{"identifier":"ENG-42","state":)"
                                R"({"name":")" +
                                    state + R"("},"updatedAt":")" + at +
                                    "\"}}");
  };
  EXPECT_THAT(states_of({linear("Todo", "2026-01-31T10:00:00.000Z"),
                         linear("Done", "2026-01-31T10:00:00.001Z")}),
              ElementsAre(is_state("Done")));
  const auto deployment = [](const std::string& status, const std::string& at) {
    return told("deployment:" + status,
                R"({"environment":"production","status":")" + status + R"(",)" +
                    at + "}",
                "deployments");
  };
  EXPECT_THAT(
      states_of(
          {deployment("in_progress", R"("started_at":"2026-01-31T10:00:00Z")"),
           deployment("success", R"("started_at":"2026-01-31T10:00:00Z",)"
                                 R"("completed_at":"2026-01-31T10:05:00Z")")}),
      ElementsAre(is_state("success")));
}

TEST(thread_states, WhatIsDeletedIsNotOpen) {
  const auto states = states_of(
      {told("issues:deleted", R"({"repository":{"full_name":"octo/repo"},)"
                              R"("issue":{"number":7,"state":"open"}})"),
       told("Issue:remove", R"({"data":{"identifier":"ENG-42","state":)"
                            R"({"name":"Todo"}}})")});
  EXPECT_THAT(states, ElementsAre(is_state("deleted"), is_state("removed")));
}

TEST(thread_states, EachThingHasItsOwn) {
  EXPECT_THAT(states_of({pull_request("pull_request:opened",
                                      R"("state":"open","draft":true)"),
                         told("push", "{}"), told("Issue:create", "[]")}),
              SizeIs(1));
}

TEST(thread_states, EachRepositoryHasItsOwnEnvironments) {
  const auto deployment = [](const std::string& repository,
                             const std::string& status) {
    return told("deployment:" + status,
                R"({"environment":"production","repository_name":")" +
                    repository + R"(","status":")" + status + "\"}",
                "deployments");
  };
  const auto by_github = [](const std::string& repository,
                            const std::string& state) {
    return told("deployment_status:created",
                R"({"repository":{"full_name":")" + repository +
                    R"("},"deployment":{"environment":"production"},)"
                    R"("deployment_status":{"state":")" +
                    state + "\"}}");
  };
  const auto is = [](const std::string& repository, const std::string& state) {
    return AllOf(Field(&thing_state::repository, repository), is_state(state));
  };
  EXPECT_THAT(
      states_of({deployment("octo/web", "success"),
                 deployment("octo/api", "failure"),
                 deployment("octo/web", "in_progress")}),
      ElementsAre(is("octo/web", "success"), is("octo/api", "failure")));
  EXPECT_THAT(
      states_of({by_github("octo/web", "success"),
                 by_github("octo/api", "failure"),
                 deployment("Octo/Api", "pending")}),
      ElementsAre(is("octo/web", "success"), is("octo/api", "failure")));
}

TEST(thread_states, AnIssueThatMovedIsOne) {
  const auto issue = [](const std::string& name, const std::string& state) {
    return told("Issue:update",
                R"({"data":{"id":"0b8f4bd0-6f4e-4c1b-8a57-0f9b8a5f8c11",)"
                R"("identifier":")" +
                    name + R"(","state":{"name":")" + state + "\"}}}",
                "linear");
  };
  EXPECT_THAT(
      states_of({issue("OPS-7", "Done"), issue("ENG-42", "Todo")}),
      ElementsAre(AllOf(Field(&thing_state::name, "OPS-7"), is_state("Done"))));
}

} // namespace
} // namespace eventweft::codec
