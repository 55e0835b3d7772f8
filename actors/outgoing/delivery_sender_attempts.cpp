// SPDX-License-Identifier: Apache-2.0
#include "actors/caf_compat.hpp"
#include "actors/dead_letters.hpp"
#include "actors/outgoing/delivery_sender_state.hpp"

#include <algorithm>
#include <utility>

// Attempts: what is sent, how it ends, and what is given up.
namespace eventweft {

namespace {

using delivery::decision;

} // namespace

// -- to the wire -------------------------------------------------------------

void delivery_sender_state::pump() {
  if (!queue_)
    return;
  if (!ctx_.owner->held_of(kind_, work_)) {
    stop_work("elsewhere");
    return;
  }
  const auto now = ctx_.time->now();
  if (queue_->has_room())
    accept_rest();
  note_seen();
  if (!flushing_ && attempts_.size() < options_.max_unsaved)
    for (const auto& a : queue_->take(now))
      send(a.seq, a.number);
  if (queue_ && !queue_->is_disabled())
    for (const auto& u : queue_->give_up_overdue(now))
      give_up(u.seq, u.attempts, "it waited too long for an attempt",
              uuid::v7(now, *ctx_.random));
  if (queue_)
    wake(now);
  save();
  show();
  finish_flush();
}

void delivery_sender_state::wake(timestamp now) {
  // Then it is the end of something else that wakes.
  if (queue_->is_disabled() || flushing_ ||
      attempts_.size() >= options_.max_unsaved)
    return;
  const auto at = queue_->wake_at(now);
  if (!at || (wake_due_ && *wake_due_ <= *at && *wake_due_ > now))
    return;
  wake_due_ = *at;
  const auto pause =
      std::clamp(std::chrono::ceil<milliseconds>(*at - now), milliseconds{1},
                 milliseconds{std::chrono::hours{24}});
  run_after(self_, pause, [this, number = ++wakes_] {
    if (number != wakes_)
      return;
    wake_due_.reset();
    pump();
  });
}

void delivery_sender_state::send(seq_t seq, uint32_t number) {
  with_event(
      seq,
      [this, seq, number](const event_ptr& ev) {
        if (!queue_)
          return;
        if (!ev) {
          ctx_.log->warn("{}: event {} is not in the log any more", work_, seq);
          queue_->forget(seq);
          drop_event(seq);
          dirty_ = true;
          pump_soon();
          return;
        }
        post(ev, number);
      },
      [this, seq](const error& why) {
        if (!queue_)
          return;
        ctx_.log->warn("{}: event {} can't be read: {}", work_, seq,
                       to_string(why));
        delivery::verdict v;
        v.outcome = delivery::outcome::not_sent;
        queue_->finish(seq, v, ctx_.time->now());
        pump_soon();
      });
}

void delivery_sender_state::pump_soon() {
  if (!std::exchange(soon_, true))
    run_after(self_, milliseconds{1}, [this] {
      soon_ = false;
      pump();
    });
}

void delivery_sender_state::post(const event_ptr& ev, uint32_t number) {
  const auto now = ctx_.time->now();
  flights_[ev->seq] = ev;
  auto me = delivery_sender_actor{self_};
  const auto* open = queue_->find(ev->seq);
  tools_.poster->post(
      request_for(order_.what, endpoint_, ev, now,
                  open == nullptr ? timestamp{} : open->again),
      [me, life = life_, seq = ev->seq, number, now](outgoing::result r) {
        tell_anon(me, done_atom_v,
                  delivery_end_ptr{std::make_shared<const delivery_end>(
                      delivery_end{seq, number, now, std::move(r), life})});
      });
}

void delivery_sender_state::ended(const delivery_end& end) {
  if (end.seq < 0) {
    tested(end);
    return;
  }
  // Its event may be on its way once more by now, which is another request.
  if (end.life != life_)
    return;
  auto flight = flights_.extract(end.seq);
  if (!queue_ || !flight)
    return;
  const auto now = ctx_.time->now();
  const auto v = delivery::judge(end.outcome, now);
  const auto before = queue_->breaker_state(now);
  const auto d = queue_->finish(end.seq, v, now);
  if (d.what == decision::kind::put_back) {
    pump();
    return;
  }
  const auto& ev = *flight.mapped();
  auto row = attempt_row(order_.what, ev, end, v, options_.kept_answer_bytes,
                         uuid::v7(now, *ctx_.random));
  const auto took =
      end.outcome ? end.outcome->duration : end.outcome.error().duration;
  ctx_.figures->delivery_ended(order_.what.stream,
                               delivery::to_string(v.outcome), took);
  log_event(*ctx_.log, ev.id, "{}: attempt {} {}{}{}", work_, end.number,
            delivery::to_string(v.outcome),
            row.error_message.empty() ? "" : ": ", row.error_message);
  if (v.outcome != delivery::outcome::delivered) {
    ++progress_.failed;
    last_error_ = row.error_message;
    failures_[end.seq].push_back({end.started, row.error_message});
    if (before != delivery::breaker::state::open &&
        queue_->breaker_state(now) == delivery::breaker::state::open) {
      ctx_.figures->breaker_opened(order_.what.stream);
      ctx_.log->warn("{}: its endpoint is down ({}); only probes go out", work_,
                     row.error_message);
    }
  }
  switch (d.what) {
  case decision::kind::done:
    row.status = delivery_attempt::state::delivered;
    ++progress_.delivered;
    progress_.last_seq = std::max(progress_.last_seq, end.seq);
    progress_.last_delivery_at = now;
    ctx_.figures->events_sent(order_.what.stream, 1, ev.payload.size(),
                              end.seq);
    drop_event(end.seq);
    break;
  case decision::kind::retry:
    row.next_attempt_at = d.due;
    break;
  case decision::kind::give_up:
    row.status = delivery_attempt::state::failed;
    give_up(end.seq, d.attempts, row.error_message);
    break;
  case decision::kind::disabled:
    switch_off(row.error_message);
    break;
  case decision::kind::put_back:
    break;
  }
  attempts_.push_back(std::move(row));
  dirty_ = true;
  pump();
}

void delivery_sender_state::switch_off(const std::string& reason) {
  ctx_.log->warn("{}: switched off: {}", work_, reason);
  disabled_reason_ = reason;
  order_.what.active = false;
  order_.what.disabled_reason = reason;
  follower_.reset();
  rest_.reset();
  if (auto all = ctx_.peers->subscriptions.get())
    tell(self_, all, disabled_atom_v, order_.what.id, reason);
}

// -- what is given up --------------------------------------------------------

void delivery_sender_state::give_up(seq_t seq, uint32_t attempts,
                                    const std::string& reason,
                                    std::optional<uuid> row) {
  const auto now = ctx_.time->now();
  lost_.insert_or_assign(
      seq, lost_event{attempts, reason, uuid::v7(now, *ctx_.random), now, row});
  ++progress_.given_up;
  dirty_ = true;
  bury(seq);
}

void delivery_sender_state::bury(seq_t seq) {
  const auto found = lost_.find(seq);
  if (found == lost_.end() || std::exchange(found->second.under_way, true))
    return;
  with_event(
      seq,
      [this, seq](const event_ptr& ev) {
        const auto i = lost_.find(seq);
        if (i == lost_.end())
          return;
        if (!ev) {
          buried(seq, ev);
          return;
        }
        auto keeper = ctx_.peers->dead_letters.get();
        if (!keeper) {
          bury_later(seq);
          return;
        }
        auto letter = letter_of(ctx_, *ev,
                                {work_of(order_.what), i->second.reason,
                                 i->second.attempts, failures_[seq]});
        // The same letter, however often it has to be offered.
        letter.id = i->second.letter;
        letter.created_at = i->second.at;
        ask(self_, keeper, options_.store_timeout, dead_letter_atom_v,
            std::move(letter))
            .then(
                [this, life = life_, seq, ev] {
                  if (life == life_)
                    buried(seq, ev);
                },
                [this, life = life_, seq, ev](const caf::error& e) {
                  if (life != life_)
                    return;
                  // The store will never take it; the keeper has logged it.
                  if (from_caf(e).code == ec::row_refused)
                    buried(seq, ev);
                  else
                    bury_later(seq);
                });
      },
      [this, seq](const error&) { bury_later(seq); });
}

void delivery_sender_state::buried(seq_t seq, const event_ptr& ev) {
  const auto lost = lost_.extract(seq);
  // Its last attempt's row says that another one will follow. What says that
  // none does is written together with the mark that lets go of the event.
  if (lost && lost.mapped().row && ev) {
    const auto& x = lost.mapped();
    attempts_.push_back(row_without_attempt(order_.what, *ev, x.attempts + 1,
                                            x.reason, x.at, *x.row));
  }
  // It may have been asked for once more meanwhile.
  if (queue_->find(seq) == nullptr)
    drop_event(seq);
  dirty_ = true;
  pump_soon();
}

void delivery_sender_state::bury_later(seq_t seq) {
  run_after(self_, lookup_again, [this, life = life_, seq] {
    if (life != life_)
      return;
    if (auto i = lost_.find(seq); i != lost_.end())
      i->second.under_way = false;
    bury(seq);
  });
}

} // namespace eventweft
