// SPDX-License-Identifier: Apache-2.0
#include "processing/turns.hpp"

#include <gtest/gtest.h>

namespace eventweft::processing {
namespace {

using enum lane_work;
constexpr std::array all_ready{ready, ready, ready, ready};

TEST(turns_test, shares_out_fifteen_turns_by_weight) {
  turns t;
  std::array<size_t, lane_count> got{};
  for (int i = 0; i < 150; ++i)
    ++got[*t.next(all_ready)];
  EXPECT_EQ(got, (std::array<size_t, lane_count>{10, 20, 40, 80}));
}

TEST(turns_test, nobody_waits_longer_than_a_round) {
  turns t;
  size_t waited = 0;
  for (int i = 0; i < 300; ++i) {
    waited = *t.next(all_ready) == 0 ? 0 : waited + 1;
    EXPECT_LE(waited, 15u);
  }
}

TEST(turns_test, the_first_turn_is_the_most_urgent_one) {
  turns t;
  EXPECT_EQ(t.next(all_ready), 3u);
}

TEST(turns_test, a_lane_without_work_saves_no_turns) {
  turns t;
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(t.next({ready, none, none, none}), 0u);
  // Not a hundred turns in a row for those that had nothing to do.
  std::array<size_t, lane_count> got{};
  for (int i = 0; i < 15; ++i)
    ++got[*t.next({ready, none, none, ready})];
  EXPECT_GE(got[0], 1u);
  EXPECT_GE(got[3], 12u);
}

TEST(turns_test, a_blocked_lane_keeps_what_it_has_earned) {
  turns t;
  std::array<size_t, lane_count> got{};
  for (int i = 0; i < 150; ++i) {
    ++got[*t.next(all_ready)];
    EXPECT_EQ(t.next({blocked, blocked, blocked, blocked}), std::nullopt);
  }
  EXPECT_EQ(got, (std::array<size_t, lane_count>{10, 20, 40, 80}));
}

TEST(turns_test, nothing_to_do_is_nobody_s_turn) {
  turns t;
  EXPECT_EQ(t.next({}), std::nullopt);
}

} // namespace
} // namespace eventweft::processing
