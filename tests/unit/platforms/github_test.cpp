// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/github.hpp"
#include "tests/unit/platforms/support.hpp"

namespace eventweft::platforms {
namespace {

// Signatures made with Python's hmac and hashlib.
constexpr std::string_view opened =
    R"({"action":"opened","number":12,"pull_request":{"id":1},)"
    R"("repository":{"id":186853002,"full_name":"octo/repo"},)"
    R"("organization":{"id":9,"login":"octo"},)"
    R"("sender":{"id":21031067,"login":"codertocat"},)"
    R"("installation":{"id":77}})";
constexpr std::string_view by_new_secret =
    "sha256=4fa56d8b1cdc287dd1e78ed155962fcce5f4629cf5515767353530ea65518744";
constexpr std::string_view by_old_secret =
    "sha256=9b73b821fe222c9595f78a5ac7d9a47263e7629ba651bc0b174d71b45ff801ce";
constexpr std::string_view sha1_by_new_secret =
    "sha1=cf15bb494bdc55401411ab1cda578b95b1be6b33";

class github_test : public platform_test {
 protected:
  platform_ptr make(config::platform_settings s = secret("new secret")) {
    return make_github(parts(std::move(s))).value();
  }

  static webhook delivery(std::string_view body, std::string event,
                          std::string_view signature = {}) {
    header_list headers{
        {"x-github-event", std::move(event)},
        {"x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"}};
    if (!signature.empty())
      headers.emplace_back("x-hub-signature-256", signature);
    return post(std::string{body}, headers);
  }

  expected<acceptance> read(std::string_view body,
                            std::string event = "pull_request") {
    return make(unsigned_allowed())->accept(delivery(body, std::move(event)));
  }
};

TEST_F(github_test, fills_the_envelope_of_a_signed_pull_request) {
  const auto w = delivery(opened, "pull_request", by_new_secret);
  const auto ev = only(make()->accept(w));
  EXPECT_EQ(ev.platform, "github");
  EXPECT_EQ(ev.event_id, "72d3162e-cc78-11e3-81ab-4c9367dc0958");
  EXPECT_EQ(ev.event_type, "pull_request:opened");
  EXPECT_EQ(ev.source_id, "186853002");
  EXPECT_EQ(ev.source_name, "octo/repo");
  EXPECT_EQ(ev.actor_id, "21031067");
  EXPECT_EQ(ev.actor_name, "codertocat");
  EXPECT_EQ(ev.priority, priority::high);
  EXPECT_EQ(ev.metadata, R"({"installation_id":"77"})");
  EXPECT_EQ(ev.created_at, test_now());
  EXPECT_EQ(ev.seq, 0);
  EXPECT_FALSE(ev.id.is_nil());
  EXPECT_EQ(ev.id.bytes[6] >> 4, 7);
}

TEST_F(github_test, shares_the_bodys_bytes) {
  const auto w = delivery(opened, "pull_request", by_new_secret);
  const auto ev = only(make()->accept(w));
  EXPECT_EQ(ev.payload.view().data(), w.body.view().data());
  EXPECT_TRUE(ev.payload_readable.empty());
}

TEST_F(github_test, gives_ids_that_sort_by_time) {
  const auto p = make();
  const auto w = delivery(opened, "pull_request", by_new_secret);
  const auto first = only(p->accept(w));
  clock_.advance(std::chrono::milliseconds{2});
  const auto second = only(p->accept(w));
  EXPECT_LT(first.id, second.id);
}

TEST_F(github_test, takes_the_time_of_receipt_for_created_at) {
  auto w = delivery(opened, "pull_request", by_new_secret);
  w.received_at = test_now() - std::chrono::seconds{3};
  EXPECT_EQ(only(make()->accept(w)).created_at, w.received_at);
}

TEST_F(github_test, holds_for_the_vector_that_github_publishes) {
  // The body is no JSON, so the proof must hold and the reading must not.
  const auto p = make(secret("It's a Secret to Everybody"));
  auto w = delivery("Hello, World!", "ping",
                    "sha256=757107ea0eb2509fc211221cce984b8a"
                    "37570b6d7586c22c46f4379c8b043e17");
  EXPECT_TRUE(refused(p->accept(w), ec::malformed, ""));
  w.body = shared_text{"Hello, World?"};
  EXPECT_TRUE(refused(p->accept(w), ec::unauthorized, "does not match"));
}

TEST_F(github_test, takes_every_active_secret) {
  config::platform_settings s;
  s.secrets = {"new secret", "old secret"};
  const auto p = make(s);
  EXPECT_TRUE(p->accept(delivery(opened, "pull_request", by_new_secret)));
  EXPECT_TRUE(p->accept(delivery(opened, "pull_request", by_old_secret)));
  EXPECT_TRUE(
      refused(make()->accept(delivery(opened, "pull_request", by_old_secret)),
              ec::unauthorized, "X-Hub-Signature-256"));
}

TEST_F(github_test, refuses_an_altered_body) {
  auto text = std::string{opened};
  text.back() = ' ';
  EXPECT_TRUE(
      refused(make()->accept(delivery(text, "pull_request", by_new_secret)),
              ec::unauthorized, "does not match"));
}

TEST_F(github_test, refuses_signatures_that_are_none) {
  const auto p = make();
  for (std::string_view bad :
       {"sha256=", "sha256=4fa56d8b", "sha256=zz", "4fa56d8b", "sha512=aa",
        "sha1=cf15bb494bdc55401411ab1cda578b95b1be6b33", "="})
    EXPECT_TRUE(refused(p->accept(delivery(opened, "pull_request", bad)),
                        ec::unauthorized, "X-Hub-Signature-256"))
        << bad;
}

TEST_F(github_test, refuses_sha1_alone) {
  auto w = delivery(opened, "pull_request");
  w.headers.emplace_back("x-hub-signature", sha1_by_new_secret);
  EXPECT_TRUE(refused(make()->accept(w), ec::unauthorized,
                      "X-Hub-Signature (SHA-1) alone is not accepted"));
  w.headers.emplace_back("x-hub-signature-256", by_new_secret);
  EXPECT_TRUE(make()->accept(w));
}

TEST_F(github_test, refuses_what_is_not_signed) {
  EXPECT_TRUE(refused(make()->accept(delivery(opened, "pull_request")),
                      ec::unauthorized, "X-Hub-Signature-256 is missing"));
}

TEST_F(github_test, without_a_secret_needs_leave_to_take_anything) {
  const auto w = delivery(opened, "pull_request", by_new_secret);
  EXPECT_TRUE(refused(make({})->accept(w), ec::unauthorized,
                      "no secret is configured for github"));
  // An empty one, as from an empty variable, is none.
  EXPECT_TRUE(refused(make(secret(""))->accept(w), ec::unauthorized,
                      "no secret is configured"));
  EXPECT_TRUE(make(unsigned_allowed())->accept(w));
}

TEST_F(github_test, leave_to_take_unsigned_does_not_switch_the_check_off) {
  auto s = secret("new secret");
  s.allow_unsigned = true;
  EXPECT_TRUE(refused(make(s)->accept(delivery(opened, "pull_request")),
                      ec::unauthorized, "missing"));
}

TEST_F(github_test, reads_a_form_whose_signature_covers_the_raw_bytes) {
  const auto p = make();
  auto w = delivery("payload=%7B%22zen%22%3A%22Keep+it%21%22%7D", "ping",
                    "sha256=585312163c6ffd4274ed2469d3360c03"
                    "8c39af35395683c27ec54fc686e70552");
  w = without(w, "content-type");
  w.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
  const auto ev = only(p->accept(w));
  EXPECT_EQ(ev.payload.view(), R"({"zen":"Keep it!"})");
  EXPECT_EQ(ev.event_type, "ping");
}

TEST_F(github_test, names_the_fault_of_a_form) {
  const auto p = make(unsigned_allowed());
  const auto form = [&](std::string body) {
    auto w = delivery(body, "ping");
    w = without(w, "content-type");
    w.headers.emplace_back("content-type",
                           "application/x-www-form-urlencoded; charset=utf-8");
    return p->accept(w);
  };
  EXPECT_TRUE(refused(form("a=1"), ec::malformed, "field payload"));
  EXPECT_TRUE(refused(form("payload="), ec::malformed, "empty"));
  EXPECT_TRUE(refused(form("payload=%7"), ec::malformed, "at byte 8"));
  EXPECT_TRUE(refused(form("a=1&payload=%zz"), ec::malformed, "at byte 12"));
  EXPECT_TRUE(refused(form("payload=%7B"), ec::malformed, ""));
}

TEST_F(github_test, names_the_fault_of_a_body) {
  EXPECT_TRUE(refused(read(""), ec::malformed, "empty"));
  EXPECT_TRUE(refused(read("{\"a\":"), ec::malformed, "byte"));
  EXPECT_TRUE(refused(read("{\"a\":1} x"), ec::malformed, "byte"));
  EXPECT_TRUE(refused(read("{\"a\":\"\xff\"}"), ec::malformed, "UTF-8"));
  EXPECT_TRUE(refused(read("[1]"), ec::malformed, "not a JSON object"));
  EXPECT_TRUE(refused(read("\"text\""), ec::malformed, "not a JSON object"));
}

TEST_F(github_test, names_a_missing_or_unusable_header) {
  const auto p = make(unsigned_allowed());
  const auto w = delivery("{}", "ping");
  EXPECT_TRUE(refused(p->accept(without(w, "x-github-event")), ec::malformed,
                      "X-GitHub-Event is missing"));
  EXPECT_TRUE(refused(p->accept(without(w, "x-github-delivery")), ec::malformed,
                      "X-GitHub-Delivery is missing"));
  EXPECT_TRUE(refused(p->accept(delivery("{}", std::string(101, 'x'))),
                      ec::malformed, "longer than"));
  EXPECT_TRUE(refused(p->accept(delivery("{}", "pi\xffng")), ec::malformed,
                      "not UTF-8"));
  EXPECT_TRUE(
      refused(p->accept(delivery("{}", "  ")), ec::malformed, "is empty"));
}

TEST_F(github_test, wants_json_or_a_form) {
  const auto p = make(unsigned_allowed());
  auto w = without(delivery("{}", "ping"), "content-type");
  EXPECT_TRUE(refused(p->accept(w), ec::unsupported_media_type, "missing"));
  w.headers.emplace_back("content-type", "text/plain");
  EXPECT_TRUE(refused(p->accept(w), ec::unsupported_media_type, "neither"));
}

TEST_F(github_test, wants_post) {
  auto w = delivery("{}", "ping");
  w.method = "PUT";
  EXPECT_TRUE(refused(make(unsigned_allowed())->accept(w),
                      ec::method_not_allowed, "POST"));
}

TEST_F(github_test, keeps_to_its_own_size_limit) {
  auto s = unsigned_allowed();
  s.max_body_bytes = 4;
  EXPECT_TRUE(refused(make(s)->accept(delivery("{   }", "ping")), ec::too_large,
                      "4 bytes"));
}

TEST_F(github_test, keeps_the_original_of_what_sql_can_not_read) {
  const std::string body =
      R"({"a":"x\u0000y","b":"\ud800","c":"\ud83d\ude00"})";
  // Also of a webhook that is looked at once more.
  const auto p = make(unsigned_allowed());
  const auto w = delivery(body, "ping");
  for (int i = 0; i < 2; ++i) {
    const auto ev = only(p->accept(w));
    EXPECT_EQ(ev.payload.view(), body);
    EXPECT_EQ(ev.payload_readable.view(),
              R"({"a":"x\ufffdy","b":"\ufffd","c":"\ud83d\ude00"})");
  }
}

TEST_F(github_test, keeps_zero_bytes_out_of_the_envelope) {
  const auto ev =
      only(read(R"({"repository":{"id":1,"full_name":"a\u0000b"}})"));
  EXPECT_EQ(ev.source_name, "a\xEF\xBF\xBD"
                            "b");
}

TEST_F(github_test, cuts_long_names_between_characters) {
  // 511 bytes and a two-byte character: the limit falls into its middle.
  const std::string name = std::string(511, 'x') + "\xC3\xA4";
  const auto ev =
      only(read(R"({"repository":{"id":1,"full_name":")" + name + R"("}})"));
  EXPECT_EQ(ev.source_name, std::string(511, 'x'));
}

TEST_F(github_test, falls_back_to_wider_sources) {
  const auto source = [&](std::string_view body) {
    const auto ev = only(read(body));
    return ev.source_id + " " + ev.source_name;
  };
  EXPECT_EQ(source(R"({"organization":{"id":9,"login":"octo"}})"), "9 octo");
  EXPECT_EQ(source(R"({"repository":null,"enterprise":{"id":3,"slug":"e"}})"),
            "3 e");
  EXPECT_EQ(
      source(R"({"installation":{"id":4,"account":{"id":5,"login":"me"}}})"),
      "5 me");
  EXPECT_EQ(source("{}"), " ");
}

TEST_F(github_test, knows_its_priorities) {
  const auto of = [&](std::string event) {
    return only(read("{}", std::move(event))).priority;
  };
  EXPECT_EQ(of("pull_request"), priority::high);
  EXPECT_EQ(of("pull_request_review_comment"), priority::high);
  EXPECT_EQ(of("issues"), priority::high);
  EXPECT_EQ(of("issue_comment"), priority::normal);
  EXPECT_EQ(of("push"), priority::normal);
  EXPECT_EQ(of("ping"), priority::normal);
  EXPECT_EQ(of("dependabot_alert"), priority::critical);
  EXPECT_EQ(of("secret_scanning_alert"), priority::critical);
  EXPECT_EQ(of("code_scanning_alert"), priority::critical);
}

TEST_F(github_test, configured_priorities_come_first) {
  auto s = unsigned_allowed();
  s.priority = {{"push", "/ref", "refs/heads/main", "critical"},
                {"pull_request", "", "*", "low"}};
  const auto p = make(s);
  const auto of = [&](std::string body, std::string event) {
    return only(p->accept(delivery(body, std::move(event)))).priority;
  };
  EXPECT_EQ(of(R"({"ref":"refs/heads/main"})", "push"), priority::critical);
  EXPECT_EQ(of(R"({"ref":"refs/heads/x"})", "push"), priority::normal);
  EXPECT_EQ(of(R"({"action":"opened"})", "pull_request"), priority::low);
  EXPECT_EQ(of("{}", "issues"), priority::high);
}

TEST_F(github_test, refuses_unusable_priority_rules) {
  auto s = secret("x");
  s.priority = {{"*", "", "*", "urgent"}};
  auto made = make_github(parts(s));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ec::bad_configuration);
  EXPECT_NE(made.error().message.find("[platforms.github] priority: rule 1"),
            std::string::npos);
  s.priority = {{"*", "ref", "*", "low"}};
  EXPECT_FALSE(make_github(parts(s)));
}

TEST_F(github_test, notes_where_the_hook_is_installed) {
  auto w = delivery("{}", "ping");
  w.headers.emplace_back("x-github-hook-id", "292430182");
  w.headers.emplace_back("x-github-hook-installation-target-type",
                         "repository");
  w.headers.emplace_back("x-github-hook-installation-target-id", "79929171");
  EXPECT_EQ(only(make(unsigned_allowed())->accept(w)).metadata,
            R"({"hook_id":"292430182","hook_target_type":"repository",)"
            R"("hook_target_id":"79929171"})");
}

} // namespace
} // namespace eventweft::platforms
