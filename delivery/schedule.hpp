// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace eventweft::delivery {

using std::chrono::microseconds;

/// When a delivery that failed is tried again.
struct retry_schedule {
  /// After the first attempt, the second, …; there is one attempt more than
  /// there are pauses.
  std::vector<microseconds> pauses{
      std::chrono::seconds{5},  std::chrono::minutes{5},
      std::chrono::minutes{30}, std::chrono::hours{2},
      std::chrono::hours{5},    std::chrono::hours{10},
      std::chrono::hours{14},   std::chrono::hours{20},
      std::chrono::hours{24}};
  /// Each pause is up to this part longer or shorter, so that what failed
  /// together does not come back together. 0 … 1.
  double jitter = 0.1;
  /// The longest that a peer's `Retry-After` is honoured.
  microseconds max_retry_after = std::chrono::hours{24};
  /// A delivery that is due and could not be tried (its endpoint's breaker is
  /// open, or it wants to be left in peace) is given up this long after the
  /// event.
  microseconds max_age = std::chrono::hours{96};

  uint32_t max_attempts() const noexcept {
    return static_cast<uint32_t>(pauses.size()) + 1;
  }

  /// The pause after `attempts_made` ≥ 1 failed attempts; nothing: give up.
  /// Never shorter than `asked_for` by the peer, up to `max_retry_after`.
  std::optional<microseconds>
  pause_after(uint32_t attempts_made, random_source& random,
              std::optional<microseconds> asked_for = {}) const;
  /// Than which none of these is longer.
  microseconds longest_pause() const;
};

} // namespace eventweft::delivery
