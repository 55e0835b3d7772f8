// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dirent.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace eventweft {

struct port_limits {
  /// From the connection to the link; also how long a connection whose link is
  /// down may wait for the next one.
  std::chrono::milliseconds hello_within{10'000};
  /// Connections that are no link's; beyond it the oldest are ended.
  size_t most_strangers = 64;
};

/// "HOST:PORT" as `port_guard` tells connections from each other; `host` in
/// numbers, as CAF has it.
std::string far_end_of(const std::string& host, uint16_t port);

/// Ends the connections to a port that do not become links. CAF takes whoever
/// comes, and waits for ever for those who say nothing, or too little.
///
/// All connections to the port must belong to the thread that calls `look`: no
/// other one may close them.
class port_guard {
 public:
  using nanoseconds = std::chrono::nanoseconds;

  port_guard(uint16_t port, port_limits limits);

  /// Ends strangers that are too old, or too many, and returns how many. What
  /// is ended is shut down, for its owner to close. `members`: the far ends of
  /// all links; nothing while one of them is not known: then nobody is ended.
  size_t look(nanoseconds now,
              const std::optional<std::set<std::string>>& members);

 private:
  struct closer {
    void operator()(DIR* d) const noexcept { ::closedir(d); }
  };

  uint16_t port_;
  port_limits limits_;
  /// Open all the time: once there are no file descriptors left, it is needed
  /// most.
  std::unique_ptr<DIR, closer> descriptors_;
  /// When each connection was first seen, or last a member's.
  std::map<std::string, nanoseconds> since_;
};

} // namespace eventweft
