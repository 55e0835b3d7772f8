// SPDX-License-Identifier: Apache-2.0
#include "actors/caf_compat.hpp"
#include "actors/outgoing/delivery_sender_state.hpp"

#include <algorithm>
#include <utility>

// What is delivered once more, or only to try.
namespace eventweft {

namespace {

// A dry run looks at so much of the log, then says what it found so far.
constexpr int64_t most_counted = 1'000'000;

} // namespace

// -- once more ---------------------------------------------------------------

caf::result<replay_answer>
delivery_sender_state::replay(const replay_request& r) {
  if (!ctx_.owner->held_of(kind_, work_))
    return to_caf(ec::not_owner,
                  "the subscription" + holder_text(*ctx_.owner, work_));
  if (!queue_)
    return to_caf(ec::overloaded, "the subscription is not ready");
  auto promise = self_->make_response_promise<replay_answer>();
  auto store = ctx_.peers->reader.get();
  if (!store) {
    promise.deliver(to_caf(ec::overloaded, "the store's part restarts"));
    return promise;
  }
  auto failed = [promise](const caf::error& e) mutable { promise.deliver(e); };
  if (r.event_id) {
    ask(self_, store, options_.store_timeout, find_atom_v, *r.event_id)
        .then(
            [this, promise, dry = r.dry_run](const event_ptr& ev) mutable {
              replay_one(ev, dry, promise);
            },
            failed);
    return promise;
  }
  if (replay_ && !r.dry_run) {
    promise.deliver(
        to_caf(ec::conflict, "a replay is under way; let it end first"));
    return promise;
  }
  // Both ends as numbers first.
  auto with_end = [this, promise, r, store, failed](seq_t after) mutable {
    auto go = [this, promise, r, after](seq_t until) mutable {
      begin_replay({after, until, r.filter}, r.dry_run, promise);
    };
    if (r.until)
      ask(self_, store, options_.store_timeout, seek_atom_v, *r.until)
          .then(go, failed);
    else
      ask(self_, store, options_.store_timeout, head_atom_v).then(go, failed);
  };
  switch (r.since.from) {
  case start_point::kind::after_seq:
    with_end(std::max<seq_t>(r.since.seq, 0));
    break;
  case start_point::kind::at_time:
    ask(self_, store, options_.store_timeout, seek_atom_v, r.since.time)
        .then(with_end, failed);
    break;
  case start_point::kind::now:
    ask(self_, store, options_.store_timeout, head_atom_v)
        .then(with_end, failed);
    break;
  }
  return promise;
}

void delivery_sender_state::replay_one(
    const event_ptr& ev, bool dry,
    caf::typed_response_promise<replay_answer>& promise) {
  if (!ev) {
    promise.deliver(to_caf(ec::not_found, "no event has this id"));
    return;
  }
  if (!queue_) {
    promise.deliver(to_caf(ec::overloaded, "the subscription is not ready"));
    return;
  }
  // Whatever was so when it came: what is let through now is what goes out.
  const bool matches = matcher_.matches(*ev);
  replay_answer out{ev->seq - 1, ev->seq, matches ? 1 : 0};
  if (dry) {
    promise.deliver(out);
    return;
  }
  if (!matches) {
    promise.deliver(to_caf(ec::unprocessable,
                           "the stream's filter or the subscription's does not "
                           "let this event through"));
    return;
  }
  if (ev->seq > queue_->cursor()) {
    promise.deliver(to_caf(ec::conflict,
                           "the event has not had its turn yet; it will come"));
    return;
  }
  if (!queue_->accept_again(ev->seq, ctx_.time->now()) &&
      queue_->find(ev->seq) == nullptr) {
    promise.deliver(
        to_caf(ec::too_many_requests, "too much waits to be delivered"));
    return;
  }
  dirty_ = true;
  keep(ev);
  once_saved_.push_back([promise, out]() mutable { promise.deliver(out); });
  pump();
}

void delivery_sender_state::begin_replay(
    codec::replay_state what, bool dry,
    caf::typed_response_promise<replay_answer> promise) {
  if (!queue_) {
    promise.deliver(to_caf(ec::overloaded, "the subscription is not ready"));
    return;
  }
  // What has not had its turn yet needs no second one.
  what.until = std::min(what.until, queue_->cursor());
  what.after = std::min(what.after, what.until);
  if (dry) {
    count(std::make_shared<counting>(counting{what, what, 0, promise}));
    return;
  }
  if (replay_) {
    promise.deliver(
        to_caf(ec::conflict, "a replay is under way; let it end first"));
    return;
  }
  replay_ = what;
  dirty_ = true;
  once_saved_.push_back([promise, what]() mutable {
    promise.deliver(replay_answer{what.after, what.until, std::nullopt});
  });
  scan();
  pump();
}

bool delivery_sender_state::wanted(const codec::compiled_filter& extra,
                                   const event& ev) const {
  return matcher_.matches(ev) && extra.matches(ev);
}

void delivery_sender_state::scan() {
  if (!replay_ || scanning_ || !queue_ || flushing_)
    return;
  if (replay_->after >= replay_->until) {
    replay_.reset();
    dirty_ = true;
    pump_soon();
    return;
  }
  auto store = ctx_.peers->reader.get();
  if (!store || !queue_->has_room() || !order_.what.active) {
    scan_later(lookup_again);
    return;
  }
  scanning_ = true;
  ask(self_, store, options_.store_timeout, page_atom_v,
      page_request{replay_->after, options_.page_events, options_.page_bytes})
      .then(
          [this, life = life_](const log_range& found) {
            if (life != life_ || !replay_)
              return;
            scanning_ = false;
            take_again(found);
          },
          [this, life = life_](const caf::error&) {
            if (life != life_)
              return;
            scanning_ = false;
            scan_later(lookup_again);
          });
}

void delivery_sender_state::take_again(const log_range& found) {
  const codec::compiled_filter extra{replay_->filter};
  const auto now = ctx_.time->now();
  bool through = found.events.empty();
  for (const auto& ev : found.events) {
    through = ev->seq > replay_->until;
    if (through)
      break;
    if (wanted(extra, *ev)) {
      if (!queue_->has_room()) {
        dirty_ = true;
        pump();
        scan_later(milliseconds{100});
        return;
      }
      if (queue_->accept_again(ev->seq, now))
        keep(ev);
    }
    replay_->after = ev->seq;
  }
  if (through)
    replay_->after = replay_->until;
  dirty_ = true;
  pump();
  scan();
}

void delivery_sender_state::scan_later(milliseconds pause) {
  if (std::exchange(scan_due_, true))
    return;
  run_after(self_, pause, [this] {
    scan_due_ = false;
    scan();
  });
}

void delivery_sender_state::count(const std::shared_ptr<counting>& c) {
  auto store = ctx_.peers->reader.get();
  if (!store) {
    c->promise.deliver(to_caf(ec::overloaded, "the store's part restarts"));
    return;
  }
  if (c->left.after >= c->left.until ||
      c->left.after - c->whole.after >= most_counted) {
    c->promise.deliver(replay_answer{c->whole.after, c->left.after, c->found});
    return;
  }
  ask(self_, store, options_.store_timeout, page_atom_v,
      page_request{c->left.after, 1'000, 8u << 20})
      .then(
          [this, c](const log_range& page) {
            const codec::compiled_filter extra{c->left.filter};
            for (const auto& ev : page.events)
              if (ev->seq <= c->left.until && wanted(extra, *ev))
                ++c->found;
            c->left.after = page.events.empty()
                                ? c->left.until
                                : std::min(page.last, c->left.until);
            count(c);
          },
          [c](const caf::error& e) { c->promise.deliver(e); });
}

caf::result<delivery_test> delivery_sender_state::test() {
  auto promise = self_->make_response_promise<delivery_test>();
  const auto now = ctx_.time->now();
  const auto ev = test_event(order_.what, now, *ctx_.random);
  auto me = delivery_sender_actor{self_};
  const auto number = ++tests_;
  testing_.emplace(number, promise);
  auto to = endpoint_;
  to.timeout = std::min(to.timeout, longest_test);
  tools_.poster->post(
      request_for(order_.what, to, ev, now), [me, number](outgoing::result r) {
        // Tests are below zero, where no event is.
        tell_anon(me, done_atom_v,
                  delivery_end_ptr{std::make_shared<const delivery_end>(
                      delivery_end{-number, 1, {}, std::move(r), 0})});
      });
  return promise;
}

void delivery_sender_state::tested(const delivery_end& end) {
  auto asked = testing_.extract(-end.seq);
  if (!asked)
    return;
  const auto v = delivery::judge(end.outcome, ctx_.time->now());
  const auto row = attempt_row(order_.what, event{}, end, v,
                               options_.kept_answer_bytes, uuid{});
  delivery_test out;
  out.delivered = v.outcome == delivery::outcome::delivered;
  out.response_status = row.response_status;
  out.response_body = row.response_body;
  out.error_message = row.error_message;
  out.duration = row.duration;
  asked.mapped().deliver(std::move(out));
}

} // namespace eventweft
