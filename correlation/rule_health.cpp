// SPDX-License-Identifier: Apache-2.0
#include "correlation/rule_health.hpp"

namespace eventweft::correlation {

void rule_health::succeeded() noexcept {
  applied_.fetch_add(1, std::memory_order_relaxed);
  if (in_a_row_.load(std::memory_order_relaxed) != 0)
    in_a_row_.store(0, std::memory_order_relaxed);
}

bool rule_health::failed() noexcept {
  failures_.fetch_add(1, std::memory_order_relaxed);
  if (in_a_row_.fetch_add(1, std::memory_order_relaxed) + 1 < limit_)
    return false;
  return !disabled_.exchange(true, std::memory_order_relaxed);
}

void rule_health::enable() noexcept {
  in_a_row_.store(0, std::memory_order_relaxed);
  disabled_.store(false, std::memory_order_relaxed);
}

} // namespace eventweft::correlation
