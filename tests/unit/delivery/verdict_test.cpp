// SPDX-License-Identifier: Apache-2.0
#include "delivery/verdict.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventweft::delivery {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

verdict of_status(int status, outgoing::header_list headers = {}) {
  outgoing::response r;
  r.status = status;
  r.headers = std::move(headers);
  return judge(r, *parse_rfc3339("2026-01-31T12:00:00Z"));
}

TEST(judge, knows_what_a_status_means) {
  const std::pair<int, outcome> table[] = {
      {200, outcome::delivered}, {201, outcome::delivered},
      {202, outcome::delivered}, {204, outcome::delivered},
      {299, outcome::delivered}, {300, outcome::failed},
      {301, outcome::failed},    {302, outcome::failed},
      {304, outcome::failed},    {307, outcome::failed},
      {308, outcome::failed},    {400, outcome::failed},
      {401, outcome::failed},    {404, outcome::failed},
      {409, outcome::failed},    {410, outcome::gone},
      {422, outcome::failed},    {429, outcome::throttled},
      {500, outcome::failed},    {501, outcome::failed},
      {502, outcome::throttled}, {503, outcome::throttled},
      {504, outcome::throttled}, {599, outcome::failed},
      {999, outcome::failed}};
  for (const auto& [status, wanted] : table) {
    const auto v = of_status(status);
    EXPECT_EQ(to_string(v.outcome), to_string(wanted)) << status;
    EXPECT_EQ(v.status, status);
    EXPECT_EQ(v.reason.empty(), wanted == outcome::delivered) << status;
  }
  EXPECT_THAT(of_status(302).reason, HasSubstr("redirect"));
}

TEST(judge, hears_what_the_peer_asks_for) {
  EXPECT_EQ(of_status(429, {{"retry-after", "30"}}).retry_after, 30s);
  EXPECT_EQ(of_status(503, {{"Retry-After", "Sat, 31 Jan 2026 12:01:00 GMT"}})
                .retry_after,
            60s);
  EXPECT_EQ(of_status(400, {{"Retry-After", "5"}}).retry_after, 5s);
  EXPECT_FALSE(of_status(429, {{"Retry-After", "later"}}).retry_after);
  EXPECT_FALSE(of_status(200, {{"Retry-After", "5"}}).retry_after);
}

TEST(judge, tells_the_endpoints_failures_from_our_own) {
  using outgoing::failure_kind;
  for (const auto why :
       {failure_kind::bad_request, failure_kind::address_refused,
        failure_kind::resolve, failure_kind::connect, failure_kind::tls,
        failure_kind::timed_out, failure_kind::protocol,
        failure_kind::overloaded, failure_kind::shutting_down}) {
    const auto v = judge(tl::unexpected<outgoing::failure>{outgoing::failure{
                             why, "because", {}}},
                         timestamp{});
    const bool ours =
        why == failure_kind::overloaded || why == failure_kind::shutting_down;
    EXPECT_EQ(v.outcome, ours ? outcome::not_sent : outcome::failed);
    EXPECT_EQ(v.status, 0);
    EXPECT_EQ(v.reason, std::string{outgoing::to_string(why)} + ": because");
  }
}

} // namespace
} // namespace eventweft::delivery
