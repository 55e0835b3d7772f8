// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/outgoing.hpp"
#include "net/outgoing/client.hpp"
#include "net/outgoing/resolver.hpp"
#include "tests/integration/outgoing/certificates.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::outgoing::testing_support {

/// The server's end of one connection; blocking, and unblocked when the server
/// goes away.
class peer {
 public:
  virtual ~peer() = default;
  /// Up to the end of the next request's body (by Content-Length); empty once
  /// the client has closed.
  virtual std::string read_request() = 0;
  virtual void send(std::string_view bytes) = 0;
  /// Waits until the client closes.
  virtual void wait_for_close() = 0;
  /// Closes with RST.
  virtual void reset() = 0;
};

/// Listens on a free port of 127.0.0.1 and runs `script` for each connection
/// in a thread of its own; the connection is closed when it returns. With
/// `client_ca` (PEM) clients need a certificate from there.
class scripted_server {
 public:
  using script = std::function<void(peer&)>;

  explicit scripted_server(script s, std::optional<pem_pair> tls = {},
                           const std::string& client_ca = {});
  ~scripted_server();

  uint16_t port() const noexcept;
  /// `http(s)://HOST:PORT/PATH`
  std::string url(const std::string& host = "hooks.example",
                  const std::string& path = "/in") const;
  size_t connections() const noexcept;
  /// What SNI said on the last TLS connection.
  std::string server_name() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Answers every request with `status_line` and `body`, keeping the connection.
scripted_server::script answering(std::string status_line = "200 OK",
                                  std::string body = "ok",
                                  std::string extra_headers = "");

/// A name server that says what the test wants; unknown names have no address.
class scripted_resolver final : public resolver {
 public:
  /// The answers to the first, second, … question; the last one stays.
  void set(const std::string& name, std::vector<std::vector<std::string>> to);
  /// Questions for this name get no answer until the test ends.
  void never_answer(const std::string& name);
  size_t asked(const std::string& name) const;

  void resolve(std::string name, std::function<void(answer)> done) override;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<std::vector<std::string>>> answers_;
  std::map<std::string, size_t> asked_;
  std::map<std::string, std::vector<std::function<void(answer)>>> silent_;
};

/// A client whose name server knows hooks.example as 127.0.0.1 and whose
/// policy allows just that address.
struct harness {
  harness();
  explicit harness(client_options options);

  static client_options allowing_loopback();

  /// Waits for the answer.
  result post(request what);
  result post(const std::string& url, const std::string& body = "{}");
  expected<void> check(const std::string& url);

  std::shared_ptr<scripted_resolver> names;
  std::unique_ptr<client> sender;
};

request to_url(const std::string& url, const std::string& body = "{}");

} // namespace eventweft::outgoing::testing_support
