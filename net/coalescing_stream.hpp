// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/transport.hpp"
#include "net/types.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft::net {

/// Told about an outbox by its stream, on the stream's I/O thread.
class outbox_owner {
 public:
  virtual ~outbox_owner() = default;
  /// Some of what waited is on its way, or never will be: the socket failed.
  virtual void outbox_drained_some() = 0;
};

/// A connection with an outbox before it: writing is appending to memory, and
/// one `flush` sends all that has gathered in one system call, without waiting.
/// What the socket does not take at once follows when it is ready. Beast's
/// websocket stream sits on top; its control frames pass through the same
/// outbox and so keep their place between data frames.
///
/// Memory: none while the outbox is empty. Used by one thread.
class coalescing_stream {
 public:
  using executor_type = executor;
  using next_layer_type = transport;

  /// A write that comes from Beast while more than `limit` bytes wait is held
  /// back until they are gone.
  coalescing_stream(transport socket, size_t limit);
  coalescing_stream(coalescing_stream&&) = default;

  executor_type get_executor() { return socket_.get_executor(); }
  next_layer_type& next_layer() noexcept { return socket_; }
  const next_layer_type& next_layer() const noexcept { return socket_; }

  /// Who is told, and is kept alive by waiting operations.
  void own(std::weak_ptr<outbox_owner> owner) { owner_ = std::move(owner); }

  // -- the outbox ------------------------------------------------------------

  /// Bytes that wait.
  size_t pending() const noexcept {
    return shared_bytes_ + outbox_.size() - sent_ + socket_.unsent();
  }

  /// The end of the outbox, to append whole frames to. `flush` follows.
  std::string& outbox() noexcept { return outbox_; }

  /// Appends the bytes from `from` to `to`. Long runs are not copied: all
  /// streams that wait for them hold the same memory.
  void append_shared(const std::shared_ptr<const std::string>& bytes,
                     size_t from, size_t to);

  /// Sends `bytes` without waiting and without copying, if nothing is before
  /// them: the number of bytes taken. The caller appends the rest.
  size_t send_now(std::string_view bytes);

  /// Sends what waits, as far as the socket takes it now; the rest follows by
  /// itself. A failed socket is closed, which its reader gets to know.
  void flush();

  /// True while the socket takes no more.
  bool blocked() const noexcept { return waiting_; }

  /// Calls `done` once everything that waits is sent or the socket failed.
  template <class Token>
  auto async_drain(Token&& token) {
    return asio::async_initiate<Token, void(error_code)>(
        [this](auto handler) { this->wait_for_room(0, std::move(handler)); },
        token);
  }

  /// True after the socket failed or was aborted: nothing goes out any more.
  bool failed() const noexcept { return bool{failed_}; }

  /// Closes the socket and drops what waits.
  void abort();

  // -- what Beast asks of a stream -------------------------------------------

  template <class Buffers>
  size_t read_some(const Buffers& buffers, error_code& ec) {
    return socket_.read_some(buffers, ec);
  }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return socket_.async_read_some(buffers, std::forward<Token>(token));
  }

  template <class Buffers>
  size_t write_some(const Buffers& buffers, error_code& ec) {
    ec = {};
    return append(buffers);
  }
  template <class Buffers>
  size_t read_some(const Buffers& buffers) {
    return socket_.read_some(buffers);
  }
  template <class Buffers>
  size_t write_some(const Buffers& buffers) {
    return append(buffers);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, size_t)>(
        [this, &buffers](auto handler) {
          const size_t n = append(buffers);
          flush();
          wait_for_room(limit_,
                        [n, h = std::move(handler)](error_code ec) mutable {
                          h(ec, ec ? 0 : n);
                        });
        },
        token);
  }

 private:
  template <class Buffers>
  size_t append(const Buffers& buffers) {
    size_t n = 0;
    const auto end = asio::buffer_sequence_end(buffers);
    for (auto it = asio::buffer_sequence_begin(buffers); it != end; ++it) {
      const asio::const_buffer part{*it};
      outbox_.append(static_cast<const char*>(part.data()), part.size());
      n += part.size();
    }
    return n;
  }

  struct segment {
    std::shared_ptr<const std::string> bytes;
    size_t from;
    size_t to;
  };

  /// Whoever waits for the outbox to get small.
  struct waiter {
    virtual ~waiter() = default;
    /// Posts the handler: nothing of its may run inside of a call to us.
    virtual void resume(const executor& ex, error_code ec) = 0;
  };

  template <class Handler>
  struct waiting_handler final : waiter {
    explicit waiting_handler(Handler h) : handler(std::move(h)) {}
    void resume(const executor& ex, error_code ec) override {
      asio::post(ex,
                 [h = std::move(handler), ec]() mutable { std::move(h)(ec); });
    }
    Handler handler;
  };

  /// One at a time may wait: Beast writes one control frame after the other.
  template <class Handler>
  void wait_for_room(size_t level, Handler handler) {
    wait(level, std::make_unique<waiting_handler<Handler>>(std::move(handler)));
  }
  void wait(size_t level, std::unique_ptr<waiter> w);

  /// What is sent next.
  std::string_view front() const noexcept;
  void wait_until_writable();
  void on_writable(const error_code& ec);
  void consumed(size_t n);
  void resume_waiter(const error_code& ec);

  transport socket_;
  size_t limit_;
  /// Goes out before `outbox_`.
  std::vector<segment> shared_;
  size_t shared_bytes_ = 0;
  std::string outbox_;
  /// How much of `outbox_` has gone.
  size_t sent_ = 0;
  bool waiting_ = false;
  error_code failed_;
  std::weak_ptr<outbox_owner> owner_;
  size_t waiter_level_ = 0;
  std::unique_ptr<waiter> waiter_;
};

/// Found by Beast: what waits is sent before the connection is shut down.
template <class Handler>
void async_teardown(beast::role_type role, coalescing_stream& stream,
                    Handler&& handler) {
  stream.async_drain([role, &stream, h = std::forward<Handler>(handler)](
                         error_code ec) mutable {
    if (ec) {
      std::move(h)(ec);
      return;
    }
    async_teardown(role, stream.next_layer(), std::move(h));
  });
}

inline void teardown(beast::role_type role, coalescing_stream& stream,
                     error_code& ec) {
  stream.flush();
  teardown(role, stream.next_layer(), ec);
}

} // namespace eventweft::net
