// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <optional>

namespace eventweft {

/// Takes SIGINT, SIGTERM and SIGHUP for the calling thread and all that it
/// starts from now on, so that one thread can wait for them, and ignores
/// SIGPIPE (writing to a closed socket is an error code, not a death).
class signal_waiter {
 public:
  signal_waiter();
  /// Gives the signals back to whatever handled them before.
  ~signal_waiter();
  signal_waiter(const signal_waiter&) = delete;
  signal_waiter& operator=(const signal_waiter&) = delete;

  /// Waits for SIGINT, SIGTERM, SIGHUP or `wake`; the signal, or nothing for
  /// `wake`.
  std::optional<int> wait();

  /// From any thread: lets `wait` return.
  void wake();

  /// From now on the next SIGINT or SIGTERM ends the process at once.
  void end_at_next();

 private:
  sigset_t taken_;
  sigset_t before_;
  struct sigaction pipe_before_ {};
  pid_t process_;
};

} // namespace eventweft
