// SPDX-License-Identifier: Apache-2.0
#include "auth/limiter.hpp"
#include "tests/support/moments.hpp"

#include <gtest/gtest.h>

namespace eventweft::auth {
namespace {

using namespace std::chrono_literals;

TEST(request_limiter, gives_the_burst_and_then_the_rate) {
  request_limiter l{{2, 5, 100}};
  for (int i = 0; i < 5; ++i)
    EXPECT_FALSE(l.ask("a", at(0s))) << i;
  EXPECT_EQ(l.ask("a", at(0s)), 1s);
  // A refusal costs nothing.
  EXPECT_FALSE(l.ask("a", at(500ms)));
  EXPECT_TRUE(l.ask("a", at(500ms)));
  int allowed = 0;
  for (auto t = 1s; t <= 100s; t += 1s)
    for (int i = 0; i < 10; ++i)
      allowed += l.ask("a", at(t)) ? 0 : 1;
  EXPECT_NEAR(allowed, 200, 2);
}

TEST(request_limiter, says_when_to_come_back) {
  request_limiter l{{0.1, 1, 100}};
  EXPECT_FALSE(l.ask("a", at(0s)));
  EXPECT_EQ(l.ask("a", at(0s)), 10s);
  EXPECT_EQ(l.ask("a", at(7'500ms)), 3s);
  EXPECT_FALSE(l.ask("a", at(10s)));
}

TEST(request_limiter, counts_each_by_itself) {
  request_limiter l{{1, 1, 100}};
  EXPECT_FALSE(l.ask("a", at(0s)));
  EXPECT_FALSE(l.ask("b", at(0s)));
  EXPECT_TRUE(l.ask("a", at(0s)));
  EXPECT_EQ(l.remembered(), 2u);
}

TEST(request_limiter, forgets_only_who_has_all_of_their_burst_again) {
  request_limiter l{{1, 2, 2}};
  EXPECT_FALSE(l.ask("a", at(0s)));
  EXPECT_FALSE(l.ask("a", at(0s)));
  EXPECT_FALSE(l.ask("b", at(0s)));
  // A flood of newcomers shares one allowance and evicts nobody.
  int allowed = 0;
  for (int i = 0; i < 1'000; ++i)
    allowed += l.ask("new" + std::to_string(i), at(0s)) ? 0 : 1;
  EXPECT_EQ(allowed, 2);
  EXPECT_EQ(l.remembered(), 2u);
  EXPECT_TRUE(l.ask("a", at(0s)));
  // In time there is a place again.
  EXPECT_FALSE(l.ask("new", at(10s)));
  EXPECT_FALSE(l.ask("new", at(10s)));
  EXPECT_TRUE(l.ask("new", at(10s)));
  EXPECT_EQ(l.remembered(), 2u);
}

TEST(request_limiter, can_be_off) {
  request_limiter l{{0, 1, 1}};
  for (int i = 0; i < 100; ++i)
    EXPECT_FALSE(l.ask("a", at(0s)));
  EXPECT_EQ(l.remembered(), 0u);
}

TEST(limit_key_of_address, takes_a_customer_for_one) {
  EXPECT_EQ(limit_key_of_address("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(limit_key_of_address("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(limit_key_of_address("2001:db8:1:2:3:4:5:6"),
            limit_key_of_address("2001:db8:1:2::9"));
  EXPECT_NE(limit_key_of_address("2001:db8:1:2::1"),
            limit_key_of_address("2001:db8:1:3::1"));
  EXPECT_EQ(limit_key_of_address("unix"), "unix");
}

} // namespace
} // namespace eventweft::auth
