// SPDX-License-Identifier: Apache-2.0
#include "delivery/lanes.hpp"

#include <algorithm>

namespace eventweft::delivery {

namespace {

constexpr uint32_t firsts_per_retry = 3;

} // namespace

void lanes::remove(seq_t seq, timestamp due) {
  first_.erase(seq);
  retries_.erase({due, seq});
}

std::optional<lanes::turn> lanes::take(timestamp now, bool allow_retries) {
  const bool retry_due =
      allow_retries && !retries_.empty() && retries_.begin()->first <= now;
  if (retry_due && (first_.empty() || first_in_a_row_ >= firsts_per_retry)) {
    const auto seq = retries_.begin()->second;
    retries_.erase(retries_.begin());
    first_in_a_row_ = 0;
    return turn{seq, true};
  }
  if (first_.empty())
    return std::nullopt;
  const auto seq = *first_.begin();
  first_.erase(first_.begin());
  first_in_a_row_ = std::min(first_in_a_row_ + 1, firsts_per_retry);
  return turn{seq, false};
}

std::optional<timestamp> lanes::next(timestamp now,
                                     bool allow_retries) const noexcept {
  if (!first_.empty())
    return now;
  if (!allow_retries || retries_.empty())
    return std::nullopt;
  return std::max(now, retries_.begin()->first);
}

} // namespace eventweft::delivery
