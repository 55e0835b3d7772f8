// SPDX-License-Identifier: Apache-2.0
#include "net/sse_reader.hpp"

#include "net/answers.hpp"
#include "net/lane.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

namespace eventweft::net {

sse_reader::sse_reader(lane& home, reader_setup setup, transport socket,
                       bool progress)
    : reader(home, setup, {framing::sse, setup.format}),
      stream_(std::move(socket), home.settings().reader_buffer_bytes),
      progress_(progress) {}

std::shared_ptr<sse_reader> sse_reader::self() {
  return std::static_pointer_cast<sse_reader>(shared_from_this());
}

void sse_reader::start(std::string_view page) {
  stream_.own(weak_from_this());
  give_up_after(home().settings().pong_timeout);
  auto& o = stream_.outbox();
  o += "HTTP/1.1 200 OK\r\nServer: ";
  o += server_name;
  o += "\r\nContent-Type: text/event-stream\r\n"
       "Cache-Control: no-cache\r\n"
       "X-Accel-Buffering: no\r\n"
       "Connection: close\r\n";
  if (!page.empty())
    o.append("Access-Control-Allow-Origin: ")
        .append(page)
        .append("\r\nVary: Origin\r\n");
  o += "\r\nretry: ";
  o += std::to_string(home().settings().sse_retry.count());
  o += "\n\n";
  stream_.flush();
  read();
  if (!is_closing())
    begin();
}

void sse_reader::give_up_after(std::chrono::milliseconds silence) {
  // Nobody answers a comment: only TCP can tell that its peer is gone.
  const auto ms = static_cast<int>(silence.count());
  ::setsockopt(stream_.next_layer().native_handle(), IPPROTO_TCP,
               TCP_USER_TIMEOUT, &ms, sizeof ms);
}

void sse_reader::read() {
  stream_.async_read_some(asio::buffer(scratch_),
                          [me = self()](const error_code& ec, size_t) {
                            if (ec)
                              me->gone();
                            else
                              me->read();
                          });
}

bool sse_reader::say_id() {
  if (!place_moved())
    return false;
  stream_.outbox() += "id: " + std::to_string(place_to_go_on()) + '\n';
  return true;
}

void sse_reader::say_cursor() {
  if (say_id() && progress_)
    stream_.outbox() += "event: progress\ndata: {\"cursor\":" +
                        std::to_string(place_to_go_on()) + "}\n";
}

void sse_reader::announce() {
  const size_t before = stream_.outbox().size();
  say_cursor();
  if (stream_.outbox().size() != before)
    stream_.outbox() += '\n';
  stream_.flush();
}

void sse_reader::send_ping() {
  // A comment, and a block without data unless progress is asked for: it
  // dispatches nothing but moves the client's last event id.
  stream_.outbox() += ": ping\n";
  say_cursor();
  stream_.outbox() += '\n';
}

void sse_reader::start_close(reader_end why, std::string_view message) {
  auto& o = stream_.outbox();
  // `EventSource` comes back by itself after an end; this one tells a page to
  // get new credentials first.
  const bool not_as_before =
      why == reader_end::token_expired || why == reader_end::refused;
  o += not_as_before ? "event: end\ndata: " : ": ";
  for (const char c : message)
    o += c == '\n' || c == '\r' ? ' ' : c;
  o += '\n';
  if (not_as_before)
    say_id();
  else
    say_cursor();
  o += '\n';
  stream_.async_drain([me = self()](const error_code& ec) {
    error_code ignored;
    if (!ec)
      me->stream_.next_layer().shutdown_send(ignored);
    // The client's own end, or the time-out, finishes the pending read.
  });
}

} // namespace eventweft::net
