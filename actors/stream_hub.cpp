// SPDX-License-Identifier: Apache-2.0
#include "actors/caf_compat.hpp"
#include "actors/stream_hub_state.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace eventweft {

namespace {

/// How long a head that the store is ahead of may be about to be told to us.
constexpr std::chrono::milliseconds tell_grace{20};
/// Ranges kept that came before what is between them and us.
constexpr size_t max_early = 64;
/// Of those who ask for the log's end before it is known.
constexpr size_t max_early_heads = 10'000;

} // namespace

stream_hub_state::stream_hub_state(stream_hub_actor::pointer self,
                                   actor_context ctx,
                                   stream_hub_options options,
                                   std::shared_ptr<live_lanes> lanes)
    : self_(self),
      ctx_(std::move(ctx)),
      options_(options),
      book_(std::move(lanes)),
      ring_(options.ring_events, options.ring_bytes),
      pauses_(options.retry_min, options.retry_max),
      lane_pauses_(options.retry_min, options.retry_max),
      readers_(*book_, ring_, matches_, options_) {}

stream_hub_actor::behavior_type stream_hub_state::make_behavior() {
  for (auto& [number, lane] : book_->lanes)
    lane.reading = false;
  // Those in the lanes go on with this hub.
  interested_ = !book_->lanes.empty();
  ctx_.others->wants_events(interested_);
  if (interested_)
    watch_interest();
  start();
  return {
      [this](committed_atom, const log_range_ptr& range) {
        if (range)
          committed(range);
      },
      [this](ready_atom, lane_number number) { ready(number); },
      [this](join_atom, join_request& r) { return take_join(std::move(r)); },
      [this](leave_atom, subscription_id who) { leave(who); },
      [this](head_atom) { return head(); },
      [this](poll_atom) {
        doubt_memory();
        poll();
      },
      [this](poll_atom, seq_t reaches) { reaches_to(reaches); },
  };
}

// -- the end of the log ------------------------------------------------------

void stream_hub_state::start() {
  auto store = ctx_.peers->reader.get();
  auto again = [this] {
    run_after(self_, pauses_.next(*ctx_.random), [this] { start(); });
  };
  if (!store) {
    again();
    return;
  }
  ask(self_, store, options_.store_timeout, head_atom_v)
      .then([this](seq_t head) { started(head); },
            [again](const caf::error&) { again(); });
}

void stream_hub_state::started(seq_t head) {
  pauses_.reset();
  // What a lane was sent is in the log, whatever the store just said.
  for (const auto& [number, lane] : book_->lanes)
    head = std::max(head, lane.sent);
  ring_.reset(head);
  target_ = head;
  started_ = true;
  ctx_.figures->set_head(head);
  for (const auto& [number, lane] : book_->lanes)
    for (const auto& [key, group] : lane.groups)
      matches_.add(group.id, group.matcher, head);
  take_early();
  for (auto& promise : std::exchange(early_heads_, {}))
    promise.deliver(ring_.head());
  serve_joins();
  pump_all();
  schedule_poll();
}

caf::result<seq_t> stream_hub_state::head() {
  if (started_)
    return ring_.head();
  if (early_heads_.size() == max_early_heads)
    return to_caf(ec::overloaded, "the end of the log is not known yet");
  auto promise = self_->make_response_promise<seq_t>();
  early_heads_.push_back(promise);
  return promise;
}

void stream_hub_state::committed(const log_range_ptr& range) {
  if (started_ && !interested_)
    skip_to(range->first - 1);
  if (!started_ || range->first > ring_.head() + 1) {
    keep_early(range);
    if (started_)
      reaches_to(range->last);
    return;
  }
  if (range->last <= ring_.head())
    return;
  accept(*range);
  take_early();
  pump_all();
}

void stream_hub_state::keep_early(const log_range_ptr& range) {
  early_.emplace(range->first, range);
  // Those farthest away will be read from the store.
  if (early_.size() > max_early)
    early_.erase(std::prev(early_.end()));
}

void stream_hub_state::take_early() {
  while (!early_.empty()) {
    auto next = early_.begin()->second;
    if (next->first > ring_.head() + 1)
      break;
    early_.erase(early_.begin());
    if (next->last > ring_.head())
      accept(*next);
  }
  if (!early_.empty())
    reaches_to(early_.rbegin()->second->last);
}

void stream_hub_state::accept(const log_range& range) {
  auto head = ring_.head();
  std::vector<event_ptr> events;
  events.reserve(range.events.size());
  for (const auto& ev : range.events)
    if (ev->seq > head) {
      log_event(*ctx_.log, ev->id, "offered to streams, seq {}", ev->seq);
      events.push_back(ev);
    }
  take_news(range.news, events);
  take_merges(events);
  ring_.append(events, range.last);
  matches_.append(events);
  matches_.trim(ring_.floor());
  latest_ = ctx_.time->now();
  ctx_.figures->set_head(range.last);
}

void stream_hub_state::reaches_to(seq_t last) {
  if (!started_ || last <= ring_.head())
    return;
  if (!interested_) {
    skip_to(last);
    return;
  }
  expected_ = std::max(expected_, last);
  if (!std::exchange(in_grace_, true))
    run_after(self_, tell_grace, [this] {
      in_grace_ = false;
      fill_expected();
    });
}

void stream_hub_state::fill_expected() {
  if (expected_ <= ring_.head())
    return;
  target_ = std::max(target_, expected_);
  fill();
}

void stream_hub_state::fill() {
  if (ring_.head() >= target_)
    return;
  if (!interested_) {
    skip_to(target_);
    return;
  }
  if (filling_)
    return;
  auto store = ctx_.peers->reader.get();
  if (!store) {
    fill_later();
    return;
  }
  filling_ = true;
  const auto after = ring_.head();
  const auto known = names_.news();
  page_request page{after, options_.page_events, options_.page_bytes};
  ask(self_, store, options_.store_timeout, page_atom_v, page)
      .then(
          [this, store, after, known](log_range& range) {
            with_names(
                store,
                [this, after, known, range = std::move(range)] {
                  if (names_.news() == known) {
                    filled(after, range);
                    return;
                  }
                  filling_ = false;
                  fill();
                },
                [this] { fill_later(); });
          },
          [this](const caf::error&) { fill_later(); });
}

void stream_hub_state::filled(seq_t after, const log_range& range) {
  filling_ = false;
  if (range.last > ring_.head()) {
    ctx_.figures->hub_gap_filled(range.events.size());
    // Whoever appended it did not tell what it changed of what was before.
    doubt_memory();
    accept(range);
    take_early();
    pump_all();
  } else if (ring_.head() == after) {
    // Nothing there: what is told is not visible yet.
    fill_later();
    return;
  }
  // Also where what was missing came by itself meanwhile: the store is well,
  // and the next hole must not wait for a pause that this one grew.
  pauses_.reset();
  fill();
}

void stream_hub_state::fill_later() {
  filling_ = true;
  run_after(self_, pauses_.next(*ctx_.random), [this] {
    filling_ = false;
    if (ring_.head() >= target_)
      pauses_.reset();
    fill();
  });
}

// -- the slow look at the store ----------------------------------------------

void stream_hub_state::schedule_poll() {
  run_after(self_, options_.poll_interval, [this] {
    poll();
    schedule_poll();
  });
}

void stream_hub_state::poll() {
  auto store = ctx_.peers->reader.get();
  if (!started_ || polling_ || !store)
    return;
  polling_ = true;
  std::map<subscription_id, seq_t> waited;
  for (const auto& [number, lane] : book_->lanes)
    for (const auto& w : lane.waiting)
      waited.emplace(w.request.subscription, w.request.cursor);
  ask(self_, store, options_.store_timeout, head_atom_v)
      .then(
          [this, waited = std::move(waited)](seq_t head) {
            polling_ = false;
            polled(head, waited);
          },
          [this](const caf::error&) { polling_ = false; });
  look_at_threads();
}

void stream_hub_state::polled(seq_t head,
                              const std::map<subscription_id, seq_t>& waited) {
  reaches_to(head);
  const auto end = std::max({head, target_, expected_});
  bool more = false;
  for (auto& [number, lane] : book_->lanes)
    for (auto& w : lane.waiting) {
      auto& cursor = w.request.cursor;
      if (cursor <= end)
        continue;
      const auto known = waited.find(w.request.subscription);
      if (known != waited.end() && known->second == cursor)
        // Beyond the log's end, it is another log's: go on from our end.
        cursor = std::max(head, ring_.head());
      else
        // It came later, and may have read what is younger than the answer.
        more = true;
    }
  pump_all();
  if (more)
    poll();
}

// -- readers -----------------------------------------------------------------

caf::result<join_answer> stream_hub_state::take_join(join_request r) {
  if (!r.lane)
    return to_caf(ec::internal, "a join without a lane");
  begin_interest();
  if (started_ && !names_unsure_ && !naming_)
    return join(std::move(r));
  // One that was given up by whoever asked would be answered as well.
  std::erase_if(early_joins_, [&r](const auto& x) {
    return x.first.subscription == r.subscription;
  });
  auto promise = self_->make_response_promise<join_answer>();
  early_joins_.emplace_back(std::move(r), promise);
  serve_joins();
  return promise;
}

join_answer stream_hub_state::join(join_request r) {
  const auto beyond = r.cursor > ring_.head();
  auto answer = readers_.join(std::move(r));
  count_tried();
  if (beyond)
    poll();
  return answer;
}

void stream_hub_state::count_tried() {
  const auto all = matches_.tried() + readers_.tried();
  ctx_.figures->filters_tried(all - std::exchange(told_tried_, all));
}

void stream_hub_state::leave(subscription_id who) {
  std::erase_if(early_joins_,
                [who](auto& x) { return x.first.subscription == who; });
  readers_.leave(who);
  ++comings_;
}

stream_hub_actor spawn_stream_hub(caf::actor_system& sys, actor_context ctx,
                                  stream_hub_options options,
                                  std::shared_ptr<live_lanes> lanes) {
  using impl = caf::stateful_actor<stream_hub_state, stream_hub_actor::impl>;
  return sys.spawn<impl>(std::move(ctx), options, std::move(lanes));
}

} // namespace eventweft
