// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/deployments.hpp"
#include "tests/unit/platforms/support.hpp"

namespace eventweft::platforms {
namespace {

// Signatures made with Python's hmac, hashlib and base64.
constexpr auto signing_secret =
    "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
constexpr std::string_view success =
    R"({"deployment_id":"42","environment":"production",)"
    R"("status":"success","repository_name":"octo/repo",)"
    R"("commit_sha":"6113728f27ae82c7b1a177c8d03f9e96e0adf246",)"
    R"("branch_name":"main","deployment_url":"https://example.com",)"
    R"("log_url":null,"started_at":"2026-01-31T11:59:00Z",)"
    R"("completed_at":"2026-01-31T12:00:00Z","pull_request":12})";

class deployments_test : public platform_test {
 protected:
  platform_ptr make(config::platform_settings s = secret(signing_secret)) {
    return make_deployments(parts(std::move(s))).value();
  }

  static webhook
  signed_post(std::string_view body, std::string signature,
              int64_t seconds = test_seconds,
              std::string id = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W") {
    return post(std::string{body},
                {{"webhook-id", std::move(id)},
                 {"webhook-timestamp", std::to_string(seconds)},
                 {"webhook-signature", std::move(signature)}});
  }

  static webhook with_token(std::string_view body, std::string authorization) {
    return post(std::string{body}, {{"authorization", authorization}});
  }

  expected<acceptance> read(std::string body) {
    return make(unsigned_allowed())->accept(post(std::move(body)));
  }
};

TEST_F(deployments_test, fills_the_envelope_of_a_signed_deployment) {
  const auto ev = only(make()->accept(
      signed_post(success, "v1,KXKehAcWqRHB0ISvachEZ4h0Y4wMZoFp5Kkjx8InISQ=")));
  EXPECT_EQ(ev.platform, "deployments");
  EXPECT_EQ(ev.event_id, "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W");
  EXPECT_EQ(ev.event_type, "deployment:success");
  EXPECT_EQ(ev.source_id, "octo/repo");
  EXPECT_EQ(ev.source_name, "octo/repo");
  EXPECT_EQ(ev.priority, priority::high);
  EXPECT_EQ(ev.metadata,
            R"({"deployment_id":"42","environment":"production"})");
}

TEST_F(deployments_test, takes_any_signature_of_a_list) {
  EXPECT_TRUE(make()->accept(signed_post(
      success, "v1,AAAA v2,@@ v1,KXKehAcWqRHB0ISvachEZ4h0Y4wMZoFp5Kkjx8InISQ= "
               "v1a,AAAA")));
  EXPECT_TRUE(refused(make()->accept(signed_post(success, "v1,AAAA v9,B")),
                      ec::unauthorized, "does not match"));
  EXPECT_TRUE(refused(make()->accept(signed_post(success, "v9,AAAA")),
                      ec::unauthorized, "form"));
}

TEST_F(deployments_test, refuses_bad_proof) {
  const auto p = make();
  EXPECT_TRUE(refused(
      p->accept(signed_post(success,
                            "v1,h8AKSdGYIgYuZzhVkQes3X2xLX4+xASgBXn4Kib9rkM=",
                            test_seconds - 301)),
      ec::unauthorized, "ago"));
  EXPECT_TRUE(refused(
      p->accept(signed_post(success,
                            "v1,JzNDQscLKHQblJwt1Bd0JJR8Jl+HnAfBNvC73APP8Uw=",
                            test_seconds + 301)),
      ec::unauthorized, "in the future"));
  EXPECT_TRUE(refused(
      p->accept(signed_post(
          success,
          "v1,KXKehAcWqRHB0ISvachEZ4h0Y4wMZoFp5Kkjx8InISQ=", test_seconds - 1)),
      ec::unauthorized, "does not match"));
  EXPECT_TRUE(refused(
      p->accept(signed_post(success,
                            "v1,KXKehAcWqRHB0ISvachEZ4h0Y4wMZoFp5Kkjx8InISQ=",
                            test_seconds, "another")),
      ec::unauthorized, "does not match"));
  // The parts of what is signed are separated by dots.
  EXPECT_TRUE(refused(
      p->accept(signed_post(success,
                            "v1,97a+YDs9waUYf3vD2bFN9mPzaA/tJHw88Oza4JZBRy8=",
                            test_seconds, "msg.1")),
      ec::unauthorized, "holds a '.'"));
  EXPECT_TRUE(refused(p->accept(post(std::string{success})), ec::unauthorized,
                      "Webhook-Signature or header Authorization is missing"));
}

TEST_F(deployments_test, takes_secrets_that_are_plain_text) {
  EXPECT_TRUE(
      make(secret("plain secret"))
          ->accept(signed_post(
              success, "v1,o2O2ZTSPwXirEpNAfETJvUk17IvnW6jTE+od1Jv6T54=")));
}

TEST_F(deployments_test, takes_a_bearer_token) {
  config::platform_settings s;
  s.tokens = {"first", "second"};
  const auto p = make(s);
  EXPECT_TRUE(p->accept(with_token(success, "Bearer second")));
  EXPECT_TRUE(p->accept(with_token(success, "bearer first")));
  for (const std::string bad : {"Bearer third", "Bearer ", "Bearer secon",
                                "Bearer secondd", "second", "Basic second"})
    EXPECT_TRUE(
        refused(p->accept(with_token(success, bad)), ec::unauthorized, ""))
        << bad;
}

TEST_F(deployments_test, a_signature_that_fails_is_not_mended_by_a_token) {
  auto s = secret(signing_secret);
  s.tokens = {"token"};
  auto w = signed_post(success, "v1,AAAA");
  w.headers.emplace_back("authorization", "Bearer token");
  EXPECT_TRUE(
      refused(make(s)->accept(w), ec::unauthorized, "Webhook-Signature"));
}

TEST_F(deployments_test, tells_deliveries_apart_without_an_id) {
  EXPECT_EQ(only(read(std::string{success})).event_id,
            "octo/repo:production:42:success");
  EXPECT_EQ(
      only(read(R"({"deployment_id":"42","environment":"e","status":"s"})"))
          .event_id,
      "e:42:s");
  const auto long_one =
      only(read(R"({"deployment_id":")" + std::string(400, 'x') +
                R"(","environment":"e","status":"s"})"));
  EXPECT_TRUE(long_one.event_id.starts_with("sha256:"));
  auto w = post(std::string{success}, {{"idempotency-key", "run-7"}});
  EXPECT_EQ(only(make(unsigned_allowed())->accept(w)).event_id, "run-7");
  w = post(std::string{success}, {{"idempotency-key", "\"run-7\""}});
  EXPECT_EQ(only(make(unsigned_allowed())->accept(w)).event_id, "run-7");
  w.headers.emplace_back("webhook-id", "msg_1");
  EXPECT_EQ(only(make(unsigned_allowed())->accept(w)).event_id, "msg_1");
}

TEST_F(deployments_test, only_production_is_high) {
  const auto of = [&](const std::string& environment) {
    return only(
               read(R"({"deployment_id":1,"status":"started","environment":")" +
                    environment + R"("})"))
        .priority;
  };
  EXPECT_EQ(of("production"), priority::high);
  EXPECT_EQ(of("Production"), priority::high);
  EXPECT_EQ(of("prod"), priority::high);
  EXPECT_EQ(of("staging"), priority::normal);
  EXPECT_EQ(of("preproduction"), priority::normal);
}

TEST_F(deployments_test, names_the_member_that_is_wrong) {
  const auto with = [&](std::string member) {
    return read(R"({"deployment_id":"1","environment":"e","status":"s",)" +
                member + "}");
  };
  EXPECT_TRUE(with(R"("log_url":null)"));
  EXPECT_TRUE(with(R"("anything":[1])"));
  EXPECT_TRUE(with(R"("commit_sha":"abc123")"));
  for (const auto* sha : {"main", "abc", "abc123g"})
    EXPECT_TRUE(refused(with(R"("commit_sha":")" + std::string{sha} + '"'),
                        ec::unprocessable, "/commit_sha"))
        << sha;
  EXPECT_TRUE(refused(with(R"("started_at":"yesterday")"), ec::unprocessable,
                      "/started_at"));
  EXPECT_TRUE(refused(with(R"("completed_at":12)"), ec::unprocessable,
                      "/completed_at"));
  EXPECT_TRUE(refused(with(R"("pull_request":"12")"), ec::unprocessable,
                      "/pull_request"));
  EXPECT_TRUE(
      refused(with(R"("pull_request":0)"), ec::unprocessable, "/pull_request"));
  EXPECT_TRUE(with(R"("pull_request_number":3)"));
  EXPECT_TRUE(refused(with(R"("pull_request_number":"3")"), ec::unprocessable,
                      "/pull_request_number is"));
  EXPECT_TRUE(refused(read(R"({"environment":"e","status":"s"})"),
                      ec::unprocessable, "/deployment_id"));
  EXPECT_TRUE(refused(read(R"({"deployment_id":"1","status":"s"})"),
                      ec::unprocessable, "/environment"));
  EXPECT_TRUE(
      refused(read(R"({"deployment_id":"1","environment":"e","status":"A b"})"),
              ec::unprocessable, "/status"));
  // Words are no numbers, but an id may be one.
  const auto of = [&](std::string id, std::string where, std::string status) {
    return read(R"({"deployment_id":)" + id + R"(,"environment":)" + where +
                R"(,"status":)" + status + "}");
  };
  EXPECT_EQ(only(of("43", R"("e")", R"("s")")).event_id, "e:43:s");
  EXPECT_TRUE(refused(of("4.5", R"("e")", R"("s")"), ec::unprocessable,
                      "/deployment_id"));
  EXPECT_TRUE(refused(of("1", "5", R"("s")"), ec::unprocessable,
                      "/environment is not a string"));
  EXPECT_TRUE(refused(of("1", R"("e")", "5"), ec::unprocessable,
                      "/status is not a string"));
  EXPECT_TRUE(refused(read("[]"), ec::malformed, "object"));
}

} // namespace
} // namespace eventweft::platforms
