// SPDX-License-Identifier: Apache-2.0
#include "correlation/thread_forest.hpp"
#include "tests/unit/correlation/join_support.hpp"

#include <gtest/gtest.h>

namespace eventweft::correlation {
namespace {

using namespace testing;

TEST(thread_forest, the_larger_threads_id_stays_of_two_alike_the_older) {
  thread_forest forest{100};
  const auto small = forest.of_thread(id_of(1), 2);
  const auto large = forest.of_thread(id_of(2), 3);
  const auto alike = forest.of_thread(id_of(3), 3);
  EXPECT_TRUE(forest.unite(small, alike, id_of(8), "a"));
  EXPECT_TRUE(forest.unite(alike, large, id_of(9), "b"));
  for (const auto n : {small, large, alike})
    EXPECT_EQ(forest.thread_of(n), id_of(2));
  EXPECT_EQ(forest.merges(),
            (std::vector<thread_merge>{{id_of(1), id_of(2), id_of(8), "a"},
                                       {id_of(3), id_of(2), id_of(9), "b"}}));
}

TEST(thread_forest, a_fresh_thread_has_the_id_of_its_oldest_event) {
  thread_forest forest{100};
  const auto young = forest.add_event(id_of(7));
  const auto old = forest.add_event(id_of(4));
  EXPECT_EQ(forest.thread_of(young), id_of(7));
  EXPECT_TRUE(forest.unite(young, old, id_of(7), "a"));
  EXPECT_TRUE(forest.is_fresh(young));
  EXPECT_EQ(forest.thread_of(young), id_of(4));
  EXPECT_TRUE(forest.merges().empty());
}

TEST(thread_forest, a_wish_counts_until_there_is_a_thread) {
  thread_forest forest{100};
  const auto n = forest.add_event(id_of(1));
  const auto m = forest.add_event(id_of(2));
  forest.wish(n, id_of(31));
  forest.wish(m, id_of(30));
  EXPECT_TRUE(forest.unite(n, m, id_of(2), "a"));
  EXPECT_EQ(forest.thread_of(n), id_of(30));
  EXPECT_TRUE(forest.unite(n, forest.of_thread(id_of(40), 1), id_of(3), "b"));
  EXPECT_FALSE(forest.is_fresh(m));
  EXPECT_EQ(forest.thread_of(m), id_of(40));
}

TEST(thread_forest, what_is_too_large_together_stays_apart) {
  thread_forest forest{5};
  const auto a = forest.of_thread(id_of(1), 3);
  const auto b = forest.of_thread(id_of(2), 3);
  EXPECT_FALSE(forest.unite(a, b, id_of(9), "a"));
  EXPECT_EQ(forest.thread_of(b), id_of(2));
  EXPECT_TRUE(forest.merges().empty());
  // Single events may still be added, and so grow it past that.
  for (uint64_t n = 10; n < 15; ++n)
    EXPECT_TRUE(forest.unite(a, forest.add_event(id_of(n)), id_of(n), "b"));
  EXPECT_EQ(forest.of_thread(id_of(1), 3), a);
}

} // namespace
} // namespace eventweft::correlation
