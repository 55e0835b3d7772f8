// SPDX-License-Identifier: Apache-2.0
#include "net/transport.hpp"

namespace eventweft::net {

awaitable<error_code> transport::handshake() {
  while (tls_) {
    const auto step = tls_->handshake();
    error_code ec;
    tls_->flush(ec);
    if (ec == asio::error::would_block) {
      co_await socket_.async_wait(tcp_socket::wait_write, into(ec));
      if (!ec)
        continue;
    }
    if (ec)
      co_return ec;
    if (step != asio::error::would_block)
      co_return step;
    co_await socket_.async_wait(tcp_socket::wait_read, into(ec));
    if (ec)
      co_return ec;
  }
  co_return error_code{};
}

bool transport::fall_back_to_plain() {
  if (!tls_ || !tls_->met_plain_http())
    return false;
  tls_.reset();
  return true;
}

size_t transport::write_secure(std::string_view bytes, error_code& ec) {
  // What waits goes first; only then is there room for more.
  tls_->flush(ec);
  if (ec)
    return 0;
  const auto taken = tls_->encrypt(bytes, ec);
  if (ec)
    return taken;
  tls_->flush(ec);
  // It has been taken, whether or not the socket has it already.
  if (ec == asio::error::would_block)
    ec = {};
  return ec ? 0 : taken;
}

void transport::shutdown_send(error_code& ec) {
  if (tls_)
    tls_->say_goodbye();
  socket_.shutdown(tcp_socket::shutdown_send, ec);
}

} // namespace eventweft::net
