// SPDX-License-Identifier: Apache-2.0
#include "processing/dispatcher.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace eventweft::processing {
namespace {

class dispatcher_test : public ::testing::Test {
 protected:
  std::vector<seq_t> pick_all(bool async = false) {
    std::vector<seq_t> out;
    while (const auto picked = d.next(async))
      out.push_back(picked->seq);
    return out;
  }

  static workload of_concurrency(uint32_t n) {
    workload w;
    w.concurrency = n;
    return w;
  }

  dispatcher d;
};

TEST_F(dispatcher_test, goes_round_the_workloads_of_a_lane) {
  auto a = of_concurrency(9);
  auto b = of_concurrency(9);
  for (seq_t seq : {1, 2, 3})
    d.add(a, 1, seq);
  for (seq_t seq : {11, 12})
    d.add(b, 1, seq);
  EXPECT_EQ(d.depth()[1], 5u);
  EXPECT_EQ(pick_all(), (std::vector<seq_t>{1, 11, 2, 12, 3}));
  EXPECT_EQ(d.depth()[1], 0u);
  EXPECT_EQ(a.running, 3u);
}

TEST_F(dispatcher_test, a_workload_has_no_more_running_than_it_may) {
  auto a = of_concurrency(1);
  d.add(a, 0, 1);
  d.add(a, 3, 2);
  EXPECT_EQ(pick_all(), std::vector<seq_t>{2});
  d.ended(a);
  EXPECT_EQ(pick_all(), std::vector<seq_t>{1});
}

// Workers come for more while it runs, and find nothing.
TEST_F(dispatcher_test, lanes_share_the_turns_of_one_at_a_time) {
  auto a = of_concurrency(1);
  auto async = of_concurrency(1);
  async.async = true;
  for (seq_t seq = 0; seq < 600; ++seq)
    d.add(a, static_cast<size_t>(seq) % lane_count, seq);
  d.add(async, 0, 1000);
  std::array<size_t, lane_count> got{};
  for (int i = 0; i < 150; ++i) {
    ++got[d.next(false)->lane];
    EXPECT_FALSE(d.next(false));
    d.ended(a);
  }
  EXPECT_EQ(got, (std::array<size_t, lane_count>{10, 20, 40, 80}));
  EXPECT_EQ(d.depth(), (std::array<size_t, lane_count>{141, 130, 110, 70}));
}

TEST_F(dispatcher_test, what_needs_no_worker_is_handed_out_apart) {
  auto a = of_concurrency(1);
  a.async = true;
  d.add(a, 1, 1);
  EXPECT_FALSE(d.next(false));
  EXPECT_EQ(pick_all(true), std::vector<seq_t>{1});
}

TEST_F(dispatcher_test, held_lanes_wait_until_they_are_let_go) {
  auto a = of_concurrency(9);
  EXPECT_EQ(d.hold(2), 0u);
  d.add(a, 1, 1);
  d.add(a, 2, 2);
  EXPECT_EQ(pick_all(), std::vector<seq_t>{2});
  EXPECT_EQ(d.hold(0), 2u);
  d.enroll(a);
  EXPECT_EQ(pick_all(), std::vector<seq_t>{1});
}

TEST_F(dispatcher_test, a_removed_workload_leaves_nothing_behind) {
  auto a = of_concurrency(9);
  auto b = of_concurrency(9);
  d.add(a, 1, 1);
  d.add(a, 2, 2);
  d.add(b, 1, 3);
  d.remove(a);
  EXPECT_EQ(d.depth(), (std::array<size_t, lane_count>{0, 1, 0, 0}));
  EXPECT_EQ(pick_all(), std::vector<seq_t>{3});
}

} // namespace
} // namespace eventweft::processing
