// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "correlation/custom_rule.hpp"
#include "messages/errors.hpp"
#include "net/server.hpp"
#include "processing/registry.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace eventweft {

class actor_host;

/// What a program that has the hub inside asks for.
struct service_options {
  /// Whether to listen at all.
  bool http = true;
  /// Whether to take in events of the program itself (`local_platform.hpp`).
  bool local_events = false;
  /// Its handlers, which may change while they run; null: none.
  processing::registry_ptr processors{};
  /// Called by `start` when everything works and before anything is let in
  /// over HTTP; an error ends the start.
  std::function<expected<void>(actor_host&)> prepared{};
  /// Called if the start fails after that: to let go of the actors.
  std::function<void()> undo{};
};

/// The whole hub in one object: store, spool, actors and HTTP server. It
/// touches neither signals nor any global state. One call at a time, but for
/// `give_up`.
class service {
 public:
  /// Called once, on any thread, when the hub can't go on by itself.
  using fatal_handler = std::function<void(std::string)>;

  service(config::settings settings, logger_ptr log, fatal_handler fatal,
          service_options options = {});
  /// Stops at once what still runs.
  ~service();
  service(const service&) = delete;
  service& operator=(const service&) = delete;

  /// A rule that reads correlation keys, beside the built-in ones and those of
  /// the configuration. Before `start`.
  void add_correlation_rule(correlation::rule_ptr rule);

  /// The same with a function: `f` takes `const event&` and returns a key as a
  /// string, an `optional` of one, several, or `correlation_key`s.
  template <class F>
  void add_correlation_rule(std::string name, F f) {
    add_correlation_rule(
        correlation::make_lambda_rule(std::move(name), std::move(f)));
  }

  /// Opens everything and serves. `bad_configuration` or `schema_mismatch`
  /// say what to change; a store that is away is no error if there is a spool.
  /// The address has no host where nothing listens.
  expected<net::bound_address> start();

  /// From any thread: the store is waited for no longer, from now on and for
  /// good. A `start` that is under way ends soon, with `shutting_down` if
  /// nothing else was wrong before.
  void give_up();

  /// Looks at keys, certificates and other files that may have changed now
  /// rather than within a second.
  void reload();

  /// Accepts no more, finishes what is in flight, flushes, tells stream
  /// clients. True if all that was done; what is not is cut off in time for
  /// `server.shutdown_timeout`, also where the store says nothing.
  bool stop();

  /// From a successful `start` on until `stop`.
  actor_host& actors() noexcept;
  metrics& figures() noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace eventweft
