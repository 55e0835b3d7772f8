// SPDX-License-Identifier: Apache-2.0
#include "codec/subscription_requests.hpp"

#include <gtest/gtest.h>

namespace eventweft::codec {
namespace {

template <class T>
std::string refusal(const expected<T>& x) {
  return x ? "accepted"
           : std::string{to_string(x.error().code)} + ": " + x.error().message;
}

TEST(subscription_requests, reads_a_stream) {
  const auto s = parse_stream_request(
      R"({"name":"a.B-1","description":"d","filter":{"platforms":["x"]}})");
  ASSERT_TRUE(s);
  EXPECT_EQ(s->name, "a.B-1");
  EXPECT_EQ(s->description, "d");
  EXPECT_EQ(s->filter.platforms, std::vector<std::string>{"x"});
}

TEST(subscription_requests, refuses_by_name) {
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
  EXPECT_EQ(refusal(parse_subscription_request(R"({"url":"\u0000"})")),
            "unprocessable: url: must not hold U+0000");
  for (const auto* nul : {R"({"platforms":["a\u0000"]})",
                          R"({"custom_filters":{"payload.a":"\u0000"}})",
                          R"({"custom_filters":{"payload.\u0000":"a"}})"})
    EXPECT_EQ(refusal(parse_stream_request(R"({"name":"a","filter":)" +
                                           std::string{nul} + '}')),
              "unprocessable: filter: must not hold U+0000")
        << nul;
  EXPECT_EQ(refusal(parse_subscription_request(
                R"({"url":"u","max_concurrent":1001})")),
            "unprocessable: max_concurrent: expected a whole number from 0 to "
            "1000");
  EXPECT_EQ(refusal(parse_subscription_request(
                R"({"url":"u","rate_per_second":1e7})")),
            "unprocessable: rate_per_second: expected a number from 0 to "
            "1000000");
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

TEST(subscription_requests, reads_a_subscription) {
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

TEST(subscription_requests, reads_changes) {
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

TEST(subscription_requests, names_a_member_once) {
  const auto message = [](const char* body) {
    return parse_subscription_request(body).error().message;
  };
  EXPECT_TRUE(message(R"({"url":"https://a","since":"soon"})")
                  .starts_with("since: expected now"));
  EXPECT_TRUE(message(R"({"url":"https://a","filter":7})")
                  .starts_with("filter: expected a JSON object"));
}

} // namespace
} // namespace eventweft::codec
