// SPDX-License-Identifier: Apache-2.0
#include "net/websocket_reader.hpp"

#include "codec/json_text.hpp"
#include "net/answers.hpp"
#include "net/client_message.hpp"
#include "net/lane.hpp"

#include <boost/beast/zlib/error.hpp>

#include <utility>

namespace eventweft::net {

namespace websocket = beast::websocket;

namespace {

/// Ours, from the range that RFC 6455 leaves to applications.
constexpr auto token_expired = static_cast<websocket::close_code>(4001);
constexpr auto too_slow = static_cast<websocket::close_code>(4008);
/// What is beyond is nobody's (RFC 6455, 7.4.2).
constexpr uint16_t last_close_code = 4999;

websocket::close_code code_for(reader_end why) {
  switch (why) {
  case reader_end::stream_deleted:
    return websocket::close_code::normal;
  case reader_end::failed:
    return websocket::close_code::internal_error;
  case reader_end::restarting:
    return websocket::close_code::service_restart;
  case reader_end::token_expired:
    return token_expired;
  case reader_end::refused:
    return websocket::close_code::policy_error;
  case reader_end::too_slow:
    return too_slow;
  case reader_end::going_away:
    break;
  }
  return websocket::close_code::going_away;
}

const boost::system::error_category& zlib_category() {
  static const auto& category =
      beast::zlib::make_error_code(beast::zlib::error::general).category();
  return category;
}

} // namespace

websocket_reader::websocket_reader(lane& home, reader_setup setup,
                                   transport socket, options opts)
    : reader(home, setup,
             {framing::websocket, setup.format,
              opts.deflate ? opts.deflate->window : packing::none}),
      ws_(std::move(socket), home.settings().reader_buffer_bytes),
      options_(std::move(opts)),
      messages_left_(home.settings().max_messages_per_second) {}

std::shared_ptr<websocket_reader> websocket_reader::self() {
  return std::static_pointer_cast<websocket_reader>(shared_from_this());
}

void websocket_reader::start(const request& upgrade) {
  out().own(weak_from_this());
  ws_.auto_fragment(false);
  ws_.read_message_max(home().settings().max_message_bytes);
  ws_.text(true);
  ws_.control_callback([this](websocket::frame_type kind, beast::string_view) {
    heard();
    // Beast would send such a code back.
    if (kind == websocket::frame_type::close && !is_closing() &&
        ws_.reason().code > last_close_code)
      close(websocket::close_code::protocol_error, "no close code");
  });
  ws_.set_option(
      websocket::stream_base::decorator([this](websocket::response_type& res) {
        res.set(http::field::server, server_name);
        if (!options_.subprotocol.empty())
          res.set(http::field::sec_websocket_protocol, options_.subprotocol);
      }));
  // Beast reads the client's compressed messages; it writes none itself.
  ws_.compress(false);
  request asked;
  if (options_.deflate) {
    websocket::permessage_deflate pmd;
    pmd.server_enable = true;
    pmd.server_no_context_takeover = true;
    pmd.client_no_context_takeover = true;
    pmd.client_max_window_bits = options_.deflate->client_bits;
    ws_.set_option(pmd);
    asked = upgrade;
    asked.set(http::field::sec_websocket_extensions, options_.deflate->offer);
  }
  ws_.async_accept(options_.deflate ? asked : upgrade,
                   [me = self()](const error_code& ec) {
                     if (ec) {
                       me->gone();
                       return;
                     }
                     me->accepted_ = true;
                     me->read();
                     if (!me->is_closing())
                       me->begin();
                     else if (me->early_close_)
                       me->send_close(*me->early_close_);
                   });
}

// -- from the client ----------------------------------------------------------

void websocket_reader::read() {
  ws_.async_read_some(
      asio::buffer(scratch_),
      [me = self()](const error_code& ec, size_t n) { me->on_read(ec, n); });
}

void websocket_reader::on_read(const error_code& ec, size_t n) {
  if (ec) {
    if (ec.category() == zlib_category() && !is_closing() && !out().failed())
      fail_message();
    else
      gone();
    return;
  }
  heard();
  if (!is_closing()) {
    message_.append(scratch_.data(), n);
    if (ws_.is_message_done()) {
      if (ws_.got_binary())
        close(websocket::close_code::unknown_data, "text messages only");
      else
        on_message();
      std::string{}.swap(message_);
    }
  }
  // A client that talks without listening has to wait.
  if (looking_up_ || out().pending() > home().settings().reader_buffer_bytes ||
      messages_left_ == 0)
    read_stopped_ = true;
  else
    read();
}

void websocket_reader::fail_message() {
  // For Beast the connection has ended by now, so the frame is ours.
  closing();
  constexpr std::string_view why = "the message can't be inflated";
  constexpr auto code =
      static_cast<uint16_t>(websocket::close_code::bad_payload);
  auto& o = out().outbox();
  o += '\x88';
  o += static_cast<char>(2 + why.size());
  o += static_cast<char>(code >> 8);
  o += static_cast<char>(code & 0xff);
  o += why;
  failed_message_ = true;
  out().flush();
  room_again();
  await_end();
}

void websocket_reader::await_end() {
  out().async_read_some(asio::buffer(scratch_),
                        [me = self()](const error_code& ec, size_t) {
                          if (ec)
                            me->gone();
                          else
                            me->await_end();
                        });
}

void websocket_reader::room_again() {
  if (failed_message_) {
    error_code ignored;
    if (out().pending() == 0)
      out().next_layer().shutdown_send(ignored);
    return;
  }
  // The end of the connection is read in any case.
  if (messages_left_ != 0 && (!looking_up_ || is_closing()) &&
      std::exchange(read_stopped_, false))
    read();
}

void websocket_reader::second_passed() {
  messages_left_ = home().settings().max_messages_per_second;
  // Its pongs are not read meanwhile.
  if (looking_up_)
    heard();
  if (out().pending() <= home().settings().reader_buffer_bytes)
    room_again();
}

void websocket_reader::on_message() {
  --messages_left_;
  auto message = parse_client_message(message_);
  if (!message)
    refuse(message.error());
  else if (message->filter && !message->filter->correlation_ids.empty())
    look_up_threads(std::move(*message));
  else
    obey(std::move(*message));
}

void websocket_reader::look_up_threads(client_message m) {
  looking_up_ = true;
  auto wanted = std::move(*m.filter);
  options_.present_filter(std::move(wanted),
                          [weak = weak_from_this(),
                           m = std::move(m)](expected<filter> found) mutable {
                            if (const auto me = weak.lock())
                              static_cast<websocket_reader&>(*me).on_threads(
                                  std::move(m), std::move(found));
                          });
}

void websocket_reader::on_threads(client_message m, expected<filter> found) {
  looking_up_ = false;
  heard();
  if (!is_closing() && !found) {
    refuse(found.error());
  } else if (!is_closing()) {
    m.filter = std::move(*found);
    obey(std::move(m));
  }
  if (out().pending() <= home().settings().reader_buffer_bytes)
    room_again();
}

void websocket_reader::obey(client_message m) {
  if (m.ack)
    acknowledge(*m.ack);
  if (m.pause)
    pause();
  // Credit said together with a filter is for what that lets through.
  if (m.filter)
    change_filter(std::move(*m.filter));
  if (m.credit)
    grant(*m.credit);
  if (m.resume)
    resume();
}

void websocket_reader::refuse(const error& why) {
  refused();
  std::string text = R"({"error":)";
  codec::append_quoted(text, why.message);
  text += '}';
  say(text);
}

// -- to the client ------------------------------------------------------------

void websocket_reader::say(std::string_view text) {
  if (!ws_.is_open() || is_closing())
    return;
  error_code ignored;
  ws_.write(asio::buffer(text.data(), text.size()), ignored);
  out().flush();
}

void websocket_reader::say_cursor() {
  if (place_moved())
    say(R"({"cursor":)" + std::to_string(place_to_go_on()) + '}');
}

void websocket_reader::announce() {
  if (options_.progress)
    say_cursor();
}

void websocket_reader::send_ping() {
  const auto at = place_to_go_on();
  const auto payload = at < 0 ? std::string{} : std::to_string(at);
  error_code ignored;
  ws_.ping(websocket::ping_data{payload.data(), payload.size()}, ignored);
  if (options_.progress)
    say_cursor();
}

void websocket_reader::start_close(reader_end why, std::string_view message) {
  close(code_for(why), message);
}

void websocket_reader::close(websocket::close_code code,
                             std::string_view message) {
  closing();
  if (accepted_ && !ws_.is_open()) {
    abort();
    return;
  }
  // Room for 123 bytes in all.
  constexpr size_t longest_message = 72;
  std::string reason = "{";
  if (const auto at = place_to_go_on(); at >= 0)
    reason += R"("cursor":)" + std::to_string(at) + ',';
  reason += R"("message":)";
  codec::append_quoted(reason, message.substr(0, longest_message));
  reason += '}';
  if (reason.size() > websocket::reason_string::static_capacity)
    reason = "{}";
  const websocket::close_reason why{
      code, beast::string_view{reason.data(), reason.size()}};
  // The client may have the answer to its upgrade before it is known here that
  // it was sent.
  if (accepted_)
    send_close(why);
  else
    early_close_ = std::make_unique<websocket::close_reason>(why);
}

void websocket_reader::send_close(const websocket::close_reason& why) {
  // The pending read ends as well and reports it.
  ws_.async_close(why, [me = self()](const error_code&) {});
}

} // namespace eventweft::net
