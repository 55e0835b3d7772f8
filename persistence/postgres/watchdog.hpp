// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

namespace eventweft::postgres {

/// Breaks connections whose server has stopped answering without closing
/// them, where no time-out of the server's own can help, and all of them once
/// nobody will wait any longer. Thread-safe; one for each store.
class watchdog {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr time_point never = time_point::max();

  watchdog();
  ~watchdog();
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

  /// Breaks what is watched now, and what is watched from now on at once.
  void give_up();
  bool given_up() const;

  /// While it lives, `socket` is shut down once `deadline` has passed. The
  /// socket must stay open until then.
  class guard {
   public:
    guard(watchdog& dog, int socket, time_point deadline);
    ~guard();
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;

   private:
    watchdog& dog_;
    std::multimap<time_point, int>::iterator entry_;
  };

 private:
  void run();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<time_point, int> watched_;
  bool given_up_ = false;
  bool ending_ = false;
  std::thread thread_;
};

using watchdog_ptr = std::shared_ptr<watchdog>;

} // namespace eventweft::postgres
