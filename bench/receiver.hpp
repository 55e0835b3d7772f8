// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/basics.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>

namespace eventweft::bench {

/// An endpoint on this machine that answers every POST with 200 and counts
/// them, on a thread of its own; does as little as it can.
class receiver {
 public:
  receiver();
  ~receiver();
  receiver(const receiver&) = delete;
  receiver& operator=(const receiver&) = delete;

  const endpoint& address() const noexcept { return address_; }
  uint64_t count() const noexcept { return count_; }

  /// Whether `count` is reached within so many seconds.
  bool wait(uint64_t count, int seconds) const;

 private:
  struct connection {
    unique_fd fd;
    std::string in;
  };

  void watch(int fd);
  void run();
  void accept_all();
  /// False once the connection is over.
  bool serve(connection& c);
  /// Of the first whole request; 0 if there is none yet.
  static size_t request_size(const std::string& in);

  unique_fd listener_;
  unique_fd poll_;
  endpoint address_;
  std::map<int, connection> connections_;
  std::atomic<uint64_t> count_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

} // namespace eventweft::bench
