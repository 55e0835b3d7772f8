// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace eventweft::processing {

/// One lane a priority.
inline constexpr size_t lane_count = 4;

constexpr size_t lane_of(eventweft::priority p) noexcept {
  return static_cast<size_t>(p);
}

/// By lane.
inline constexpr std::array<eventweft::priority, lane_count> lanes_in_order{
    eventweft::priority::low, eventweft::priority::normal,
    eventweft::priority::high, eventweft::priority::critical};

/// Turns in 15 while all lanes have work: low, normal, high, critical. A lane
/// without work leaves its turns to the others.
inline constexpr std::array<uint32_t, lane_count> lane_shares{1, 2, 4, 8};

/// What a lane has to hand out.
enum class lane_work : uint8_t {
  none,
  /// Its processors run as much as they may.
  blocked,
  ready,
};

/// Whose turn it is: weighted, evenly mixed (never eight in a row while
/// another lane waits), and no lane waits for ever.
class turns {
 public:
  /// The lane whose turn it is among those that are ready; nothing if none is.
  /// One that is blocked keeps what it has earned, one without work loses it.
  std::optional<size_t> next(const std::array<lane_work, lane_count>& work);

 private:
  std::array<int64_t, lane_count> credit_{};
};

} // namespace eventweft::processing
