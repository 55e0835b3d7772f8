// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace eventweft {

/// Until when each part of a shutdown may take, from its beginning. What comes
/// later gets what its forerunners leave, and always a little.
struct shutdown_plan {
  explicit shutdown_plan(std::chrono::milliseconds whole) noexcept;

  /// Readers and requests; then they are cut off.
  std::chrono::milliseconds server;
  /// The store is waited for; then it is given up, so that what hangs in a call
  /// of its ends: events go to the spool.
  std::chrono::milliseconds store;
  /// The actors; then they are killed.
  std::chrono::milliseconds actors;
};

/// Calls a function on a thread of its own at a point in time, unless it is
/// destroyed before. Where the call has begun, the destructor waits for it.
class alarm_clock {
 public:
  alarm_clock(std::chrono::steady_clock::time_point when,
              std::function<void()> f);
  ~alarm_clock() = default;
  alarm_clock(const alarm_clock&) = delete;
  alarm_clock& operator=(const alarm_clock&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  /// Last: it uses all of the above.
  std::jthread thread_;
};

} // namespace eventweft
