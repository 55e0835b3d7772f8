// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/time.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft {

/// How each supervised actor is. The supervisor writes it, people read it.
/// Thread-safe.
class actor_board {
 public:
  struct entry {
    std::string name;
    /// When it ends, among the parts: "edges", "writer", …
    std::string phase;
    /// "starting", "running", "restarting", "ended".
    std::string state = "starting";
    uint32_t restarts = 0;
    /// Why it ended last; empty if it never did.
    std::string last_error;
    /// Of the state.
    timestamp since{};
  };

  /// The number of the new entry.
  size_t add(std::string name, std::string phase);
  void running(size_t number, timestamp now);
  void restarting(size_t number, std::string why, timestamp now);
  void ended(size_t number, timestamp now);

  std::vector<entry> list() const;

 private:
  mutable std::mutex mutex_;
  std::vector<entry> entries_;
};

} // namespace eventweft
