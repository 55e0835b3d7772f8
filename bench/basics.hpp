// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The pieces that every measurement needs. Nothing in bench/ is part of the
/// product: a measurement that can't be made throws `bench_error`, and the
/// report shows it as failed.
namespace eventweft::bench {

struct bench_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws with what errno says.
[[noreturn]] void fail_errno(const std::string& what);

/// Nanoseconds on the steady clock.
inline int64_t now_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch())
      .count();
}

/// Seconds between two `now_ns()`.
inline double seconds_between(int64_t begin, int64_t end) {
  return static_cast<double>(end - begin) / 1e9;
}

/// Owns a file descriptor.
class unique_fd {
 public:
  unique_fd() = default;
  explicit unique_fd(int fd) : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~unique_fd() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// Durations with a resolution of one microsecond up to ten seconds; longer
/// ones count as ten seconds. Not thread-safe.
class histogram {
 public:
  void add(int64_t ns) {
    auto us = static_cast<size_t>(ns < 0 ? 0 : ns / 1'000);
    if (us >= limit)
      us = limit - 1;
    if (us >= counts_.size())
      counts_.resize(us + 1024);
    ++counts_[us];
    ++total_;
  }

  /// All that the other one has, too.
  void add(const histogram& other);

  uint64_t total() const noexcept { return total_; }

  /// In milliseconds, for 0 < q < 1; 0 if nothing was added.
  double quantile_ms(double q) const;

 private:
  static constexpr size_t limit = 10'000'000;
  std::vector<uint32_t> counts_;
  uint64_t total_ = 0;
};

/// A server on this machine.
struct endpoint {
  std::string host = "127.0.0.1";
  uint16_t port = 0;
};

/// A connected, blocking TCP socket with Nagle's delay off and a time-out of
/// 30 s for reads.
unique_fd connect_to(const endpoint& to);

/// A port of the loopback interface that nobody listens on right now.
uint16_t free_port();

/// The whole answer, headers included, to one request on a connection of its
/// own. The server has `seconds` to give it.
std::string http_get(const endpoint& to, std::string_view path,
                     int seconds = 10);

} // namespace eventweft::bench
