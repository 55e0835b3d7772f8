// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/outgoing/connection.hpp"

#include <chrono>
#include <cstddef>
#include <list>

namespace eventweft::outgoing {

struct idle_limits {
  size_t per_origin = 4;
  size_t total = 256;
  std::chrono::milliseconds max_age{30'000};
};

/// Kept-alive connections, to be used again for the origin they were made
/// for. Bounded; the oldest goes first. Of one thread.
class idle_pool {
 public:
  explicit idle_pool(idle_limits limits) : limits_(limits) {}

  /// The latest one for `to` that still looks alive; null if there is none.
  connection_ptr take(const origin& to, deadline now);

  void put(connection_ptr c, deadline now);

  /// Closes what has been idle for too long.
  void expire(deadline now);

  void clear() { idle_.clear(); }
  size_t size() const noexcept { return idle_.size(); }

 private:
  struct entry {
    connection_ptr open;
    deadline since;
  };

  idle_limits limits_;
  // Oldest first. It is short: a scan costs less than an index.
  std::list<entry> idle_;
};

} // namespace eventweft::outgoing
