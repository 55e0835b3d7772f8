// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace eventweft {

/// How often and how far apart a worker is looked for while it restarts.
inline constexpr unsigned worker_attempts = 20;
inline constexpr std::chrono::milliseconds worker_pause{50};

} // namespace eventweft
