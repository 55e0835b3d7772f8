// SPDX-License-Identifier: Apache-2.0
#include "net/reader.hpp"

#include "codec/event_json.hpp"
#include "codec/filter.hpp"
#include "net/lane.hpp"

#include <algorithm>
#include <utility>

namespace eventweft::net {

namespace {

/// What is gathered before it is sent while catching up.
constexpr size_t chunk_bytes = 128u << 10;

constexpr uint64_t no_limit = std::numeric_limits<uint64_t>::max();

} // namespace

reader::reader(lane& home, reader_setup setup, wire_style style)
    : home_(home),
      setup_(std::move(setup)),
      style_(style),
      sent_(home.tally_for(setup_.stream)),
      credit_(setup_.credit.value_or(no_limit)),
      heard_at_(home.now()),
      moved_at_(home.now()),
      second_at_(home.now()),
      current_at_(home.now()),
      ping_at_(home.now() + home.settings().ping_interval) {}

reader::~reader() = default;

seq_t reader::cursor() const noexcept {
  return place_.live ? std::max(cursor_, home_.position()) : cursor_;
}

seq_t reader::place_to_go_on() const noexcept {
  const auto at = cursor();
  return at < 0 && setup_.control ? setup_.control->start() : at;
}

bool reader::place_moved() noexcept {
  const auto now = place_to_go_on();
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
  const auto& marks = batch.marks;
  const size_t granted = std::min<uint64_t>(marks.size(), credit_);
  const size_t end = granted == 0 ? 0 : marks[granted - 1].end;
  const size_t sent = o.send_now(std::string_view{*batch.bytes}.substr(0, end));
  size_t taken = granted;
  if (sent != end) {
    if (o.failed())
      return;
    const size_t before = o.pending();
    size_t upto = sent;
    for (taken = 0; taken != granted; ++taken) {
      const auto& m = marks[taken];
      const size_t start = taken == 0 ? 0 : marks[taken - 1].end;
      if (m.end > sent) {
        const bool partly_out = sent > start;
        const bool fits = before + (m.end - sent) <= limit;
        const bool alone = before + (upto - sent) == 0;
        if (!partly_out && !fits && !alone)
          break;
        upto = m.end;
      }
    }
    o.append_shared(batch.bytes, sent, upto);
    o.flush();
    if (taken != granted)
      home_.figures().reader_lagged(setup_.stream);
  }
  if (taken != 0) {
    told_ = marks[taken - 1].seq;
    count_sent(taken, marks[taken - 1].end, marks[taken - 1].seq);
    if (credit_ != no_limit)
      credit_ -= taken;
  }
  if (taken == marks.size())
    return;
  leave_lane(taken == 0 ? first - 1 : marks[taken - 1].seq);
  // The flush may have found room for all of it: then nothing else would tell
  // that it is time for the next page.
  pump();
}

void reader::count_sent(size_t events, size_t bytes, seq_t last) {
  sent_->events += events;
  sent_->bytes += bytes;
  sent_->last = std::max(sent_->last, last);
  events_sent_ += events;
  bytes_sent_ += bytes;
  last_sent_ = std::max(last_sent_, last);
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
  if (const auto f = std::move(next_filter_))
    setup_.control->change_filter(std::move(*f));
  setup_.control->next(++epoch_, cursor_);
}

bool reader::is_answer(uint32_t epoch, const log_range& range) {
  if (epoch != epoch_ || !asked_ || closing_ || gone_)
    return false;
  asked_ = false;
  // Where it starts is settled, whatever becomes of the answer.
  if (cursor_ < 0) {
    cursor_ = range.first - 1;
    acknowledged_ = std::min(acknowledged_, cursor_);
    // What it asked to begin at may be beyond the end of this log.
    if (told_ > cursor_)
      told_ = -1;
    announce();
  }
  if (!std::exchange(changed_mind_, false))
    return true;
  pump();
  return false;
}

void reader::join(uint32_t epoch, group_id group, log_range backlog) {
  if (!is_answer(epoch, backlog))
    return;
  backlog_ = std::move(backlog);
  backlog_next_ = 0;
  answered_ = true;
  joining_ = true;
  joining_group_ = group;
  pump();
  // What did not go into the outbox at once comes too late to be live: the
  // lane has moved on by then.
  if (std::exchange(joining_, false) && !place_.live && credit_ != 0)
    home_.figures().reader_lagged(setup_.stream);
}

void reader::page(uint32_t epoch, log_range events) {
  if (!is_answer(epoch, events))
    return;
  backlog_ = std::move(events);
  backlog_next_ = 0;
  answered_ = true;
  pump();
}

void reader::fill() {
  auto& o = out();
  const size_t limit = home_.settings().reader_buffer_bytes;
  while (!backlog_empty()) {
    if (credit_ == 0) {
      o.flush();
      return;
    }
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
    append_event(o.outbox(), ev, style_, home_.packed());
    told_ = cursor_ = ev->seq;
    count_sent(1, o.outbox().size() - before, ev->seq);
    ++backlog_next_;
    if (credit_ != no_limit)
      --credit_;
    if (o.pending() >= chunk_bytes)
      o.flush();
  }
  o.flush();
  cursor_ = std::max(cursor_, backlog_.last);
  drop_backlog();
  if (std::exchange(joining_, false))
    home_.enter(*this, joining_group_);
  // After that it is told with the pings.
  if (!std::exchange(filled_, true))
    announce();
}

void reader::pump() {
  if (!begun_ || paused_ || closing_ || gone_)
    return;
  if (answered_)
    fill();
  // Without credit there is nothing to ask for, but where to start.
  const bool wants = credit_ != 0 || cursor_ < 0;
  if (wants && !place_.live && !asked_ && !answered_ && !out().failed() &&
      out().pending() <= home_.settings().reader_buffer_bytes / 2)
    ask();
}

void reader::outbox_drained_some() {
  // A peer that takes what is before our ping can't answer it yet.
  heard_at_ = moved_at_ = home_.now();
  // A failed outbox is empty; who reads gets to know then.
  if (out().pending() <= home_.settings().reader_buffer_bytes / 2) {
    pump();
    room_again();
  }
}

// -- what the client asks for -------------------------------------------------

void reader::change_mind() {
  leave_lane(cursor());
  changed_mind_ = asked_;
  drop_backlog();
}

void reader::drop_backlog() {
  answered_ = false;
  backlog_ = {};
  backlog_next_ = 0;
}

void reader::pause() {
  change_mind();
  paused_ = true;
}

void reader::resume() {
  paused_ = false;
  pump();
}

void reader::change_filter(filter f) {
  change_mind();
  setup_.filter = codec::filter_json(f);
  next_filter_ = std::make_unique<filter>(std::move(f));
  pump();
}

void reader::grant(uint64_t n) {
  // Far beyond what anybody can take, far from an overflow.
  constexpr uint64_t most = 1ull << 60;
  credit_ = std::min(credit_ == no_limit ? n : credit_ + n, most);
  pump();
}

void reader::restart() {
  if (closing_ || gone_)
    return;
  change_mind();
  pump();
}

void reader::acknowledge(seq_t seq) {
  // What was not sent can't have been dealt with. Before the start is known,
  // it may be about what an earlier connection brought; see `is_answer`.
  const auto most = cursor() < 0 ? seq : std::min(seq, cursor());
  acknowledged_ = std::max(acknowledged_, most);
}

// -- for those who ask --------------------------------------------------------

reader_view reader::view(seq_t head, steady_clock::time_point now) const {
  reader_view v;
  v.id = id();
  v.kind = kind();
  v.cloudevents = style_.format == wire_format::cloudevents;
  v.state = closing_       ? "closing"
            : paused_      ? "paused"
            : credit_ == 0 ? "waiting"
            : place_.live  ? "live"
                           : "catching_up";
  v.filter = setup_.filter;
  v.cursor = cursor();
  v.acknowledged = acknowledged_;
  if (v.cursor >= 0 && v.cursor < head) {
    v.lag_events = head - v.cursor;
    v.lag_seconds = std::chrono::duration<double>(now - current_at_).count();
  }
  v.matched = events_sent_ + (backlog_.events.size() - backlog_next_);
  v.errors = refused_;
  v.last_seq = last_sent_;
  v.sent = events_sent_;
  v.sent_bytes = bytes_sent_;
  if (credit_ != no_limit)
    v.credit = credit_;
  v.key = setup_.in.key;
  v.address = setup_.address;
  v.opened_at = setup_.opened_at;
  return v;
}

} // namespace eventweft::net
