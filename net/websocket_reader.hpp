// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/client_message.hpp"
#include "net/deflate.hpp"
#include "net/ports/reply.hpp"
#include "net/reader.hpp"

#include <boost/beast/websocket/stream.hpp>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft::net {

/// A reader over WebSocket. Beast does the handshake, reads, pings and closes;
/// event frames go straight into the outbox below it, encoded, and compressed
/// where that was agreed on, once for all readers.
class websocket_reader final : public reader {
 public:
  struct options {
    /// Also tell the cursor in text messages, for clients that see no pings.
    bool progress = false;
    /// What the handshake confirms; empty: none.
    std::string subprotocol;
    /// permessage-deflate, where it was agreed on.
    std::optional<deflate_terms> deflate;
    /// `backend::present_filter`, answered on the reader's thread and later
    /// than at once.
    std::function<void(filter, reply_to<filter>)> present_filter;
  };

  websocket_reader(lane& home, reader_setup setup, transport socket,
                   options opts);

  /// Answers the upgrade request and starts to read. To be called once, after
  /// the reader was added to its lane.
  void start(const request& upgrade);

 private:
  using stream = beast::websocket::stream<coalescing_stream, true>;

  coalescing_stream& out() noexcept override { return ws_.next_layer(); }
  bool open() const noexcept override { return ws_.is_open(); }
  void announce() override;
  void send_ping() override;
  void start_close(reader_end why, std::string_view message) override;
  void room_again() override;
  void second_passed() override;

  std::shared_ptr<websocket_reader> self();
  void read();
  void on_read(const error_code& ec, size_t n);
  void on_message();
  /// Has the threads looked up that the filter asks for. Until then nothing
  /// that the client says is read: it counts with the new filter.
  void look_up_threads(client_message m);
  void on_threads(client_message m, expected<filter> found);
  void obey(client_message m);
  void refuse(const error& why);
  /// Says goodbye after a message that can't be read, and waits for the
  /// client's end of the connection, or for the time-out.
  void fail_message();
  void await_end();
  /// The reason is JSON: the message, and the cursor to go on from.
  void close(beast::websocket::close_code code, std::string_view message);
  void send_close(const beast::websocket::close_reason& why);
  void say(std::string_view text);
  void say_cursor();

  stream ws_;
  options options_;
  bool accepted_ = false;
  /// What is to be said once it is.
  std::unique_ptr<beast::websocket::close_reason> early_close_;
  bool read_stopped_ = false;
  bool looking_up_ = false;
  bool failed_message_ = false;
  /// Until the next second.
  uint32_t messages_left_;
  std::string message_;
  /// Small on purpose: there is one for each idle reader.
  std::array<char, 128> scratch_;
};

} // namespace eventweft::net
