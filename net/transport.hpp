// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/tls_channel.hpp"
#include "net/types.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace eventweft::net {

/// The bytes of one connection: a TCP socket, or TLS over one. To Asio and
/// Beast it is a stream like any other; without TLS each call is the socket's
/// own after one test of a pointer. Used by one thread. Not to be moved while
/// an operation is pending.
class transport {
 public:
  using executor_type = executor;

  /// Plain. Implicit: wherever a stream is asked for, a socket will do.
  transport(tcp_socket socket) : socket_(std::move(socket)) {}
  /// TLS; `handshake` comes first.
  transport(tcp_socket socket, SSL_CTX* context)
      : socket_(std::move(socket)),
        tls_(std::make_unique<tls_channel>(context, socket_.native_handle())) {}
  transport(transport&&) noexcept = default;

  executor_type get_executor() { return socket_.get_executor(); }
  tcp_socket& socket() noexcept { return socket_; }
  auto native_handle() { return socket_.native_handle(); }
  bool is_secure() const noexcept { return tls_ != nullptr; }

  /// Nothing to do without TLS.
  awaitable<error_code> handshake();
  /// After a handshake that failed: goes on without TLS if the peer never
  /// meant to speak it, so that it can be told. True if so.
  bool fall_back_to_plain();

  // -- at once ---------------------------------------------------------------

  /// `would_block` if nothing is taken. With TLS, what is taken may still be
  /// `unsent`; call it again, with nothing more if there is nothing more, once
  /// the socket is writable.
  size_t write_now(std::string_view bytes, error_code& ec) {
    if (tls_)
      return write_secure(bytes, ec);
    return socket_.write_some(asio::buffer(bytes.data(), bytes.size()), ec);
  }
  /// Encrypted and waiting; always 0 without TLS.
  size_t unsent() const noexcept { return tls_ ? tls_->unsent() : 0; }

  template <class Buffers>
  size_t read_some(const Buffers& buffers, error_code& ec) {
    if (!tls_)
      return socket_.read_some(buffers, ec);
    const auto to = first_of<asio::mutable_buffer>(buffers);
    return tls_->read(to.data(), to.size(), ec);
  }
  template <class Buffers>
  size_t write_some(const Buffers& buffers, error_code& ec) {
    if (!tls_)
      return socket_.write_some(buffers, ec);
    const auto from = first_of<asio::const_buffer>(buffers);
    return write_secure({static_cast<const char*>(from.data()), from.size()},
                        ec);
  }

  /// Nothing more will be sent: TLS says so, then TCP.
  void shutdown_send(error_code& ec);
  void cancel(error_code& ec) { socket_.cancel(ec); }
  void close(error_code& ec) {
    if (tls_)
      tls_->drop();
    socket_.close(ec);
  }

  // -- when it is ready ------------------------------------------------------

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, size_t)>(
        [this](auto handler, const Buffers& to) {
          if (!tls_)
            socket_.async_read_some(to, std::move(handler));
          else
            asio::async_compose<decltype(handler), void(error_code, size_t)>(
                read_op{this, first_of<asio::mutable_buffer>(to)}, handler,
                socket_);
        },
        token, buffers);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, size_t)>(
        [this](auto handler, const Buffers& from) {
          if (!tls_)
            socket_.async_write_some(from, std::move(handler));
          else
            asio::async_compose<decltype(handler), void(error_code, size_t)>(
                write_op<Buffers>{this, from}, handler, socket_);
        },
        token, buffers);
  }

  /// Until there is something to read.
  template <class Token>
  auto async_wait_readable(Token&& token) {
    return asio::async_initiate<Token, void(error_code)>(
        [this](auto handler) {
          if (tls_ && tls_->has_pending())
            asio::post(socket_.get_executor(),
                       [h = std::move(handler)]() mutable {
                         std::move(h)(error_code{});
                       });
          else
            socket_.async_wait(tcp_socket::wait_read, std::move(handler));
        },
        token);
  }

  /// Until the socket takes something.
  template <class Token>
  auto async_wait_writable(Token&& token) {
    return socket_.async_wait(tcp_socket::wait_write,
                              std::forward<Token>(token));
  }

 private:
  template <class Buffer, class Buffers>
  static Buffer first_of(const Buffers& buffers) {
    const auto end = asio::buffer_sequence_end(buffers);
    for (auto it = asio::buffer_sequence_begin(buffers); it != end; ++it)
      if (const Buffer b{*it}; b.size() != 0)
        return b;
    return {};
  }

  struct read_op {
    transport* stream;
    asio::mutable_buffer to;
    size_t n = 0;
    error_code result{};
    enum { fresh, waited, done } state = fresh;

    template <class Self>
    void operator()(Self& self, error_code ec = {}) {
      if (ec || state == done) {
        self.complete(ec ? ec : result, n);
        return;
      }
      n = stream->tls_->read(to.data(), to.size(), result);
      if (stream->tls_->unsent() != 0) {
        error_code ignored;
        stream->tls_->flush(ignored);
      }
      if (result == asio::error::would_block) {
        state = waited;
        stream->socket_.async_wait(tcp_socket::wait_read, std::move(self));
      } else if (std::exchange(state, done) == fresh) {
        // Nothing may be called from within the call that starts it.
        asio::post(stream->socket_.get_executor(), std::move(self));
      } else {
        self.complete(result, n);
      }
    }
  };

  template <class Buffers>
  struct write_op {
    transport* stream;
    Buffers from;
    size_t n = 0;
    error_code result{};
    enum { fresh, waited, done } state = fresh;

    template <class Self>
    void operator()(Self& self, error_code ec = {}) {
      if (ec || state == done) {
        self.complete(ec ? ec : result, result ? 0 : n);
        return;
      }
      for (;;) {
        if (n == 0) {
          n = stream->encrypt_all(from, result);
          if (result && result != asio::error::would_block)
            break;
        }
        stream->tls_->flush(result);
        if (result == asio::error::would_block) {
          state = waited;
          stream->socket_.async_wait(tcp_socket::wait_write, std::move(self));
          return;
        }
        if (result || n != 0 || asio::buffer_size(from) == 0)
          break;
      }
      if (std::exchange(state, done) == fresh)
        asio::post(stream->socket_.get_executor(), std::move(self));
      else
        self.complete(result, result ? 0 : n);
    }
  };

  template <class Buffers>
  size_t encrypt_all(const Buffers& buffers, error_code& ec) {
    size_t n = 0;
    const auto end = asio::buffer_sequence_end(buffers);
    for (auto it = asio::buffer_sequence_begin(buffers); it != end; ++it) {
      const asio::const_buffer part{*it};
      const auto taken = tls_->encrypt(
          {static_cast<const char*>(part.data()), part.size()}, ec);
      n += taken;
      if (ec || taken != part.size())
        break;
    }
    if (n != 0 && ec == asio::error::would_block)
      ec = {};
    return n;
  }

  size_t write_secure(std::string_view bytes, error_code& ec);

  tcp_socket socket_;
  std::unique_ptr<tls_channel> tls_;
};

/// These are found by Beast.
inline void beast_close_socket(transport& stream) {
  error_code ignored;
  stream.close(ignored);
}

template <class Handler>
void async_teardown(beast::role_type role, transport& stream,
                    Handler&& handler) {
  error_code ignored;
  if (stream.is_secure())
    stream.shutdown_send(ignored);
  using beast::websocket::async_teardown;
  async_teardown(role, stream.socket(), std::forward<Handler>(handler));
}

inline void teardown(beast::role_type role, transport& stream, error_code& ec) {
  using beast::websocket::teardown;
  teardown(role, stream.socket(), ec);
}

} // namespace eventweft::net
