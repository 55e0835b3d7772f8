// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/uuid.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace eventweft {

/// Pauses that double from `min` to `max`, each shortened by up to half at
/// random, so that many who wait do not come back together.
class backoff {
 public:
  backoff(std::chrono::milliseconds min, std::chrono::milliseconds max)
      : min_(std::max(min, std::chrono::milliseconds{1})),
        max_(std::max(max, min_)),
        step_(min_) {}

  std::chrono::milliseconds next(random_source& random) {
    auto full = step_;
    step_ = std::min(max_, step_ * 2);
    auto half = static_cast<uint64_t>(full.count() / 2);
    auto cut = half == 0 ? 0 : random.next() % (half + 1);
    return full - std::chrono::milliseconds{cut};
  }

  void reset() noexcept { step_ = min_; }

 private:
  std::chrono::milliseconds min_;
  std::chrono::milliseconds max_;
  std::chrono::milliseconds step_;
};

} // namespace eventweft
