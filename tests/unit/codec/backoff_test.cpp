// SPDX-License-Identifier: Apache-2.0
#include "messages/backoff.hpp"

#include <gtest/gtest.h>

namespace eventweft {
namespace {

using namespace std::chrono_literals;

/// Always the same number.
class fixed_random final : public random_source {
 public:
  explicit fixed_random(uint64_t number) : number_(number) {}
  uint64_t next() override { return number_; }

 private:
  uint64_t number_;
};

TEST(Backoff, DoublesUpToItsLongestPauseAndBeginsAnew) {
  fixed_random none{0};
  backoff pauses{250ms, 1s};
  for (const auto pause : {250ms, 500ms, 1000ms, 1000ms})
    EXPECT_EQ(pauses.next(none), pause);
  pauses.reset();
  EXPECT_EQ(pauses.next(none), 250ms);
}

TEST(Backoff, ShortensAPauseByHalfAtMost) {
  backoff pauses{100ms, 100ms};
  fixed_random half{50};
  EXPECT_EQ(pauses.next(half), 50ms);
  fixed_random more{51};
  EXPECT_EQ(pauses.next(more), 100ms);
}

TEST(Backoff, IsNeverWithoutAPause) {
  fixed_random any{7};
  backoff pauses{0ms, 0ms};
  EXPECT_EQ(pauses.next(any), 1ms);
  EXPECT_EQ(pauses.next(any), 1ms);
}

} // namespace
} // namespace eventweft
