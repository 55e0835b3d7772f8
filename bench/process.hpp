// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::bench {

std::vector<pid_t> children_of(pid_t pid);

/// CPU seconds that a process and its living children have used, and what its
/// finished children had.
double cpu_seconds(pid_t pid);

/// Resident bytes of a process and its children, shared pages counted once
/// (the proportional set size).
uint64_t resident_bytes(pid_t pid);

/// CPU seconds of this process.
double own_cpu_seconds();

/// The user that PostgreSQL may run as: nothing if we are not root, otherwise
/// Debian's `postgres`.
struct user_ids {
  uid_t uid;
  gid_t gid;
};
std::optional<user_ids> unprivileged_user();

struct command {
  std::vector<std::string> argv;
  /// Added to our own environment.
  std::vector<std::pair<std::string, std::string>> environment;
  std::filesystem::path directory;
  /// Takes standard output and error.
  std::filesystem::path log;
  std::optional<user_ids> user;
};

/// A child process, stopped at the latest by its destructor, and by the kernel
/// when we die first.
class child {
 public:
  child() = default;
  explicit child(const command& c);
  child(child&& other) noexcept;
  child& operator=(child&& other) noexcept;
  ~child();

  pid_t pid() const noexcept { return pid_; }

  /// Whether it still runs; reaps it if not.
  bool running();

  /// Sends `signal`, waits up to `patience`, then kills. The wait status.
  int stop(int signal, std::chrono::seconds patience);

  /// Waits for it to end by itself; throws if that takes longer than
  /// `patience` or if it fails.
  void finish(std::chrono::seconds patience);

  /// What it has said so far.
  std::string said() const;

 private:
  bool wait_for(std::chrono::seconds patience);

  pid_t pid_ = -1;
  int status_ = 0;
  std::filesystem::path log_;
  std::string name_;
};

/// Runs a command to its end; throws with its output if it fails.
void run(const command& c, std::chrono::seconds patience);

/// A file's whole content; empty if there is none.
std::string read_file(const std::filesystem::path& path);

} // namespace eventweft::bench
