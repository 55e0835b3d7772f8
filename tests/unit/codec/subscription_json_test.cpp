// SPDX-License-Identifier: Apache-2.0
#include "codec/subscription_json.hpp"

#include <gtest/gtest.h>

namespace eventweft::codec {
namespace {

template <class T>
std::string refusal(const expected<T>& x) {
  return x ? "accepted"
           : std::string{to_string(x.error().code)} + ": " + x.error().message;
}

TEST(subscription_json, reads_a_stream) {
  const auto s = parse_stream_request(
      R"({"name":"a.B-1","description":"d","filter":{"platforms":["x"]}})");
  ASSERT_TRUE(s);
  EXPECT_EQ(s->name, "a.B-1");
  EXPECT_EQ(s->description, "d");
  EXPECT_EQ(s->filter.platforms, std::vector<std::string>{"x"});
}

TEST(subscription_json, refuses_by_name) {
  EXPECT_EQ(refusal(parse_stream_request("[]")),
            "malformed: body: expected a JSON object");
  EXPECT_EQ(refusal(parse_stream_request("{}")), "unprocessable: name: is "
                                                 "needed");
  EXPECT_EQ(refusal(parse_stream_request(R"({"name":"a b"})")),
            "unprocessable: name: 1 to 100 letters, digits, `_`, `.` and `-`, "
            "not `.` or `..`");
  EXPECT_FALSE(parse_stream_request(R"({"name":"."})"));
  EXPECT_FALSE(parse_stream_request(R"({"name":".."})"));
  EXPECT_TRUE(parse_stream_request(R"({"name":"..."})"));
  EXPECT_EQ(refusal(parse_stream_request(R"({"name":"a","nam":1})")),
            "unprocessable: unknown member \"nam\"");
  EXPECT_EQ(refusal(parse_stream_request(R"({"name":"a","filter":{"x":1}})"))
                .substr(0, 14),
            "unprocessable:");
  EXPECT_EQ(refusal(parse_stream_request(R"({"name":"a","name":"b"})")),
            "malformed: name: is given twice");
  EXPECT_EQ(
      refusal(parse_stream_request(R"({"name":"a","filter":{"platforms":["x"],)"
                                   R"("platforms":["y"]}})"))
          .substr(0, 10),
      "malformed:");
  EXPECT_EQ(refusal(parse_subscription_request(
                R"({"url":"u","headers":{"a":"1","a":"2"}})")),
            "malformed: headers: a is given twice");
  EXPECT_EQ(refusal(parse_stream_change("{}")),
            "unprocessable: description or filter is needed");
  EXPECT_EQ(refusal(parse_subscription_request(R"({"type":"smoke"})")),
            R"(unprocessable: type: expected "webhook", "nats" or "kafka")");
  EXPECT_EQ(refusal(parse_subscription_request(R"({"url":7})")),
            "unprocessable: url: expected a string of at most 2048 bytes");
  EXPECT_EQ(refusal(parse_subscription_request(R"({"url":"u","ordered":1})")),
            "unprocessable: ordered: expected true or false");
  EXPECT_EQ(
      refusal(parse_subscription_request(R"({"url":"u","headers":{"a":1}})")),
      "unprocessable: headers: expected an object of strings");
  EXPECT_EQ(
      refusal(parse_subscription_request(R"({"url":"u","format":"xml"})")),
      R"(unprocessable: format: expected "native" or "cloudevents")");
  EXPECT_EQ(refusal(parse_replay_request("{}")),
            "unprocessable: since: is needed, or event_id");
  EXPECT_EQ(refusal(parse_replay_request(R"({"since":1,"until":"x"})")),
            "unprocessable: until: expected an RFC 3339 time");
}

TEST(subscription_json, reads_a_subscription) {
  const auto n = parse_subscription_request(
      R"({"type":"webhook","subscriber_id":"ci","url":"https://x/","filter":{},
          "format":"cloudevents","ordered":true,"headers":{"X-A":"b"},
          "max_concurrent":4,"rate_per_second":1.5,"since":12,
          "signature":"v1a"})");
  ASSERT_TRUE(n) << n.error().message;
  EXPECT_EQ(n->what.subscriber_id, "ci");
  EXPECT_EQ(n->what.format, wire_format::cloudevents);
  EXPECT_TRUE(n->what.ordered);
  EXPECT_EQ(n->what.headers, (outgoing::header_list{{"X-A", "b"}}));
  EXPECT_EQ(n->what.max_concurrent, 4u);
  EXPECT_EQ(n->what.rate_per_second, 1.5);
  EXPECT_TRUE(n->asymmetric);
  EXPECT_EQ(n->since, start_point::after(12));
  EXPECT_TRUE(n->what.active);
}

TEST(subscription_json, reads_changes) {
  const auto c = parse_subscription_change(R"({"active":false})");
  ASSERT_TRUE(c);
  EXPECT_EQ(c->active, false);
  EXPECT_FALSE(c->url);
  EXPECT_FALSE(c->rotate_secret);
  EXPECT_TRUE(parse_subscription_change(R"({"secret":"s"})")->rotate_secret);
  EXPECT_TRUE(
      parse_subscription_change(R"({"rotate_secret":true})")->rotate_secret);
  EXPECT_FALSE(parse_subscription_change(R"({"type":"nats"})"));
}

TEST(subscription_json, writes_numbers_as_people_do) {
  subscription_view v;
  v.figures.lag_seconds = 0.25;
  auto text = subscription_json(v);
  EXPECT_NE(text.find(R"("rate_per_second":0,)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("lag_seconds":0.25,)"), std::string::npos) << text;
  for (const auto& [rate, written] :
       {std::pair{5.0, "5,"}, {2.5, "2.5,"}, {1e6, "1000000,"}}) {
    v.what.rate_per_second = rate;
    text = subscription_json(v);
    EXPECT_NE(text.find("\"rate_per_second\":" + std::string{written}),
              std::string::npos)
        << text;
  }
}

TEST(subscription_json, names_a_member_once) {
  const auto message = [](const char* body) {
    return parse_subscription_request(body).error().message;
  };
  EXPECT_TRUE(message(R"({"url":"https://a","since":"soon"})")
                  .starts_with("since: expected now"));
  EXPECT_TRUE(message(R"({"url":"https://a","filter":7})")
                  .starts_with("filter: expected a JSON object"));
}

TEST(subscription_json, shows_no_secret_but_a_new_one) {
  subscription_view v;
  v.what.secrets = {"whsec_hidden"};
  v.what.headers = {{"Authorization", "hidden"}};
  EXPECT_EQ(subscription_json(v).find("hidden"), std::string::npos);
  v.new_secret = "whsec_shown";
  EXPECT_NE(subscription_json(v).find(R"("secret":"whsec_shown")"),
            std::string::npos);
}

TEST(subscription_json, stored_forms_come_back) {
  const std::vector<std::string> list{"a", "\"b\"", ""};
  EXPECT_EQ(parse_text_list(text_list_json(list)), list);
  const outgoing::header_list headers{{"A", "1"}, {"B", "\"2\""}};
  EXPECT_EQ(parse_header_list(header_list_json(headers)), headers);
  replay_state r{3, 9, {}};
  r.filter.event_types = {"push"};
  EXPECT_EQ(parse_replay(replay_json(r)), r);
  for (const auto* bad : {"", "{}", "[1]", "[[\"a\"]]", "nonsense"}) {
    EXPECT_FALSE(parse_text_list(bad).has_value() && std::string{bad} != "[]");
    EXPECT_FALSE(parse_replay(bad));
  }
}

} // namespace
} // namespace eventweft::codec
