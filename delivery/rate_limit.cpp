// SPDX-License-Identifier: Apache-2.0
#include "delivery/rate_limit.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace eventweft::delivery {

namespace {

// What comes due within one fiftieth of a second may go at once, else a timer's
// grain would cost high rates their turns.
constexpr double at_once_per_rate = 1.0 / 50;

// Rates may be as small as a double can be: far enough away is never, and no
// time overflows.
constexpr std::chrono::microseconds longest_wait = std::chrono::days{366};

} // namespace

// What the bucket holds and what flows into it within a second are no more
// than the rate together.
rate_limit::rate_limit(double per_second)
    : per_second_(per_second),
      burst_(std::max(1.0, per_second * at_once_per_rate)),
      tokens_(burst_) {
  per_second_ -= burst_ - 1;
}

double rate_limit::tokens_at(timestamp now) const noexcept {
  if (now <= as_of_)
    return tokens_;
  const std::chrono::duration<double> passed = now - as_of_;
  return std::min(burst_, tokens_ + passed.count() * per_second_);
}

bool rate_limit::take(timestamp now) noexcept {
  if (per_second_ <= 0)
    return true;
  // A hair below a whole token is what rounding to microseconds leaves.
  const double here = tokens_at(now) + 1e-9;
  if (here < 1)
    return false;
  tokens_ = here - 1;
  as_of_ = std::max(as_of_, now);
  return true;
}

timestamp rate_limit::next(timestamp now) const noexcept {
  const double missing = 1 - tokens_at(now) - 1e-9;
  if (per_second_ <= 0 || missing <= 0)
    return now;
  const auto wait = std::min(std::ceil(missing / per_second_ * 1e6),
                             static_cast<double>(longest_wait.count()));
  return now + std::chrono::microseconds{static_cast<int64_t>(wait)};
}

} // namespace eventweft::delivery
