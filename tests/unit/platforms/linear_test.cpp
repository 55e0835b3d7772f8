// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/linear.hpp"
#include "tests/unit/platforms/support.hpp"

namespace eventweft::platforms {
namespace {

// Signatures made with Python's hmac and hashlib.
constexpr int64_t now_ms = test_seconds * 1'000;

class linear_test : public platform_test {
 protected:
  platform_ptr make(config::platform_settings s = secret("lin_wh_secret")) {
    return make_linear(parts(std::move(s))).value();
  }

  static std::string updated(int64_t timestamp_ms) {
    return R"({"action":"update","type":"Issue","actor":{"id":"u-1",)"
           R"("name":"Ann","type":"user"},"data":{"id":"i-1",)"
           R"("identifier":"ENG-42","title":"New","team":{"id":"t-1",)"
           R"("key":"ENG","name":"Engineering"}},)"
           R"("updatedFrom":{"title":"Old"},)"
           R"("url":"https://linear.app/x/issue/ENG-42",)"
           R"("organizationId":"o-1","webhookId":"w-1","webhookTimestamp":)" +
           std::to_string(timestamp_ms) + "}";
  }

  static webhook delivery(std::string body, std::string signature) {
    return post(std::move(body),
                {{"linear-signature", std::move(signature)},
                 {"linear-delivery", "234d1a4e-b617-4388-90fe-adc3633d6b72"},
                 {"linear-event", "Issue"}});
  }
};

TEST_F(linear_test, fills_the_envelope) {
  const auto ev = only(make()->accept(delivery(
      updated(now_ms),
      "545a8456bf5cbf42534c2f65c0f2d00344dcb0b9e469975e272aee9fc462ea2a")));
  EXPECT_EQ(ev.platform, "linear");
  EXPECT_EQ(ev.event_id, "234d1a4e-b617-4388-90fe-adc3633d6b72");
  EXPECT_EQ(ev.event_type, "Issue:update");
  EXPECT_EQ(ev.source_id, "t-1");
  EXPECT_EQ(ev.source_name, "ENG");
  EXPECT_EQ(ev.actor_id, "u-1");
  EXPECT_EQ(ev.actor_name, "Ann");
  EXPECT_EQ(ev.metadata,
            R"({"organization_id":"o-1","identifier":"ENG-42",)"
            R"("url":"https://linear.app/x/issue/ENG-42","webhook_id":"w-1",)"
            R"("updated_from":{"title":"Old"}})");
}

TEST_F(linear_test, judges_freshness_by_the_signed_time_only) {
  const auto p = make();
  auto stale = delivery(
      updated(now_ms - 60'001),
      "32c12ec37552569ac4bd8c3e243619ef0803e3d2d279e595757261dca056c915");
  EXPECT_TRUE(refused(p->accept(stale), ec::unauthorized, "ago"));
  // The header is not signed: it can't make an old delivery fresh …
  stale.headers.emplace_back("linear-timestamp", std::to_string(now_ms));
  EXPECT_TRUE(refused(p->accept(stale), ec::unauthorized, "ago"));
  // … nor a fresh one old.
  auto fresh = delivery(
      updated(now_ms),
      "545a8456bf5cbf42534c2f65c0f2d00344dcb0b9e469975e272aee9fc462ea2a");
  fresh.headers.emplace_back("linear-timestamp", "1");
  EXPECT_TRUE(p->accept(fresh));
  EXPECT_TRUE(refused(
      p->accept(delivery(
          updated(now_ms + 60'001),
          "06f694c915a2405a414a9f334a16d3ffcc8eb3d162519374323b02ac47b92c48")),
      ec::unauthorized, "in the future"));
  EXPECT_TRUE(refused(
      p->accept(delivery(
          R"({"type":"Issue"})",
          "832aec63ba2bfa31e5eeecd857b21daadaed02f05ec51e01bb92b58e52c9ea62")),
      ec::unauthorized, "/webhookTimestamp: the signed time is missing"));
}

TEST_F(linear_test, takes_old_retries_where_configured) {
  const auto retry = delivery(
      updated(now_ms - 3'600'000),
      "3581761ee13fceb4a99b127313be129869969b578e189bdb24e4ede9c8b51b04");
  EXPECT_FALSE(make()->accept(retry));
  auto s = secret("lin_wh_secret");
  s.tolerance = std::chrono::hours{7};
  EXPECT_TRUE(make(s)->accept(retry));
}

TEST_F(linear_test, refuses_bad_proof) {
  const auto p = make();
  EXPECT_TRUE(refused(
      p->accept(delivery(
          updated(now_ms + 1),
          "545a8456bf5cbf42534c2f65c0f2d00344dcb0b9e469975e272aee9fc462ea2a")),
      ec::unauthorized, "does not match"));
  EXPECT_TRUE(refused(make(secret("x"))
                          ->accept(delivery(updated(now_ms),
                                            "545a8456bf5cbf42534c2f65c0f2d00344"
                                            "dcb0b9e469975e272aee9fc462ea2a")),
                      ec::unauthorized, "does not match"));
  EXPECT_TRUE(refused(
      p->accept(delivery(
          updated(now_ms),
          "sha256="
          "545a8456bf5cbf42534c2f65c0f2d00344dcb0b9e469975e272aee9fc462ea2a")),
      ec::unauthorized, "not hexadecimal"));
  const auto w = delivery(
      updated(now_ms),
      "545a8456bf5cbf42534c2f65c0f2d00344dcb0b9e469975e272aee9fc462ea2a");
  EXPECT_TRUE(refused(p->accept(without(w, "linear-signature")),
                      ec::unauthorized, "Linear-Signature is missing"));
  EXPECT_TRUE(refused(p->accept(without(w, "linear-delivery")), ec::malformed,
                      "Linear-Delivery is missing"));
  auto cut = updated(now_ms);
  cut.resize(50);
  EXPECT_TRUE(refused(
      p->accept(delivery(
          cut,
          "545a8456bf5cbf42534c2f65c0f2d00344dcb0b9e469975e272aee9fc462ea2a")),
      ec::unauthorized, "does not match"));
}

TEST_F(linear_test, reads_every_kind_of_data_change) {
  const auto p = make(unsigned_allowed());
  for (const std::string type :
       {"Attachment", "AuditEntry", "Comment", "Customer", "CustomerNeed",
        "Cycle", "Document", "Initiative", "InitiativeUpdate", "Issue",
        "IssueLabel", "Project", "ProjectUpdate", "Reaction", "User"})
    for (const std::string action : {"create", "update", "remove"}) {
      const auto ev = only(p->accept(
          delivery(R"({"type":")" + type + R"(","action":")" + action +
                       R"(","organizationId":"o","data":{"id":"d"}})",
                   "")));
      EXPECT_EQ(ev.event_type, type + ":" + action);
      EXPECT_EQ(ev.source_id, "o");
    }
  EXPECT_EQ(only(p->accept(delivery(R"({"type":"OAuthApp"})", ""))).event_type,
            "OAuthApp");
  EXPECT_TRUE(refused(p->accept(delivery("{}", "")), ec::malformed, "/type"));
}

TEST_F(linear_test, finds_the_team_of_a_comment) {
  const auto ev = only(
      make(unsigned_allowed())
          ->accept(delivery(R"({"type":"Comment","action":"create","data":)"
                            R"({"id":"c","issue":{"identifier":"ENG-7",)"
                            R"("team":{"id":"t","key":"ENG"}}}})",
                            "")));
  EXPECT_EQ(ev.source_id, "t");
  EXPECT_EQ(ev.source_name, "ENG");
  EXPECT_NE(ev.metadata.find(R"("identifier":"ENG-7")"), std::string::npos);
}

TEST_F(linear_test, finds_team_and_actor_where_there_is_no_data) {
  const auto p = make(unsigned_allowed());
  const auto of = [&](std::string body) {
    return only(p->accept(delivery(std::move(body), "")));
  };
  auto ev = of(R"({"type":"AgentSessionEvent","action":"created",)"
               R"("organizationId":"o","agentSession":{"creator":{"id":"u",)"
               R"("name":"Ann"},"issue":{"id":"i","number":7,"team":)"
               R"({"id":"t","key":"ENG"},"url":"https://l/ENG-7"}}})");
  EXPECT_EQ(ev.event_type, "AgentSessionEvent:created");
  EXPECT_EQ(ev.source_id, "t");
  EXPECT_EQ(ev.source_name, "ENG");
  EXPECT_EQ(ev.actor_id, "u");
  EXPECT_EQ(ev.actor_name, "Ann");
  EXPECT_EQ(ev.metadata, R"({"organization_id":"o","identifier":"ENG-7",)"
                         R"("url":"https://l/ENG-7"})");
  ev = of(R"({"type":"AppUserNotification","action":"issueMention",)"
          R"("notification":{"actor":{"id":"b","name":"Bo"},"issue":)"
          R"({"identifier":"ENG-7","team":{"id":"t","key":"ENG"}}}})");
  EXPECT_EQ(ev.source_name, "ENG");
  EXPECT_EQ(ev.actor_name, "Bo");
  ev = of(R"({"type":"IssueSLA","action":"set","issueData":)"
          R"({"teamId":"t","team":{"key":"ENG"}}})");
  EXPECT_EQ(ev.source_id, "t");
  EXPECT_EQ(ev.source_name, "ENG");
}

TEST_F(linear_test, names_what_is_no_object) {
  const auto p = make(unsigned_allowed());
  EXPECT_TRUE(
      refused(p->accept(delivery(R"({"type":"Issue","data":"nope"})", "")),
              ec::malformed, "/data is not an object"));
  EXPECT_TRUE(
      refused(p->accept(delivery(R"({"type":"IssueSLA","issueData":[]})", "")),
              ec::malformed, "/issueData"));
  EXPECT_TRUE(p->accept(delivery(R"({"type":"Issue","data":null})", "")));
}

TEST_F(linear_test, only_names_the_fields_of_a_long_updated_from) {
  const auto ev =
      only(make(unsigned_allowed())
               ->accept(delivery(
                   R"({"type":"Issue","updatedFrom":{"description":")" +
                       std::string(5'000, 'x') + R"(","title":"t"}})",
                   "")));
  EXPECT_NE(ev.metadata.find(R"("updated_fields":["description","title"])"),
            std::string::npos);
}

} // namespace
} // namespace eventweft::platforms
