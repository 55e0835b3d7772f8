// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "net/outgoing/address.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace eventweft::outgoing {

/// Where names get their addresses from. Injected, so that tests can play a
/// name server that lies. Thread-safe.
class resolver {
 public:
  using answer = expected<std::vector<ip_address>>;

  virtual ~resolver() = default;

  /// Calls `done` exactly once, on any thread: with at least one address, or
  /// `not_found`, `overloaded`, `shutting_down`.
  virtual void resolve(std::string name, std::function<void(answer)> done) = 0;
};

/// The system's own (`getaddrinfo(3)`), which can only be asked in a blocking
/// way, on `threads` threads with at most `max_waiting` names asked for at
/// once. Its destructor waits for what the system is busy with.
std::unique_ptr<resolver> make_system_resolver(size_t threads = 4,
                                               size_t max_waiting = 1'000);

} // namespace eventweft::outgoing
