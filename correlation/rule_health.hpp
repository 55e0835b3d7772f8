// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace eventweft::correlation {

/// Told of each failure of a rule; `disabled`: it was the last straw.
using rule_failure_hook = std::function<void(
    std::string_view rule, std::string_view what, bool disabled)>;

/// How one rule is doing: it is left out for good after `limit` failures in a
/// row. Thread-safe.
class rule_health {
 public:
  explicit rule_health(uint32_t limit) : limit_(limit) {}

  bool enabled() const noexcept {
    return !disabled_.load(std::memory_order_relaxed);
  }
  uint64_t failures() const noexcept {
    return failures_.load(std::memory_order_relaxed);
  }
  uint64_t applied() const noexcept {
    return applied_.load(std::memory_order_relaxed);
  }

  void succeeded() noexcept;
  /// True if this failure disabled the rule; at most once.
  bool failed() noexcept;
  /// Takes it back into use.
  void enable() noexcept;

 private:
  const uint32_t limit_;
  std::atomic<uint32_t> in_a_row_{0};
  std::atomic<uint64_t> failures_{0};
  std::atomic<uint64_t> applied_{0};
  std::atomic<bool> disabled_{false};
};

} // namespace eventweft::correlation
