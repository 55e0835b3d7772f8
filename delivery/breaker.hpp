// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace eventweft::delivery {

struct breaker_options {
  /// Failures in a row that open it. At least 1.
  uint32_t failures_to_open = 5;
  /// How long it stays open at first; twice as long after each failed probe.
  std::chrono::microseconds open_min = std::chrono::seconds{30};
  std::chrono::microseconds open_max = std::chrono::minutes{30};
};

/// Stops sending to an endpoint that is down. Closed: everything goes. Open:
/// nothing goes. Half-open, after a while: one probe goes, whose end decides.
class breaker {
 public:
  enum class state : uint8_t { closed = 0, open = 1, half_open = 2 };

  explicit breaker(breaker_options options) : options_(options) {}
  /// One that was opened before, for `open_for`, until `until`.
  breaker(breaker_options options, timestamp until,
          std::chrono::microseconds open_for)
      : options_(options), open_until_(until), open_for_(open_for) {}

  /// Whether another request may start now.
  bool permits(timestamp now) const noexcept;
  /// One that was permitted starts; true if it is the probe, which its end
  /// has to be told with.
  bool started(timestamp now) noexcept;
  void succeeded() noexcept;
  void failed(timestamp now, bool probe) noexcept;
  /// It ended in a way that says nothing about the endpoint.
  void abandoned(bool probe) noexcept;

  state at(timestamp now) const noexcept;
  /// When an open one lets a probe through.
  std::optional<timestamp> opens_until() const noexcept;
  /// How long the one that is open was to be so.
  std::chrono::microseconds open_for() const noexcept { return open_for_; }

 private:
  breaker_options options_;
  uint32_t failures_ = 0;
  std::optional<timestamp> open_until_;
  std::chrono::microseconds open_for_{0};
  bool probing_ = false;
};

/// "closed", "open", "half_open"
std::string_view to_string(breaker::state s) noexcept;

} // namespace eventweft::delivery
