// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "messages/errors.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"
#include "net/backend.hpp"
#include "net/tls_keeper.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace eventweft::net {

/// Where a server listens: what port 0 became.
struct bound_address {
  std::string host;
  uint16_t port = 0;
};

/// "127.0.0.1:8080", "[::1]:8080".
std::string to_string(const bound_address& address);

/// Whether a server would listen at `settings.listen`: an address that there
/// is, and beyond this machine only if `guarded` (authentication is in force)
/// or `insecure`. `switched_off`: `[auth] required` is why it is not. Looks the
/// host up; opens nothing. `bad_configuration`.
expected<void> may_listen(const config::server_settings& settings, bool guarded,
                          bool switched_off);

/// The HTTP server: webhooks, API, WebSocket and SSE, on `server.threads` I/O
/// threads of its own. `start` and `stop` belong to one thread, which must not
/// be one of those. What is handed to the constructor must live until the end
/// of the server; calls of `backend` come from the I/O threads.
class server {
 public:
  server(const config::server_settings& settings,
         const config::streaming_settings& streaming, backend& behind,
         metrics& figures, logger_ptr log, const clock& time,
         random_source& random);
  /// Stops at once what still runs.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Speaks TLS from the start; to be called before `start`. What `keeper`
  /// reads again goes for connections to come.
  void use_tls(std::shared_ptr<tls_keeper> keeper);

  /// Listens and serves. `bad_configuration` names the address and the reason
  /// why it can't be had. To be called once.
  expected<bound_address> start();

  /// Accepts no more, answers the requests in flight, sends what streams still
  /// hold and closes them (WebSocket: 1001, or 1012 for `restarting`, where
  /// another node takes readers over). What is not done by `deadline` is cut
  /// off. Returns true if nothing had to be. Later calls do nothing.
  bool stop(std::chrono::milliseconds deadline,
            reader_end why = reader_end::going_away);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace eventweft::net
