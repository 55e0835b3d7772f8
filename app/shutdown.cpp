// SPDX-License-Identifier: Apache-2.0
#include "app/shutdown.hpp"

#include <algorithm>
#include <utility>

namespace eventweft {

shutdown_plan::shutdown_plan(std::chrono::milliseconds whole) noexcept {
  const auto step = std::min(whole / 4, std::chrono::milliseconds{1'000});
  server = whole - 2 * step;
  store = whole - step;
  actors = whole - step / 2;
}

alarm_clock::alarm_clock(std::chrono::steady_clock::time_point when,
                         std::function<void()> f)
    : thread_([this, when, f = std::move(f)](const std::stop_token& stop) {
        {
          std::unique_lock lock{mutex_};
          wake_.wait_until(lock, stop, when, [] { return false; });
        }
        if (!stop.stop_requested())
          f();
      }) {}

} // namespace eventweft
