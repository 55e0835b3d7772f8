// SPDX-License-Identifier: Apache-2.0
#include "delivery/rate_limit.hpp"
#include "delivery/schedule.hpp"
#include "tests/support/moments.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

namespace eventweft::delivery {
namespace {

using namespace std::chrono_literals;

class fixed_random final : public random_source {
 public:
  explicit fixed_random(uint64_t value) : value_(value) {}
  uint64_t next() override { return value_; }

 private:
  uint64_t value_;
};

TEST(retry_schedule, has_ten_attempts_over_three_days) {
  retry_schedule s;
  s.jitter = 0;
  seeded_random random{1};
  const std::vector<microseconds> wanted{5s,  5min, 30min, 2h, 5h,
                                         10h, 14h,  20h,   24h};
  for (uint32_t i = 0; i < wanted.size(); ++i)
    EXPECT_EQ(s.pause_after(i + 1, random), wanted[i]) << i;
  EXPECT_EQ(s.max_attempts(), 10u);
  EXPECT_FALSE(s.pause_after(10, random));
  EXPECT_FALSE(s.pause_after(11, random));
}

TEST(retry_schedule, spreads_by_its_jitter_and_no_further) {
  const retry_schedule s;
  fixed_random least{0};
  fixed_random most{~uint64_t{0}};
  EXPECT_EQ(s.pause_after(1, least), 4'500ms);
  EXPECT_NEAR(static_cast<double>(s.pause_after(1, most)->count()), 5.5e6, 2);
  seeded_random random{7};
  microseconds lowest = 1h;
  microseconds highest = 0s;
  for (int i = 0; i < 1'000; ++i) {
    const auto pause = *s.pause_after(1, random);
    lowest = std::min(lowest, pause);
    highest = std::max(highest, pause);
  }
  EXPECT_GE(lowest, 4'500ms);
  EXPECT_LT(lowest, 4'600ms);
  EXPECT_LE(highest, 5'500ms);
  EXPECT_GT(highest, 5'400ms);
}

TEST(retry_schedule, no_pause_is_longer_than_the_longest) {
  retry_schedule s;
  fixed_random most{~uint64_t{0}};
  EXPECT_EQ(s.longest_pause(), 24h + 144min);
  EXPECT_LE(*s.pause_after(9, most), s.longest_pause());
  s.max_retry_after = 48h;
  EXPECT_EQ(s.longest_pause(), 48h);
  EXPECT_EQ(s.pause_after(1, most, 72h), 48h);
}

TEST(retry_schedule, waits_at_least_as_long_as_it_is_asked_to) {
  retry_schedule s;
  s.jitter = 0;
  seeded_random random{1};
  EXPECT_EQ(s.pause_after(1, random, 60s), 60s);
  EXPECT_EQ(s.pause_after(2, random, 60s), 5min);
  EXPECT_EQ(s.pause_after(1, random, 0s), 5s);
  EXPECT_EQ(s.pause_after(1, random, 1'000'000h), 24h);
  EXPECT_FALSE(s.pause_after(10, random, 60s));
}

TEST(rate_limit, holds_in_every_second) {
  for (const double rate : {1.0, 2.5, 5.0, 60.0, 1'000.0}) {
    rate_limit r{rate};
    std::vector<timestamp> taken;
    // A busy time, a rest in which nobody came, and a busy time.
    for (const auto start : {at(0s), at(1h)}) {
      auto now = start;
      while (now < start + 5s) {
        while (r.take(now))
          taken.push_back(now);
        // As timers do, in whole milliseconds.
        now = std::max<timestamp>(
            now + 1ms,
            std::chrono::ceil<std::chrono::milliseconds>(r.next(now)));
      }
    }
    const auto most = static_cast<size_t>(std::ceil(rate));
    for (size_t i = 0; i + most < taken.size(); ++i)
      ASSERT_GE(taken[i + most] - taken[i], 1s) << rate << " at " << i;
    EXPECT_GE(static_cast<double>(taken.size()), 10 * rate * 0.9) << rate;
  }
}

TEST(rate_limit, next_to_nothing_is_not_everything) {
  const timestamp now{1'700'000'000s};
  for (const double rate : {1e-6, 1e-13, 1e-300, 5e-324}) {
    rate_limit r{rate};
    EXPECT_TRUE(r.take(now)) << rate;
    EXPECT_FALSE(r.take(now)) << rate;
    EXPECT_GT(r.next(now), now + std::chrono::days{1}) << rate;
  }
}

TEST(rate_limit, saves_nothing_up) {
  rate_limit r{5};
  EXPECT_TRUE(r.take(at(0s)));
  EXPECT_FALSE(r.take(at(0s)));
  EXPECT_EQ(r.next(at(0s)), at(200ms));
  EXPECT_FALSE(r.take(at(199ms)));
  EXPECT_TRUE(r.take(at(200ms)));
  EXPECT_TRUE(r.take(at(1h)));
  EXPECT_FALSE(r.take(at(1h)));
}

TEST(rate_limit, is_exact_when_asked_just_when_it_says) {
  rate_limit r{3};
  auto now = at(0s);
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_TRUE(r.take(now)) << i;
    ASSERT_FALSE(r.take(now)) << i;
    now = r.next(now);
  }
  EXPECT_NEAR(static_cast<double>((now - at(0s)).count()), 1'000e6 / 3, 2'000);
}

TEST(rate_limit, earns_nothing_from_a_clock_that_goes_back) {
  rate_limit r{1};
  EXPECT_TRUE(r.take(at(10s)));
  EXPECT_FALSE(r.take(at(0s)));
  EXPECT_FALSE(r.take(at(10'500ms)));
  EXPECT_TRUE(r.take(at(11s)));
}

TEST(rate_limit, can_be_none) {
  rate_limit r{0};
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(r.take(at(0s)));
  EXPECT_EQ(r.next(at(0s)), at(0s));
}

} // namespace
} // namespace eventweft::delivery
