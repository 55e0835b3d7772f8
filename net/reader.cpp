// SPDX-License-Identifier: Apache-2.0
#include "net/reader.hpp"

#include "codec/event_json.hpp"
#include "net/lane.hpp"

#include <algorithm>
#include <utility>

namespace eventweft::net {

namespace {

/// What is gathered before it is sent while catching up.
constexpr size_t chunk_bytes = 128u << 10;

/// How long a peer may take to answer a close.
constexpr std::chrono::seconds close_timeout{5};

} // namespace

reader::reader(lane& home, reader_setup setup, wire_style style)
    : home_(home),
      setup_(std::move(setup)),
      style_(style),
      sent_(home.tally_for(setup_.stream)),
      heard_at_(home.now()),
      ping_at_(home.now() + home.settings().ping_interval) {}

reader::~reader() = default;

seq_t reader::cursor() const noexcept {
  return place_.live ? std::max(cursor_, home_.position()) : cursor_;
}

bool reader::cursor_moved() noexcept {
  const auto now = cursor();
  if (now < 0 || now <= told_)
    return false;
  told_ = now;
  return true;
}

// -- live ---------------------------------------------------------------------

void reader::deliver(const encoded_events& batch, seq_t first) {
  auto& o = out();
  if (o.failed() || !open())
    return;
  const size_t limit = home_.settings().reader_buffer_bytes;
  const size_t sent = o.send_now(*batch.bytes);
  const auto& marks = batch.marks;
  size_t taken = marks.size();
  if (sent != batch.bytes->size()) {
    if (o.failed())
      return;
    const size_t before = o.pending();
    size_t upto = sent;
    taken = 0;
    for (const auto& m : marks) {
      const size_t start = taken == 0 ? 0 : marks[taken - 1].end;
      if (m.end > sent) {
        const bool partly_out = sent > start;
        const bool fits = before + (m.end - sent) <= limit;
        const bool alone = before + (upto - sent) == 0;
        if (!partly_out && !fits && !alone)
          break;
        upto = m.end;
      }
      ++taken;
    }
    o.append_shared(batch.bytes, sent, upto);
    o.flush();
    if (taken != marks.size()) {
      leave_lane(taken == 0 ? first - 1 : marks[taken - 1].seq);
      home_.figures().reader_lagged(setup_.stream);
    }
  }
  if (taken != 0) {
    told_ = marks[taken - 1].seq;
    sent_->events += taken;
    sent_->bytes += marks[taken - 1].end;
  }
  // The flush may have found room for all of it: then nothing else would tell
  // that it is time for the next page.
  if (taken != marks.size())
    pump();
}

void reader::leave_lane(seq_t cursor) {
  if (!place_.live)
    return;
  home_.leave(*this);
  cursor_ = cursor;
}

// -- catching up --------------------------------------------------------------

void reader::begin() {
  begun_ = true;
  heard();
  pump();
}

void reader::ask() {
  asked_ = true;
  setup_.control->next(++epoch_, cursor_);
}

void reader::join(uint32_t epoch, group_id group, log_range backlog) {
  if (epoch != epoch_ || !asked_ || closing_ || gone_)
    return;
  asked_ = false;
  backlog_ = std::move(backlog);
  backlog_next_ = 0;
  answered_ = true;
  joining_ = true;
  joining_group_ = group;
  pump();
  // What did not go into the outbox at once comes too late to be live: the
  // lane has moved on by then.
  if (std::exchange(joining_, false) && !place_.live)
    home_.figures().reader_lagged(setup_.stream);
}

void reader::page(uint32_t epoch, log_range events) {
  if (epoch != epoch_ || !asked_ || closing_ || gone_)
    return;
  asked_ = false;
  home_.figures().catch_up_page(setup_.stream, events.events.size());
  backlog_ = std::move(events);
  backlog_next_ = 0;
  answered_ = true;
  pump();
}

void reader::fill() {
  auto& o = out();
  const size_t limit = home_.settings().reader_buffer_bytes;
  while (!backlog_empty()) {
    const auto& ev = backlog_.events[backlog_next_];
    const auto size = codec::wire_text(ev, style_.format).size();
    if (o.pending() != 0 && o.pending() + size > limit) {
      o.flush();
      if (o.pending() != 0)
        return;
    }
    if (o.failed() || !open())
      return;
    const size_t before = o.outbox().size();
    append_event(o.outbox(), ev, style_);
    told_ = cursor_ = ev->seq;
    ++sent_->events;
    sent_->bytes += o.outbox().size() - before;
    ++backlog_next_;
    if (o.pending() >= chunk_bytes)
      o.flush();
  }
  o.flush();
  cursor_ = std::max(cursor_, backlog_.last);
  answered_ = false;
  backlog_ = {};
  backlog_next_ = 0;
  if (std::exchange(joining_, false))
    home_.enter(*this, joining_group_);
  if (!std::exchange(announced_, true))
    announce();
}

void reader::pump() {
  if (!begun_ || paused_ || closing_ || gone_)
    return;
  if (answered_)
    fill();
  if (!place_.live && !asked_ && !answered_ && !out().failed() &&
      out().pending() <= home_.settings().reader_buffer_bytes / 2)
    ask();
}

void reader::outbox_drained_some() {
  heard();
  // A failed outbox is empty; who reads gets to know then.
  if (out().pending() <= home_.settings().reader_buffer_bytes / 2) {
    pump();
    room_again();
  }
}

// -- what the client asks for -------------------------------------------------

void reader::pause() {
  leave_lane(cursor());
  ++epoch_;
  asked_ = answered_ = false;
  backlog_ = {};
  backlog_next_ = 0;
  paused_ = true;
}

void reader::resume() {
  paused_ = false;
  pump();
}

void reader::change_filter(filter f) {
  leave_lane(cursor());
  ++epoch_;
  asked_ = answered_ = false;
  backlog_ = {};
  backlog_next_ = 0;
  setup_.control->change_filter(std::move(f));
  pump();
}

void reader::acknowledge(seq_t seq) {
  setup_.control->acknowledge(seq);
}

// -- time and end -------------------------------------------------------------

void reader::heard() noexcept {
  heard_at_ = home_.now();
}

void reader::tick(steady_clock::time_point now) {
  if (gone_)
    return;
  const auto& settings = home_.settings();
  if (!closing_ && begun_ && !open())
    closing();
  if (closing_) {
    if (now >= close_by_)
      abort();
    return;
  }
  // TCP itself looks after idle SSE clients; a WebSocket must answer pings.
  if (kind() == reader_kind::sse && out().pending() == 0)
    heard_at_ = now;
  if (now - heard_at_ > settings.pong_timeout) {
    abort();
  } else if (now >= ping_at_ && begun_) {
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
  backlog_ = {};
  backlog_next_ = 0;
}

void reader::end(reader_end why, std::string_view message) {
  if (closing_ || gone_)
    return;
  closing();
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
