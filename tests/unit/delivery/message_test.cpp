// SPDX-License-Identifier: Apache-2.0
#include "codec/event_json.hpp"
#include "delivery/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventweft::delivery {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

event_ptr some_event() {
  event e;
  e.id = *uuid::parse("018f3c2e-0000-7000-8000-000000000001");
  e.seq = 7;
  e.event_id = "d-1";
  e.platform = "github";
  e.event_type = "push";
  e.source_name = "octo/repo";
  e.payload = shared_text{"{ \"a\" : 1 }"};
  return event_ptr{std::move(e)};
}

endpoint some_endpoint() {
  endpoint out;
  out.subscription_id = "sub-1";
  out.url = "https://hooks.example/in";
  out.keys = {*signing_key::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")};
  out.headers = {{"Authorization", "Bearer x"}};
  return out;
}

TEST(make_request, signs_the_very_bytes_that_are_sent) {
  const auto to = some_endpoint();
  const auto ev = some_event();
  const timestamp now{std::chrono::seconds{1'700'000'000}};
  const auto r = make_request(to, ev, now);
  EXPECT_EQ(r.url, to.url);
  EXPECT_EQ(r.body.view(), codec::wire_text(ev, wire_format::native));
  EXPECT_THAT(std::string{r.body.view()}, HasSubstr("{ \"a\" : 1 }"));
  const auto id = message_id(ev->id, "sub-1");
  EXPECT_THAT(r.headers, Contains(Pair("webhook-id", id)));
  EXPECT_THAT(r.headers, Contains(Pair("webhook-signature",
                                       to.keys[0].sign(id, 1'700'000'000,
                                                       r.body.view()))));
  EXPECT_THAT(r.headers, Contains(Pair("content-type", "application/json")));
  EXPECT_THAT(r.headers, Contains(Pair("Authorization", "Bearer x")));
  EXPECT_EQ(r.total_timeout, std::chrono::seconds{15});
}

TEST(make_request, sends_cloudevents_where_asked) {
  auto to = some_endpoint();
  to.format = wire_format::cloudevents;
  const auto r = make_request(to, some_event(), timestamp{});
  EXPECT_THAT(r.headers,
              Contains(Pair("content-type", "application/cloudevents+json")));
  EXPECT_THAT(std::string{r.body.view()}, HasSubstr("\"specversion\":\"1.0\""));
}

TEST(make_request, signs_each_attempt_anew_under_the_same_id) {
  const auto to = some_endpoint();
  const auto ev = some_event();
  const auto a = make_request(to, ev, timestamp{std::chrono::seconds{1}});
  const auto b = make_request(to, ev, timestamp{std::chrono::seconds{2}});
  EXPECT_EQ(a.headers[0], b.headers[0]);
  EXPECT_NE(a.headers[1], b.headers[1]);
  EXPECT_NE(a.headers[2], b.headers[2]);
}

TEST(check_custom_headers, lets_ordinary_ones_pass) {
  EXPECT_TRUE(check_custom_headers({}));
  EXPECT_TRUE(check_custom_headers({{"Authorization", "Bearer a.b-c"},
                                    {"X-Tenant", "one two"},
                                    {"User-Agent", "mine"},
                                    {"X-Empty", ""}}));
}

class refused_headers : public testing::TestWithParam<outgoing::header_list> {};

TEST_P(refused_headers, are_unprocessable) {
  const auto r = check_custom_headers(GetParam());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, ec::unprocessable);
  EXPECT_TRUE(r.error().message.starts_with("headers: "));
}

using outgoing::header_list;

INSTANTIATE_TEST_SUITE_P(
    all, refused_headers,
    testing::Values(
        header_list{{"webhook-id", "x"}}, header_list{{"Nats-Rollup", "all"}},
        header_list{{"Webhook-Signature", "x"}}, header_list{{"Host", "x"}},
        header_list{{"content-length", "1"}},
        header_list{{"Content-Type", "text/plain"}},
        header_list{{"Connection", "close"}},
        header_list{{"TRANSFER-ENCODING", "chunked"}}, header_list{{"TE", "x"}},
        header_list{{"Trailer", "x"}}, header_list{{"Upgrade", "h2c"}},
        header_list{{"Keep-Alive", "x"}}, header_list{{"Expect", "x"}},
        header_list{{"Proxy-Authorization", "x"}},
        header_list{{"Content-Encoding", "gzip"}}, header_list{{"", "x"}},
        header_list{{"a b", "x"}}, header_list{{"a:", "x"}},
        header_list{{"a\r\nb", "x"}}, header_list{{"a", "x\r\ny: z"}},
        header_list{{"a", "x\ny"}}, header_list{{"a", std::string{"\0", 1}}},
        header_list{{"a", "\x7f"}}, header_list{{"a", "caf\xc3\xa9"}},
        header_list{{"a", " x"}}, header_list{{"a", "x\t"}},
        header_list{{"a", "x"}, {"A", "y"}},
        header_list{{"a", std::string(9'000, 'x')}},
        header_list(21, {"a", "x"})));

} // namespace
} // namespace eventweft::delivery
