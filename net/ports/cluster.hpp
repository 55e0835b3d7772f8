// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <functional>
#include <string>

namespace eventweft::net {

/// What `/api/v1/cluster` needs from the rest of the program. Thread-safe;
/// every call returns at once and every reply is called exactly once.
class cluster_port {
 public:
  using reply = std::function<void(expected<std::string>)>;

  virtual ~cluster_port() = default;

  /// Nodes, links and who owns what, as JSON.
  virtual void status(reply answer) = 0;

  /// Begins to hand over all that this node does, if it has not begun yet;
  /// answers with its status.
  virtual void drain(reply answer) = 0;

  /// "trace", "debug", "info", "warn", "error" or "off", on all nodes, until
  /// they are started again; `unprocessable` for anything else.
  virtual void set_log_level(const std::string& level, reply answer) = 0;
};

} // namespace eventweft::net
