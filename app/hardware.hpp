// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <thread>

namespace eventweft {

/// What can run at the same time here; at least 1.
inline uint32_t hardware_threads() noexcept {
  return std::max(std::thread::hardware_concurrency(), 1u);
}

} // namespace eventweft
