// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/slack.hpp"
#include "tests/unit/platforms/support.hpp"

namespace eventweft::platforms {
namespace {

// Signatures made with Python's hmac and hashlib, but for the one that Slack
// publishes with this secret.
constexpr auto slack_secret = "8f742231b10e8888abcd99yyyzzz85a5";
constexpr std::string_view mention =
    R"({"token":"x","team_id":"T061EG9R6","api_app_id":"A0PNCHHK2",)"
    R"("event":{"type":"app_mention","user":"U061F7AUR",)"
    R"("text":"<@U0LAN0Z89> hi","ts":"1515449522.000016",)"
    R"("channel":"C123ABC456","event_ts":"1515449522000016"},)"
    R"("type":"event_callback","event_id":"Ev123ABC456",)"
    R"("event_time":1515449522})";

class slack_test : public platform_test {
 protected:
  platform_ptr make(config::platform_settings s = secret(slack_secret)) {
    return make_slack(parts(std::move(s))).value();
  }

  static webhook signed_post(std::string_view body, std::string signature,
                             int64_t seconds = test_seconds) {
    return post(std::string{body},
                {{"x-slack-signature", std::move(signature)},
                 {"x-slack-request-timestamp", std::to_string(seconds)}});
  }

  static webhook form(std::string_view body, std::string signature,
                      int64_t seconds = test_seconds) {
    auto w = signed_post(body, std::move(signature), seconds);
    w = without(w, "content-type");
    w.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
    return w;
  }

  event unsigned_event(std::string_view body) {
    return only(make(unsigned_allowed())->accept(post(std::string{body})));
  }
};

TEST_F(slack_test, unwraps_an_event) {
  const auto w = signed_post(
      mention,
      "v0=d0f80119e58590b0ffccd432479bf78c4fd8338b3e2520b14a873dabc587c17e");
  const auto ev = only(make()->accept(w));
  EXPECT_EQ(ev.platform, "slack");
  EXPECT_EQ(ev.event_id, "Ev123ABC456");
  EXPECT_EQ(ev.event_type, "app_mention");
  EXPECT_EQ(ev.source_id, "T061EG9R6");
  EXPECT_EQ(ev.source_name, "C123ABC456");
  EXPECT_EQ(ev.actor_id, "U061F7AUR");
  EXPECT_EQ(ev.priority, priority::high);
  EXPECT_EQ(ev.metadata, R"({"channel":"C123ABC456","app_id":"A0PNCHHK2"})");
  EXPECT_EQ(ev.payload.view().data(), w.body.view().data());
}

TEST_F(slack_test, keeps_to_five_minutes_in_both_directions) {
  const auto p = make();
  EXPECT_TRUE(p->accept(signed_post(
      mention,
      "v0=0411d642d8e760634cd4218f3e209039262976927fe409dd248918dbf194995c",
      test_seconds - 300)));
  EXPECT_TRUE(refused(
      p->accept(signed_post(
          mention,
          "v0=546a5464285c184e1504821ca806c832b89f677aef766df90c0a91c76dc6167d",
          test_seconds - 301)),
      ec::unauthorized, "more than 300 s ago"));
  EXPECT_TRUE(refused(
      p->accept(signed_post(
          mention,
          "v0=e961cb3187bfbc1a9d152d15255a8d4fedca1bbed073f0b9e233056a943b6ccd",
          test_seconds + 301)),
      ec::unauthorized, "in the future"));
}

TEST_F(slack_test, refuses_bad_proof) {
  const auto p = make();
  // The time is signed: another one does not hold.
  EXPECT_TRUE(refused(
      p->accept(signed_post(
          mention,
          "v0=d0f80119e58590b0ffccd432479bf78c4fd8338b3e2520b14a873dabc587c17e",
          test_seconds - 1)),
      ec::unauthorized, "does not match"));
  auto altered = std::string{mention};
  altered[20] = 'y';
  EXPECT_TRUE(refused(
      p->accept(signed_post(
          altered,
          "v0="
          "d0f80119e58590b0ffccd432479bf78c4fd8338b3e2520b14a873dabc587c17e")),
      ec::unauthorized, "does not match"));
  EXPECT_TRUE(refused(
      p->accept(signed_post(
          mention.substr(0, 100),
          "v0="
          "d0f80119e58590b0ffccd432479bf78c4fd8338b3e2520b14a873dabc587c17e")),
      ec::unauthorized, "does not match"));
  EXPECT_TRUE(refused(
      make(secret("another"))
          ->accept(signed_post(mention, "v0="
                                        "d0f80119e58590b0ffccd432479bf78c4fd833"
                                        "8b3e2520b14a873dabc587c17e")),
      ec::unauthorized, "does not match"));
  const auto w = signed_post(
      mention,
      "v0=d0f80119e58590b0ffccd432479bf78c4fd8338b3e2520b14a873dabc587c17e");
  EXPECT_TRUE(refused(p->accept(without(w, "x-slack-signature")),
                      ec::unauthorized, "X-Slack-Signature is missing"));
  EXPECT_TRUE(refused(p->accept(without(w, "x-slack-request-timestamp")),
                      ec::unauthorized, "X-Slack-Request-Timestamp"));
}

TEST_F(slack_test, answers_the_challenge_once_it_is_proven) {
  constexpr std::string_view body =
      R"({"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","challenge":"3eZbrw1aB",)"
      R"("type":"url_verification"})";
  const auto p = make();
  const auto taken = p->accept(signed_post(
      body,
      "v0=abbf19aeb79857ac008bdd6aa3b889b8a818e46e2df764a701ef36e5e6b6822c"));
  ASSERT_TRUE(taken);
  EXPECT_TRUE(taken->events.empty());
  ASSERT_TRUE(taken->answer);
  EXPECT_EQ(taken->answer->status, 200);
  EXPECT_EQ(taken->answer->body, "3eZbrw1aB");
  EXPECT_EQ(taken->answer->content_type, "text/plain; charset=utf-8");
  EXPECT_TRUE(refused(p->accept(signed_post(body, "v0=00")), ec::unauthorized,
                      "does not match"));
}

TEST_F(slack_test, answers_a_check_of_the_certificate_and_keeps_nothing) {
  const auto p = make(unsigned_allowed());
  for (std::string body : {R"({"type":"ssl_check"})", R"({"ssl_check":1})"}) {
    const auto taken = p->accept(post(body));
    ASSERT_TRUE(taken) << body;
    EXPECT_TRUE(taken->events.empty());
    ASSERT_TRUE(taken->answer);
    EXPECT_EQ(taken->answer->status, 200);
  }
}

TEST_F(slack_test, finds_who_wrote_what_was_changed_or_deleted) {
  auto ev = unsigned_event(
      R"({"type":"event_callback","event_id":"E1","team_id":"T","event":)"
      R"({"type":"message","subtype":"message_deleted","channel":"C",)"
      R"("ts":"9.9","deleted_ts":"1.2","previous_message":)"
      R"({"user":"U5","ts":"1.2","text":"old"}}})");
  EXPECT_EQ(ev.actor_id, "U5");
  EXPECT_NE(ev.details.slack.find(R"("user_id":"U5")"), std::string::npos);
  EXPECT_NE(ev.details.slack.find(R"("message_ts":"1.2")"), std::string::npos);
}

TEST_F(slack_test, takes_no_bot_for_a_user) {
  const auto message = [&](const std::string& members) {
    return unsigned_event(
        R"({"type":"event_callback","event_id":"E1","team_id":"T","event":)"
        R"({"type":"message","channel":"C","ts":"1.2",)" +
        members + "}}");
  };
  const std::string posted = R"("subtype":"bot_message","bot_id":"B1")";
  auto ev = message(posted);
  EXPECT_EQ(ev.actor_id, "B1");
  EXPECT_EQ(ev.details.slack.find("user_id"), std::string::npos);
  EXPECT_NE(ev.details.slack.find(R"("bot_id":"B1")"), std::string::npos);
  ev = message(R"("subtype":"message_changed","message":{)" + posted + "}");
  EXPECT_EQ(ev.actor_id, "B1");
  EXPECT_EQ(ev.details.slack.find("user_id"), std::string::npos);
  // One that has a user of its own.
  ev = message(R"("user":"U9",)" + posted);
  EXPECT_EQ(ev.actor_id, "U9");
  EXPECT_NE(ev.details.slack.find(R"("user_id":"U9")"), std::string::npos);
}

TEST_F(slack_test, gives_a_retry_the_same_id) {
  const auto p = make();
  auto w = signed_post(
      mention,
      "v0=d0f80119e58590b0ffccd432479bf78c4fd8338b3e2520b14a873dabc587c17e");
  const auto first = only(p->accept(w));
  w.headers.emplace_back("x-slack-retry-num", "1");
  w.headers.emplace_back("x-slack-retry-reason", "http_timeout");
  const auto again = only(p->accept(w));
  EXPECT_EQ(again.event_id, first.event_id);
  EXPECT_NE(again.metadata.find(R"("retry_reason":"http_timeout")"),
            std::string::npos);
}

TEST_F(slack_test, takes_slash_commands) {
  const auto ev = only(make()->accept(form(
      "token=abc&team_id=T1&team_domain=example&channel_id=C2&channel_name="
      "test&user_id=U3&user_name=Steve&command=%2Fweather&text=94070&"
      "trigger_id=13345224609.738474920.8088930838d88f008e0",
      "v0=b91412750b54478c97fc966e6878a2ff93bf3f068ade87b3080421e12020793c")));
  EXPECT_EQ(ev.event_type, "slash_command:/weather");
  EXPECT_EQ(ev.event_id, "trigger:13345224609.738474920.8088930838d88f008e0");
  EXPECT_EQ(ev.source_id, "T1");
  EXPECT_EQ(ev.source_name, "C2");
  EXPECT_EQ(ev.actor_id, "U3");
  EXPECT_NE(ev.details.slack.find(R"("user_id":"U3")"), std::string::npos);
  EXPECT_EQ(ev.actor_name, "Steve");
  EXPECT_NE(ev.payload.view().find(R"("text":"94070")"), std::string::npos);
}

TEST_F(slack_test, holds_for_the_vector_that_slack_publishes) {
  manual_clock then{timestamp{std::chrono::seconds{1531420618}}};
  const auto p = make_slack({secret(slack_secret), then, random_}).value();
  const auto taken = p->accept(form(
      "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain="
      "testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id="
      "U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
      "response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%"
      "2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015."
      "47445629121.803a0bc887a14d10d2c447fce8b6703c",
      "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
      1531420618));
  EXPECT_EQ(only(taken).event_type, "slash_command:/webhook-collect");
}

TEST_F(slack_test, shows_no_body_to_people_in_their_channel) {
  const auto p = make(unsigned_allowed());
  auto w = post("command=%2Fx&user_id=U1", {});
  w = without(w, "content-type");
  w.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
  const auto taken = p->accept(w);
  ASSERT_TRUE(taken);
  const std::vector<event_outcome> stored{append_outcome{}};
  EXPECT_EQ(p->answer(*taken, stored).status, 200);
  EXPECT_EQ(p->answer(*taken, stored).body, "");
  const std::vector<event_outcome> failed{fail(ec::store_full, "no room")};
  EXPECT_EQ(p->answer(*taken, failed).status, 503);
}

TEST_F(slack_test, takes_interactive_payloads) {
  const auto ev = only(make()->accept(form(
      "payload=%7B%22type%22%3A%22block_actions%22%2C%22team%22%3A%7B%22id"
      "%22%3A%22T1%22%2C%22domain%22%3A%22ex%22%7D%2C%22user%22%3A%7B%22id"
      "%22%3A%22U1%22%2C%22username%22%3A%22ann%22%7D%2C%22channel%22%3A%7B"
      "%22id%22%3A%22C1%22%7D%2C%22trigger_id%22%3A%229.9%22%7D",
      "v0=deb38bbcce48a793a5cf2425dbf94c083d549682d58f2408ad2c7b99774327ae")));
  EXPECT_EQ(ev.event_type, "block_actions");
  EXPECT_EQ(ev.event_id, "block_actions:9.9");
  EXPECT_EQ(ev.source_id, "T1");
  EXPECT_EQ(ev.actor_name, "ann");
  EXPECT_NE(ev.details.slack.find(R"("user_id":"U1")"), std::string::npos);
  EXPECT_EQ(ev.payload.view().front(), '{');
}

TEST_F(slack_test, names_what_a_form_lacks) {
  const auto p = make(unsigned_allowed());
  const auto refusal = [&](const char* body) {
    auto w = without(post(body, {}), "content-type");
    w.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
    const auto taken = p->accept(w);
    return taken ? std::string{} : taken.error().message;
  };
  EXPECT_EQ(refusal("payload=%7B%22team%22%3A%7B%7D%7D"),
            "form field payload: /type is missing");
  EXPECT_EQ(refusal("user_id=U1"),
            "form body without a field payload or command");
}

TEST_F(slack_test, stores_that_the_rate_was_limited) {
  const auto ev = only(make()->accept(signed_post(
      R"({"token":"x","type":"app_rate_limited","team_id":"T1",)"
      R"("minute_rate_limited":1518467820,"api_app_id":"A1"})",
      "v0=cbcbf0b79539c54aca6774542ffe3fe3204c32a2c4015a7e02b40ede635e4ad4")));
  EXPECT_EQ(ev.event_type, "app_rate_limited");
  EXPECT_EQ(ev.event_id, "app_rate_limited:T1:A1:1518467820");
  EXPECT_EQ(ev.source_id, "T1");
}

TEST_F(slack_test, finds_channel_and_user_wherever_they_are) {
  auto ev = unsigned_event(
      R"({"type":"event_callback","event_id":"E1","team_id":"T","event":)"
      R"({"type":"channel_created","channel":{"id":"C9","name":"fun"}}})");
  EXPECT_EQ(ev.source_name, "C9");
  EXPECT_NE(ev.metadata.find(R"("channel_name":"fun")"), std::string::npos);
  ev = unsigned_event(
      R"({"type":"event_callback","event_id":"E2","team_id":"T","event":)"
      R"({"type":"reaction_added","user":"U7","item":{"channel":"C8"}}})");
  EXPECT_EQ(ev.source_name, "C8");
  EXPECT_EQ(ev.actor_id, "U7");
  EXPECT_EQ(ev.priority, priority::normal);
  ev = unsigned_event(
      R"({"type":"event_callback","event_id":"E3","team_id":"T","event":)"
      R"({"type":"team_join","user":{"id":"U6","name":"bo"}}})");
  EXPECT_EQ(ev.source_name, "T");
  EXPECT_EQ(ev.actor_id, "U6");
  EXPECT_EQ(ev.actor_name, "bo");
  ev = unsigned_event(
      R"({"type":"event_callback","event_id":"E4","team_id":"T","event":)"
      R"({"type":"assistant_thread_started","assistant_thread":)"
      R"({"user_id":"U5","channel_id":"D1","thread_ts":"9.9"}}})");
  EXPECT_EQ(ev.source_name, "D1");
  EXPECT_EQ(ev.actor_id, "U5");
  ev = unsigned_event(
      R"({"type":"event_callback","event_id":"E5","team_id":"T","event":)"
      R"({"type":"subteam_created","subteam":{"id":"S1","created_by":"U4"}}})");
  EXPECT_EQ(ev.actor_id, "U4");
}

TEST_F(slack_test, names_what_is_missing) {
  const auto p = make(unsigned_allowed());
  const auto read = [&](std::string body) { return p->accept(post(body)); };
  EXPECT_TRUE(refused(read("{}"), ec::malformed, "/type"));
  EXPECT_TRUE(refused(read(R"({"type":"event_callback","event":{}})"),
                      ec::malformed, "/event_id"));
  EXPECT_TRUE(refused(read(R"({"type":"event_callback","event_id":"E"})"),
                      ec::malformed, "/event/type"));
  EXPECT_TRUE(refused(read(R"({"type":"url_verification"})"), ec::malformed,
                      "/challenge"));
  EXPECT_TRUE(refused(read(""), ec::malformed, "empty"));
}

TEST_F(slack_test, tells_slack_when_to_stop_trying) {
  const auto p = make();
  const std::vector<event_outcome> refused_row{fail(ec::row_refused, "no")};
  const auto final = p->answer({}, refused_row);
  EXPECT_EQ(*find_header(final.headers, "X-Slack-No-Retry"), "1");
  const std::vector<event_outcome> busy{fail(ec::overloaded, "busy")};
  EXPECT_EQ(find_header(p->answer({}, busy).headers, "X-Slack-No-Retry"),
            nullptr);
  EXPECT_EQ(p->answer_within(), std::chrono::milliseconds{2'500});
  EXPECT_LT(p->reply_within(),
            p->answer_within() - std::chrono::milliseconds{100});
}

} // namespace
} // namespace eventweft::platforms
