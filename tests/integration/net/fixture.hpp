// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fake_backend.hpp"
#include "net/server.hpp"
#include "telemetry/log.hpp"

#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::net {

namespace asio = boost::asio;
namespace beast = boost::beast;

/// No test waits longer for anything.
inline constexpr std::chrono::seconds patience{10};

/// Runs one asynchronous operation to its end, within our patience.
class runner {
 public:
  asio::io_context context{1};

  template <class Start>
  boost::system::error_code run(Start start) {
    std::optional<boost::system::error_code> result;
    start([&](boost::system::error_code ec, auto&&...) { result = ec; });
    context.restart();
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!result && context.run_one_until(until) != 0) {
    }
    if (!result)
      throw std::runtime_error{"nothing happened within our patience"};
    return *result;
  }
};

struct http_answer {
  int status = 0;
  std::string head;
  std::string body;

  /// The value of a header field; its name in lower case.
  std::string header(const std::string& name) const;
};

/// A TCP connection that sends and reads bytes as the test says.
class raw_client {
 public:
  explicit raw_client(uint16_t port, int receive_buffer = 0);

  void send(std::string_view bytes);
  /// Reads until `until` came; what came up to and with it.
  std::string read_until(std::string_view until);
  /// The next `n` bytes; fewer if the connection ends before.
  std::string read_exactly(size_t n);
  /// One whole response; `head_only` for answers to HEAD.
  http_answer read_answer(bool head_only = false);
  http_answer ask(std::string_view request);
  /// Everything up to the server's end of the connection.
  std::string read_to_end();
  /// True if the server ended the connection and had nothing more to say.
  bool at_end();
  void close();
  void shutdown();

 private:
  size_t read_some();

  runner run_;
  asio::ip::tcp::socket socket_{run_.context};
  std::string data_;
};

/// A WebSocket client.
class ws_client {
 public:
  using stream = beast::websocket::stream<asio::ip::tcp::socket>;

  /// Throws if the upgrade is refused; `refused` has the status then.
  ws_client(uint16_t port, const std::string& target,
            const std::string& subprotocol = {}, int receive_buffer = 0);

  /// The next text message, or nothing once the server has closed.
  std::optional<std::string> read();
  /// The next message's `seq`.
  seq_t read_seq();
  void send(std::string_view text, bool binary = false);
  void close();
  int close_code() const { return ws_.reason().code; }
  std::string close_reason() const { return ws_.reason().reason.c_str(); }
  /// The payloads of pings so far.
  std::vector<std::string> pings;
  beast::websocket::response_type upgrade;
  stream& next() { return ws_; }
  runner& loop() { return run_; }

 private:
  runner run_;
  stream ws_{run_.context};
  beast::flat_buffer buffer_;
};

/// The `seq` in an event's JSON.
seq_t seq_of(std::string_view json);

class server_test : public testing::Test {
 protected:
  server_test();
  ~server_test() override;

  /// Starts the server with `server_` and `streaming_`.
  void start();
  raw_client connect() { return raw_client{port_}; }
  /// Waits until the one reader of `all_events` has said `{"ack":seq}`.
  bool acknowledged(seq_t seq);

  config::server_settings server_;
  config::streaming_settings streaming_;
  fake_backend backend_;
  metrics metrics_;
  system_clock clock_;
  seeded_random random_{1};
  /// Null: without TLS.
  std::shared_ptr<tls_keeper> tls_;
  std::unique_ptr<server> running_;
  uint16_t port_ = 0;
};

/// `GET target` as HTTP/1.1.
std::string get(const std::string& target, const std::string& more = {});
std::string post(const std::string& target, const std::string& body,
                 const std::string& more = {});

} // namespace eventweft::net
