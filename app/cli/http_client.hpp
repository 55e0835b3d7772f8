// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/url_escape.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft::cli {

/// A server's URL taken apart.
struct server_url {
  bool tls = false;
  /// Without brackets.
  std::string host;
  std::string port;
  /// What comes before every path; empty or without a slash at its end.
  std::string base;
  /// For the `Host` header, with brackets where needed.
  std::string authority;
};

/// `http://HOST[:PORT][/BASE]` or `https://…`; `bad_configuration` for
/// anything else.
expected<server_url> parse_server_url(std::string_view url);

using header_fields = std::vector<std::pair<std::string, std::string>>;

struct http_request {
  std::string method = "GET";
  /// A path with its query; starts with `/`.
  std::string target;
  header_fields headers;
  std::string body;
};

struct http_response {
  int status = 0;
  std::string content_type;
  std::string body;
};

struct client_options {
  std::string url;
  /// Goes into `Authorization: Bearer`; empty: none.
  std::string token;
  /// Authorities (PEM) to trust instead of the system's; empty: the system's.
  std::string ca;
  /// What servers that ask for a certificate are shown (PEM); empty: none.
  std::string certificate;
  /// Empty: the key is in the same file.
  std::string key;
  /// For each step: connecting, sending, the next bytes of an answer.
  std::chrono::milliseconds timeout{30'000};
};

/// A blocking HTTP/1.1 client with one kept-alive connection. TLS certificates
/// and host names are checked against the system's authorities (or
/// `SSL_CERT_FILE`, or those of `ca`). Errors are `store_unavailable` when the
/// server cannot be reached or breaks off, `timed_out`, `shutting_down` after a
/// signal. For one thread.
class http_client {
 public:
  explicit http_client(server_url server, client_options options);
  ~http_client();
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  expected<http_response> send(const http_request& request);

  /// Hands an event stream's body to `take` piece by piece until the server
  /// ends it or `take` returns false; other answers come back whole. `silence`
  /// is the longest pause between two pieces.
  expected<http_response>
  follow(const http_request& request, std::chrono::milliseconds silence,
         const std::function<bool(std::string_view)>& take);

  /// From here on SIGINT and SIGTERM end whatever this client waits for.
  void stop_on_signals();
  bool stopped() const noexcept;

  /// Returns false at once when stopped.
  bool pause(std::chrono::milliseconds duration);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Whether it is `text/event-stream`; anything else a client must not read as
/// one, whatever its status.
bool is_event_stream(const http_response& response);

/// The `detail` of a problem document, else the body's start, after
/// "HTTP 503: "; printable, on one line.
std::string failure_text(const http_response& response);

} // namespace eventweft::cli
