// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/asker.hpp"
#include "net/reader.hpp"
#include "net/routes.hpp"
#include "net/transport.hpp"
#include "net/types.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft::net {

class io_thread;

/// One HTTP/1.1 connection: request after request, answered in order, until a
/// side ends it or it becomes a stream. Lives on its I/O thread, kept alive by
/// its coroutine.
class http_session : public std::enable_shared_from_this<http_session> {
 public:
  http_session(io_thread& home, transport socket, connection_slot slot);
  ~http_session();
  http_session(const http_session&) = delete;
  http_session& operator=(const http_session&) = delete;

  awaitable<void> run();
  /// Answers 503 without reading a request.
  awaitable<void> refuse();

  // -- from the I/O thread ---------------------------------------------------

  /// Ends what takes too long.
  void tick(steady_clock::time_point now);
  /// Finishes the request in flight, if there is one, then ends.
  void drain();
  void abort();

 private:
  using parser = http::request_parser<http::string_body>;

  /// What the connection waits for, which decides what a time-out means.
  enum class phase { idle, header, body, answer, write, linger };

  enum class next { turn, end };

  void enter(phase p, std::chrono::milliseconds limit);
  /// False if the connection is of no use. Does nothing without TLS.
  awaitable<bool> agree_on_tls();
  awaitable<bool> wait_for_request();
  awaitable<next> serve();
  /// What the header block alone lets us answer.
  std::optional<response> judge_header(const parser& p, route_match& match,
                                       std::string_view path) const;
  /// The answer to a request that could not be read; nothing if the client is
  /// gone.
  std::optional<response> read_failed(const error_code& ec) const;
  awaitable<error_code> read_body(parser& p, bool send_continue);
  awaitable<bool> send(response res, const request& req, bool keep_alive);
  /// Lets the client read our last answer before the connection goes.
  awaitable<void> linger();

  io_thread& home_;
  transport socket_;
  connection_slot slot_;
  beast::flat_buffer buffer_;
  asker ask_;
  std::string remote_;
  phase phase_ = phase::idle;
  steady_clock::time_point deadline_;
  bool first_ = true;
  bool timed_out_ = false;
  bool aborted_ = false;
};

} // namespace eventweft::net
