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
#include <vector>

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
class port_guard {
 public:
  using nanoseconds = std::chrono::nanoseconds;
  /// The far ends of all links; nothing while one of them is not known: then
  /// nobody is ended.
  using far_ends = std::optional<std::set<std::string>>;

  struct stranger {
    int fd = -1;
    std::string who;
  };

  port_guard(uint16_t port, port_limits limits);

  /// Those that are too old, or too many. Looks at every file descriptor there
  /// is, so not on a thread that others wait for; one call at a time.
  std::vector<stranger> overdue(nanoseconds now, const far_ends& members);

  /// Shuts it down, for its owner to close, if it is still that one and no
  /// member by now. Only on the thread that all connections to the port belong
  /// to: no other one may close them meanwhile.
  bool end(const stranger& one, const far_ends& members) const;

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
