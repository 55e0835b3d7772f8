// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <utility>

namespace eventweft::bench {

/// Holds a process and its children to a share of one core for as long as this
/// lives, by a control group of their own (cgroups(7), version 1 or 2). After
/// that they are in the root group.
class cpu_share {
 public:
  /// Null where this machine, or what we may do on it, has no such group.
  static std::unique_ptr<cpu_share> hold(pid_t process, double cores);

  ~cpu_share();
  cpu_share(const cpu_share&) = delete;
  cpu_share& operator=(const cpu_share&) = delete;

 private:
  cpu_share(std::filesystem::path group, pid_t process)
      : group_(std::move(group)), process_(process) {}

  std::filesystem::path group_;
  pid_t process_;
};

} // namespace eventweft::bench
