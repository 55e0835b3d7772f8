// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "messages/errors.hpp"
#include "net/server.hpp"
#include "telemetry/log.hpp"

#include <functional>
#include <memory>
#include <string>

namespace eventweft {

/// The whole hub in one object: store, spool, actors and HTTP server. It
/// touches neither signals nor any global state. `start` and `stop` belong to
/// one thread.
class service {
 public:
  /// Called once, on any thread, when the hub can't go on by itself.
  using fatal_handler = std::function<void(std::string)>;

  service(config::settings settings, logger_ptr log, fatal_handler fatal);
  /// Stops at once what still runs.
  ~service();
  service(const service&) = delete;
  service& operator=(const service&) = delete;

  /// Opens everything and serves. `bad_configuration` or `schema_mismatch`
  /// say what to change; a store that is away is no error if there is a spool.
  expected<net::bound_address> start();

  /// Accepts no more, finishes what is in flight, flushes, tells stream
  /// clients. True if all that was done within `server.shutdown_timeout`.
  bool stop();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace eventweft
