// SPDX-License-Identifier: Apache-2.0
#include "processing/worker_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <thread>

namespace eventweft::processing {
namespace {

using namespace std::chrono_literals;

/// Tells when something has happened often enough.
class counter {
 public:
  void operator()() {
    std::lock_guard guard{mutex_};
    ++count_;
    changed_.notify_all();
  }

  bool reached(int n) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, 20s, [&] { return count_ >= n; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

TEST(worker_pool_test, runs_as_many_at_once_as_it_has_places) {
  counter freed;
  std::latch go{1};
  worker_pool pool{2, 0, [&freed] { freed(); }};
  EXPECT_TRUE(pool.run(1, [&go](auto) { go.wait(); }));
  EXPECT_TRUE(pool.run(2, [&go](auto) { go.wait(); }));
  EXPECT_FALSE(pool.run(3, [](auto) {}));
  EXPECT_EQ(pool.state().busy, 2u);
  go.count_down();
  ASSERT_TRUE(freed.reached(2));
  EXPECT_TRUE(pool.run(4, [](auto) {}));
  EXPECT_TRUE(freed.reached(3));
}

TEST(worker_pool_test, replaces_what_hangs_and_counts_it) {
  counter freed;
  counter came_back;
  std::latch hang{1};
  worker_pool pool{1, 1, [&freed] { freed(); }};
  ASSERT_TRUE(pool.run(1, [&](auto) {
    hang.wait();
    came_back();
  }));
  while (pool.state().idle != 0)
    std::this_thread::yield();
  // It may not have begun; then there is nothing to replace.
  while (pool.state().lost == 0) {
    pool.abandon(1);
    if (pool.state().lost == 0) {
      ASSERT_TRUE(pool.run(1, [&](auto) {
        hang.wait();
        came_back();
      }));
    }
  }
  ASSERT_TRUE(freed.reached(1));
  EXPECT_TRUE(pool.run(2, [](auto) {}));
  ASSERT_TRUE(freed.reached(2));
  hang.count_down();
  ASSERT_TRUE(came_back.reached(1));
  while (pool.state().lost != 0)
    std::this_thread::sleep_for(1ms);
  EXPECT_EQ(pool.state().idle, 1u);
}

TEST(worker_pool_test, asks_what_it_abandons_to_stop) {
  counter stopped;
  counter begun;
  worker_pool pool{1, 1, [] {}};
  ASSERT_TRUE(pool.run(7, [&](std::stop_token stop) {
    begun();
    while (!stop.stop_requested())
      std::this_thread::sleep_for(1ms);
    stopped();
  }));
  ASSERT_TRUE(begun.reached(1));
  pool.abandon(7);
  EXPECT_TRUE(stopped.reached(1));
}

TEST(worker_pool_test, gives_no_place_back_beyond_the_limit) {
  std::latch hang{1};
  counter begun;
  counter ended;
  {
    worker_pool pool{1, 0, [] {}};
    ASSERT_TRUE(pool.run(1, [&](auto) {
      begun();
      hang.wait();
      ended();
    }));
    ASSERT_TRUE(begun.reached(1));
    pool.abandon(1);
    EXPECT_EQ(pool.state().idle, 0u);
    EXPECT_FALSE(pool.run(2, [](auto) {}));
    hang.count_down();
    ASSERT_TRUE(ended.reached(1));
    while (pool.state().idle == 0)
      std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(pool.run(3, [](auto) {}));
  }
}

TEST(worker_pool_test, ends_although_something_hangs) {
  // Outlives the test: its thread looks at it when it comes back.
  static std::atomic<bool> go = false;
  static counter ended;
  counter begun;
  const auto before = std::chrono::steady_clock::now();
  {
    worker_pool pool{1, 1, [] {}};
    ASSERT_TRUE(pool.run(1, [&begun](auto) {
      begun();
      while (!go)
        std::this_thread::sleep_for(1ms);
      ended();
    }));
    ASSERT_TRUE(begun.reached(1));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - before, 15s);
  go = true;
  EXPECT_TRUE(ended.reached(1));
}

} // namespace
} // namespace eventweft::processing
