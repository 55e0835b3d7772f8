// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <spawn.h>
#include <unistd.h>

#include <utility>

/// What is needed to start programs.
namespace eventweft::processing {

/// A file descriptor of ours.
class file {
 public:
  file() = default;
  explicit file(int fd) : fd_(fd) {}
  ~file() { close(); }
  file(file&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  file& operator=(file&& other) noexcept {
    close();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  void close() noexcept {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

/// `posix_spawn`'s two objects, which need an end. Every signal is as a program
/// finds it.
class spawn_settings {
 public:
  /// What the program leads.
  enum class own { group, session };

  explicit spawn_settings(own what);
  ~spawn_settings();
  spawn_settings(const spawn_settings&) = delete;
  spawn_settings& operator=(const spawn_settings&) = delete;

  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t actions{};
};

} // namespace eventweft::processing
