// SPDX-License-Identifier: Apache-2.0
#include "net/lane.hpp"
#include "net/reader.hpp"

#include <utility>

// A reader in time: pings, patience with its peer, and its end.
namespace eventweft::net {

namespace {

/// How long a peer may take to answer a close.
constexpr std::chrono::seconds close_timeout{5};

const char* name_of(reader_end why) {
  switch (why) {
  case reader_end::going_away:
    return "going_away";
  case reader_end::stream_deleted:
    return "stream_deleted";
  case reader_end::failed:
    return "failed";
  case reader_end::restarting:
    return "restarting";
  case reader_end::token_expired:
    return "token_expired";
  case reader_end::refused:
    return "refused";
  case reader_end::too_slow:
    return "too_slow";
  }
  return "going_away";
}

} // namespace

void reader::look_at_lag(steady_clock::time_point now) {
  if (cursor() >= home_.figures().head())
    current_at_ = now;
}

void reader::heard() noexcept {
  heard_at_ = home_.now();
}

bool reader::lost_patience(steady_clock::time_point now) {
  const auto& settings = home_.settings();
  if (out().pending() == 0)
    moved_at_ = now;
  // TCP itself looks after idle SSE clients; a WebSocket must answer pings.
  if (kind() == reader_kind::sse)
    heard_at_ = now;
  if (now - moved_at_ > settings.pong_timeout) {
    end(reader_end::too_slow, "too slow: nothing was taken for too long");
    return true;
  }
  if (now - heard_at_ <= settings.pong_timeout)
    return false;
  home_.figures().reader_ended(setup_.stream, "unresponsive");
  abort();
  return true;
}

void reader::tick(steady_clock::time_point now) {
  if (gone_)
    return;
  const auto& settings = home_.settings();
  if (now - second_at_ >= std::chrono::seconds{1}) {
    second_at_ = now;
    look_at_lag(now);
    second_passed();
    if (gone_)
      return;
  }
  if (!closing_ && begun_ && !open())
    closing();
  if (closing_) {
    if (now >= close_by_)
      abort();
    return;
  }
  if (now >= setup_.ends_at) {
    end(reader_end::token_expired, "the credentials have expired");
    return;
  }
  if (lost_patience(now))
    return;
  if (now >= ping_at_ && begun_) {
    ping_at_ = now + settings.ping_interval;
    if (out().pending() < settings.reader_buffer_bytes) {
      send_ping();
      out().flush();
    }
  }
}

void reader::closing() {
  if (closing_)
    return;
  leave_lane(cursor());
  closing_ = true;
  close_by_ = home_.now() + close_timeout;
  drop_backlog();
}

void reader::end(reader_end why, std::string_view message) {
  if (closing_ || gone_)
    return;
  closing();
  home_.figures().reader_ended(setup_.stream, name_of(why));
  start_close(why, message);
}

void reader::abort() {
  leave_lane(cursor());
  out().abort();
}

void reader::gone() {
  if (std::exchange(gone_, true))
    return;
  leave_lane(cursor());
  setup_.control.reset();
  out().abort();
  home_.remove(*this);
}

} // namespace eventweft::net
