// SPDX-License-Identifier: Apache-2.0
#include "delivery/breaker.hpp"
#include "tests/support/moments.hpp"

#include <gtest/gtest.h>

namespace eventweft::delivery {
namespace {

using namespace std::chrono_literals;
using state = breaker::state;

breaker opened() {
  breaker b{{3, 30s, 100s}};
  for (int i = 0; i < 3; ++i)
    b.failed(at(0s), b.started(at(0s)));
  return b;
}

TEST(breaker, opens_after_failures_in_a_row_only) {
  breaker b{{3, 30s, 100s}};
  for (int round = 0; round < 5; ++round) {
    b.failed(at(0s), false);
    b.failed(at(0s), false);
    b.succeeded();
  }
  EXPECT_EQ(b.at(at(0s)), state::closed);
  b.failed(at(0s), false);
  b.failed(at(0s), false);
  EXPECT_TRUE(b.permits(at(0s)));
  b.failed(at(0s), false);
  EXPECT_EQ(b.at(at(0s)), state::open);
  EXPECT_FALSE(b.permits(at(0s)));
}

TEST(breaker, lets_one_probe_through_after_a_while) {
  auto b = opened();
  EXPECT_FALSE(b.permits(at(30s - 1us)));
  EXPECT_EQ(b.opens_until(), at(30s));
  EXPECT_TRUE(b.permits(at(30s)));
  EXPECT_TRUE(b.started(at(30s)));
  EXPECT_EQ(b.at(at(30s)), state::half_open);
  EXPECT_FALSE(b.permits(at(31s)));
}

TEST(breaker, closes_when_the_probe_succeeds) {
  auto b = opened();
  b.started(at(30s));
  b.succeeded();
  EXPECT_EQ(b.at(at(30s)), state::closed);
  b.failed(at(31s), false);
  EXPECT_EQ(b.at(at(31s)), state::closed);
}

TEST(breaker, stays_open_twice_as_long_after_each_failed_probe) {
  auto b = opened();
  auto now = at(30s);
  for (const auto wait : {60s, 100s, 100s}) {
    ASSERT_TRUE(b.permits(now));
    b.failed(now, b.started(now));
    EXPECT_FALSE(b.permits(now + wait - 1us));
    now += wait;
    EXPECT_TRUE(b.permits(now));
  }
  // Having been closed it starts from the beginning.
  b.started(now);
  b.succeeded();
  for (int i = 0; i < 3; ++i)
    b.failed(now, false);
  EXPECT_EQ(b.opens_until(), now + 30s);
}

TEST(breaker, a_late_end_from_before_it_opened_is_not_the_probes) {
  auto b = opened();
  EXPECT_TRUE(b.started(at(30s)));
  b.failed(at(31s), false);
  EXPECT_FALSE(b.permits(at(31s)));
  EXPECT_EQ(b.at(at(31s)), state::half_open);
  EXPECT_EQ(b.opens_until(), at(30s));
}

TEST(breaker, another_probe_follows_one_that_was_abandoned) {
  auto b = opened();
  b.abandoned(b.started(at(30s)));
  EXPECT_TRUE(b.permits(at(30s)));
}

} // namespace
} // namespace eventweft::delivery
