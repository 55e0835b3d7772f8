// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/time.hpp"

#include <chrono>

namespace eventweft {

/// A moment of a test's own time.
inline timestamp at(std::chrono::microseconds t) {
  return timestamp{std::chrono::hours{1'000} + t};
}

/// 2026-01-31, noon.
inline timestamp noon() {
  return *parse_rfc3339("2026-01-31T12:00:00Z");
}

} // namespace eventweft
