// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "processing/child.hpp"

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace eventweft::processing {

/// Sees to it that programs end with this process, however that ends: a small
/// process beside it knows their groups and kills those that are left once this
/// one is gone. It is started with the first program, is out of the terminal's
/// reach, and ends with this object or with the process. Without it (no
/// `/bin/sh`) programs run all the same. Thread-safe.
class program_guard {
 public:
  /// Told, at most every ten seconds, why there is no such process. Called on
  /// the thread that starts a program.
  using complaint = std::function<void(const std::string&)>;

  explicit program_guard(complaint complain = {});
  ~program_guard();
  program_guard(const program_guard&) = delete;
  program_guard& operator=(const program_guard&) = delete;

  /// Before a program is started: sees to it that the process is there, so
  /// that only an instant lies between a program's start and `begun`.
  void ready();
  /// The leader of a group that has just been started.
  void begun(pid_t group);
  /// To be called before it is waited for: the number is another one's soon.
  void ended(pid_t group);

  /// The process that watches; nothing while there is none.
  std::optional<pid_t> process() const;
  /// Programs that it was told of and that have not ended.
  size_t programs() const;

 private:
  std::string try_to_start();
  bool start();
  void end();
  bool say(char what, pid_t group);
  bool say_all();

  const complaint complain_;
  mutable std::mutex mutex_;
  std::set<pid_t> groups_;
  file line_;
  pid_t pid_ = -1;
  std::optional<std::chrono::steady_clock::time_point> tried_;
};

} // namespace eventweft::processing
