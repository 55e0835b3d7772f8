// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <boost/beast/core/buffers_to_string.hpp>

#include <algorithm>
#include <cctype>

namespace eventweft::net {

using asio::ip::tcp;

// -- raw_client ---------------------------------------------------------------

std::string http_answer::header(const std::string& name) const {
  std::string lower = head;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  const auto at = lower.find("\r\n" + name + ": ");
  if (at == std::string::npos)
    return {};
  const auto from = at + name.size() + 4;
  return head.substr(from, head.find("\r\n", from) - from);
}

raw_client::raw_client(uint16_t port, int receive_buffer) {
  socket_.open(tcp::v4());
  if (receive_buffer != 0)
    socket_.set_option(asio::socket_base::receive_buffer_size{receive_buffer});
  socket_.connect({asio::ip::address_v4::loopback(), port});
}

void raw_client::send(std::string_view bytes) {
  const auto ec = run_.run([&](auto done) {
    asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()), done);
  });
  if (ec)
    throw std::runtime_error{"send: " + ec.message()};
}

size_t raw_client::read_some() {
  char piece[65536];
  size_t got = 0;
  run_.run([&](auto done) {
    socket_.async_read_some(
        asio::buffer(piece),
        [&, done](boost::system::error_code ec, size_t n) mutable {
          got = n;
          done(ec);
        });
  });
  data_.append(piece, got);
  return got;
}

std::string raw_client::read_until(std::string_view until) {
  for (size_t from = 0;;) {
    const auto at = data_.find(until, from);
    if (at != std::string::npos) {
      auto result = data_.substr(0, at + until.size());
      data_.erase(0, at + until.size());
      return result;
    }
    from = data_.size() < until.size() ? 0 : data_.size() - until.size();
    if (read_some() == 0)
      throw std::runtime_error{"the connection ended after: " + data_};
  }
}

std::string raw_client::read_exactly(size_t n) {
  while (data_.size() < n && read_some() != 0) {
  }
  auto result = data_.substr(0, n);
  data_.erase(0, n);
  return result;
}

http_answer raw_client::read_answer(bool head_only) {
  http_answer answer;
  answer.head = read_until("\r\n\r\n");
  answer.status = std::stoi(answer.head.substr(9, 3));
  const auto length = answer.header("content-length");
  const size_t size = head_only || length.empty() ? 0 : std::stoul(length);
  while (data_.size() < size)
    if (read_some() == 0)
      throw std::runtime_error{"the body is too short"};
  answer.body = data_.substr(0, size);
  data_.erase(0, size);
  return answer;
}

http_answer raw_client::ask(std::string_view request) {
  send(request);
  return read_answer();
}

std::string raw_client::read_to_end() {
  while (read_some() != 0) {
  }
  return std::exchange(data_, {});
}

bool raw_client::at_end() {
  return data_.empty() && read_some() == 0;
}

void raw_client::close() {
  socket_.close();
}
void raw_client::shutdown() {
  socket_.shutdown(tcp::socket::shutdown_send);
}

// -- ws_client ----------------------------------------------------------------

ws_client::ws_client(uint16_t port, const std::string& target,
                     const std::string& subprotocol, int receive_buffer) {
  auto& socket = ws_.next_layer();
  socket.open(tcp::v4());
  if (receive_buffer != 0)
    socket.set_option(asio::socket_base::receive_buffer_size{receive_buffer});
  socket.connect({asio::ip::address_v4::loopback(), port});
  ws_.control_callback(
      [this](beast::websocket::frame_type kind, beast::string_view payload) {
        if (kind == beast::websocket::frame_type::ping)
          pings.emplace_back(payload.data(), payload.size());
      });
  ws_.set_option(beast::websocket::stream_base::decorator(
      [&](beast::websocket::request_type& req) {
        if (!subprotocol.empty())
          req.set(beast::http::field::sec_websocket_protocol, subprotocol);
      }));
  const auto ec = run_.run([&](auto done) {
    ws_.async_handshake(upgrade, "localhost", target, done);
  });
  if (ec)
    throw std::runtime_error{std::to_string(upgrade.result_int())};
}

std::optional<std::string> ws_client::read() {
  buffer_.clear();
  const auto ec = run_.run([&](auto done) { ws_.async_read(buffer_, done); });
  if (ec)
    return std::nullopt;
  return beast::buffers_to_string(buffer_.data());
}

seq_t ws_client::read_seq() {
  const auto text = read();
  return text ? seq_of(*text) : -1;
}

void ws_client::send(std::string_view text, bool binary) {
  ws_.binary(binary);
  const auto ec = run_.run([&](auto done) {
    ws_.async_write(asio::buffer(text.data(), text.size()), done);
  });
  if (ec)
    throw std::runtime_error{"send: " + ec.message()};
}

void ws_client::close() {
  run_.run([&](auto done) {
    ws_.async_close(beast::websocket::close_code::normal, done);
  });
}

seq_t seq_of(std::string_view json) {
  constexpr std::string_view key = "\"seq\":";
  const auto at = json.find(key);
  return at == std::string_view::npos
             ? -1
             : std::stoll(std::string{json.substr(at + key.size(), 20)});
}

// -- server_test --------------------------------------------------------------

server_test::server_test() {
  server_.listen = "127.0.0.1:0";
  server_.threads = 2;
}

server_test::~server_test() {
  if (running_)
    running_->stop(std::chrono::milliseconds{0});
}

bool server_test::acknowledged(seq_t seq) {
  const auto line = R"("acknowledged":)" + std::to_string(seq) + ',';
  return backend_.wait([&] {
    auto c = connect();
    return c.ask(get("/api/v1/streams/all_events/readers")).body.find(line) !=
           std::string::npos;
  });
}

void server_test::start() {
  running_ = std::make_unique<server>(server_, streaming_, backend_, metrics_,
                                      null_logger(), clock_, random_);
  if (tls_)
    running_->use_tls(tls_);
  const auto bound = running_->start();
  ASSERT_TRUE(bound) << bound.error().message;
  port_ = bound->port;
}

std::string get(const std::string& target, const std::string& more) {
  return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
}

std::string post(const std::string& target, const std::string& body,
                 const std::string& more) {
  return "POST " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
         std::to_string(body.size()) +
         "\r\nContent-Type: application/json\r\n" + more + "\r\n" + body;
}

} // namespace eventweft::net
