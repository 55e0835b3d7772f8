// SPDX-License-Identifier: Apache-2.0
#include "actors/caf_compat.hpp"
#include "actors/outgoing/delivery_sender_state.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace eventweft {

delivery_sender_state::delivery_sender_state(
    delivery_sender_actor::pointer self, actor_context ctx,
    delivery_tools tools, delivery_sender_options options, delivery_order order)
    : self_(self),
      ctx_(std::move(ctx)),
      tools_(std::move(tools)),
      options_(std::move(options)),
      order_(std::move(order)),
      work_(work_of(order_.what)),
      pauses_(options_.retry_min, options_.retry_max) {
  prepare();
  ctx_.figures->reader_opened(order_.what.stream, reader_kind::webhook);
}

delivery_sender_state::~delivery_sender_state() {
  ctx_.figures->reader_closed(order_.what.stream, reader_kind::webhook);
}

delivery_sender_actor::behavior_type delivery_sender_state::make_behavior() {
  look();
  return {
      [this](put_atom, delivery_order& order) { change(std::move(order)); },
      [this](page_atom, uint64_t follower, const log_range_ptr& range) {
        if (follower == following_)
          take_page(range);
      },
      [this](done_atom, const delivery_end_ptr& end) {
        if (end)
          ended(*end);
      },
      [this](tick_atom) { look(); },
      [this](test_atom) { return test(); },
      [this](replay_atom, const replay_request& r) { return replay(r); },
      [this](flush_atom) { return flush(); },
  };
}

// -- whether to work ---------------------------------------------------------

void delivery_sender_state::prepare() {
  kind_ = work_kind_of(order_.what.type);
  endpoint_ = endpoint_of(order_.what, options_.request_timeout);
  matcher_ = codec::compiled_filter{order_.stream_filter, order_.what.filter};
}

void delivery_sender_state::look() {
  auto proof = ctx_.owner->held_of(kind_, work_);
  if (!proof) {
    // Work that moves is given away a little later than it is let go of.
    saving_ = resting_ = false;
    save_now();
    stop_work("elsewhere");
    return;
  }
  const bool same = proof_ && proof_->token == proof->token;
  proof_ = std::move(proof);
  if (same && (queue_ || loading_)) {
    pump();
    return;
  }
  stop_work("starting");
  load();
}

void delivery_sender_state::stop_work(const char* state) {
  ++life_;
  loading_ = false;
  queue_.reset();
  flights_.clear();
  follower_.reset();
  rest_.reset();
  events_.clear();
  cached_bytes_ = 0;
  created_.clear();
  failures_.clear();
  lost_.clear();
  attempts_.clear();
  once_saved_.clear();
  disabled_reason_.clear();
  replay_.reset();
  scanning_ = saving_ = dirty_ = false;
  state_ = state;
  show();
  finish_flush();
}

void delivery_sender_state::load() {
  if (std::exchange(loading_, true))
    return;
  auto worker = ctx_.peers->subscription_worker.get();
  if (!worker) {
    load_later();
    return;
  }
  ask(self_, worker, options_.store_timeout, find_atom_v, order_.what.id)
      .then(
          [this, life = life_](const subscription_record& r) {
            if (life != life_)
              return;
            loading_ = false;
            begin(r);
          },
          [this, life = life_](const caf::error& e) {
            if (life != life_)
              return;
            auto why = from_caf(e);
            // Deleted: whoever did that ends this actor too.
            if (why.code == ec::not_found) {
              loading_ = false;
              return;
            }
            ctx_.log->warn("{}: its progress can't be read: {}", work_,
                           to_string(why));
            load_later();
          });
}

void delivery_sender_state::load_later() {
  run_after(self_, pauses_.next(*ctx_.random), [this, life = life_] {
    if (life != life_)
      return;
    loading_ = false;
    look();
  });
}

void delivery_sender_state::begin(const subscription_record& r) {
  pauses_.reset();
  const auto& p = r.progress;
  progress_ = p;
  delivery::progress_mark from{p.done_until, {}};
  if (!p.mark.empty()) {
    if (auto read = delivery::parse_mark(p.mark))
      from = std::move(*read);
    else
      ctx_.log->error("{}: {}; it goes on after seq {}", work_,
                      read.error().message, p.done_until);
  }
  // Somebody changed the subscription, perhaps to another endpoint.
  if (from.endpoint.version != r.what.version)
    from.endpoint = {};
  if (!p.replay.empty()) {
    if (auto read = codec::parse_replay(p.replay))
      replay_ = std::move(*read);
    else
      ctx_.log->error("{}: {}", work_, read.error().message);
  }
  for (const auto& u : from.open)
    if (!u.history.empty())
      failures_.emplace(u.seq, u.history);
  start_queue(std::move(from));
  if (queue_)
    queue_->renew_due(ctx_.time->now());
}

void delivery_sender_state::start_queue(delivery::progress_mark from) {
  queue_.emplace(queue_options_of(order_.what, options_.queue), std::move(from),
                 ctx_.time->now(), *ctx_.random);
  if (!order_.what.active)
    queue_->disable();
  follow();
  scan();
  pump();
}

void delivery_sender_state::follow() {
  ++following_;
  follower_.reset();
  rest_.reset();
  if (!queue_ || !order_.what.active)
    return;
  follower_options f;
  f.name = order_.what.stream;
  f.max_events = options_.page_events;
  f.max_bytes = options_.page_bytes;
  auto me = delivery_sender_actor{self_};
  follower_ = std::make_unique<log_follower>(
      self_->system(), ctx_,
      followed_events{order_.stream_filter, order_.what.filter},
      queue_->cursor(), f, [me, number = following_](log_range_ptr piece) {
        tell_anon(me, page_atom_v, number, std::move(piece));
      });
  follower_->want();
}

void delivery_sender_state::change(delivery_order order) {
  // One that was made before the endpoint was switched off does not know it.
  const auto& now = order_.what;
  if (!now.active && !now.disabled_reason.empty() &&
      order.what.version <= now.version) {
    order.what.active = false;
    order.what.disabled_reason = now.disabled_reason;
  }
  const auto before = std::exchange(order_, std::move(order));
  if (before == order_)
    return;
  prepare();
  if (before.what.stream != order_.what.stream) {
    ctx_.figures->reader_closed(before.what.stream, reader_kind::webhook);
    ctx_.figures->reader_opened(order_.what.stream, reader_kind::webhook);
  }
  if (!queue_) {
    look();
    return;
  }
  // What is held against the endpoint is written with the version.
  dirty_ = true;
  const auto& a = before.what;
  const auto& b = order_.what;
  // Not to be written after what enabled it.
  if (b.active && !a.active)
    disabled_reason_.clear();
  if (a.ordered != b.ordered || a.max_concurrent != b.max_concurrent ||
      a.rate_per_second != b.rate_per_second)
    queue_->limit(queue_options_of(b, options_.queue));
  if (a.active != b.active || a.url != b.url) {
    if (b.active) {
      queue_->enable();
      queue_->renew(ctx_.time->now());
    } else {
      queue_->disable();
    }
  }
  if (a.active != b.active || a.filter != b.filter ||
      before.stream_filter != order_.stream_filter)
    follow();
  scan();
  pump();
}

// -- from the log ------------------------------------------------------------

void delivery_sender_state::take_page(const log_range_ptr& range) {
  if (!queue_ || !follower_)
    return;
  rest_ = range;
  rest_next_ = 0;
  accept_rest();
  pump();
}

void delivery_sender_state::accept_rest() {
  if (!rest_ || flushing_)
    return;
  const auto now = ctx_.time->now();
  size_t taken = 0;
  for (; rest_next_ < rest_->events.size(); ++rest_next_) {
    const auto& ev = rest_->events[rest_next_];
    if (ev->seq <= queue_->cursor())
      continue;
    if (!queue_->has_room())
      break;
    if (queue_->accept(ev->seq, now)) {
      ++taken;
      created_.emplace(ev->seq, ev->created_at);
      keep(ev);
    }
  }
  if (taken != 0) {
    progress_.matched += static_cast<int64_t>(taken);
    ctx_.figures->events_matched(order_.what.stream, taken);
  }
  dirty_ = true;
  if (rest_next_ < rest_->events.size())
    return;
  queue_->pass_over(rest_->last);
  rest_.reset();
  if (follower_)
    follower_->want();
}

void delivery_sender_state::note_seen() {
  if (!queue_ || !follower_ || rest_)
    return;
  const auto seen = follower_->seen();
  if (!seen || *seen <= queue_->cursor())
    return;
  queue_->pass_over(*seen);
  dirty_ = true;
}

void delivery_sender_state::keep(const event_ptr& ev) {
  const auto size = ev->footprint();
  if (cached_bytes_ + size > options_.cached_bytes)
    return;
  if (events_.emplace(ev->seq, ev).second)
    cached_bytes_ += size;
}

void delivery_sender_state::drop_event(seq_t seq) {
  if (auto i = events_.find(seq); i != events_.end()) {
    cached_bytes_ -= i->second->footprint();
    events_.erase(i);
  }
  created_.erase(seq);
  failures_.erase(seq);
}

void delivery_sender_state::with_event(
    seq_t seq, std::function<void(const event_ptr&)> then,
    std::function<void(const error&)> otherwise) {
  if (auto i = events_.find(seq); i != events_.end()) {
    then(event_ptr{i->second});
    return;
  }
  auto store = ctx_.peers->reader.get();
  if (!store) {
    otherwise(error{ec::overloaded, "the store's part restarts"});
    return;
  }
  ask(self_, store, options_.store_timeout, page_atom_v,
      page_request{seq - 1, 1, std::numeric_limits<uint32_t>::max()})
      .then(
          [this, life = life_, seq, then](const log_range& found) {
            if (life != life_)
              return;
            const bool there =
                !found.events.empty() && found.events.front()->seq == seq;
            then(there ? found.events.front() : event_ptr{});
          },
          [this, life = life_, otherwise](const caf::error& e) {
            if (life == life_)
              otherwise(from_caf(e));
          });
}

// -- to be told --------------------------------------------------------------

void delivery_sender_state::show() {
  subscription_figures f;
  const auto now = ctx_.time->now();
  f.state = state_;
  f.matched = progress_.matched;
  f.delivered = progress_.delivered;
  f.failed = progress_.failed;
  f.given_up = progress_.given_up;
  f.last_seq = progress_.last_seq;
  f.last_delivery_at = progress_.last_delivery_at;
  f.last_error = last_error_;
  f.replaying = replay_.has_value();
  std::optional<timestamp> behind_since;
  if (queue_) {
    f.state = state_of(order_.what);
    f.under_way = static_cast<int64_t>(queue_->under_way());
    f.open = f.under_way + static_cast<int64_t>(queue_->waiting());
    f.breaker = delivery::to_string(queue_->breaker_state(now));
    f.cursor = queue_->cursor();
    const auto head = ctx_.figures->head();
    const auto unseen = std::max<seq_t>(head - queue_->cursor(), 0);
    f.lag_events = f.open + unseen;
    if (const auto* first = queue_->oldest()) {
      const auto made = created_.find(first->seq);
      behind_since = made == created_.end() ? first->since : made->second;
    }
    if (const auto unseen_since = unseen_.since(queue_->cursor(), head, now))
      behind_since = std::min(behind_since.value_or(now), *unseen_since);
  }
  // Without a queue this node knows nothing of how far it is.
  const bool follows = !queue_ || (follower_ && !rest_);
  tools_.board->set(order_.what.id, std::move(f), behind_since, follows);
}

caf::result<void> delivery_sender_state::flush() {
  auto promise = self_->make_response_promise<void>();
  flushing_ = true;
  flushed_.push_back(promise);
  note_seen();
  follower_.reset();
  pump();
  finish_flush();
  return promise;
}

void delivery_sender_state::finish_flush() {
  if (!flushing_ || flushed_.empty())
    return;
  if (queue_ && (!flights_.empty() || saving_ || dirty_))
    return;
  for (auto& promise : std::exchange(flushed_, {}))
    promise.deliver();
}

delivery_sender_actor spawn_delivery_sender(caf::actor_system& sys,
                                            actor_context ctx,
                                            delivery_tools tools,
                                            delivery_sender_options options,
                                            delivery_order order) {
  using impl =
      caf::stateful_actor<delivery_sender_state, delivery_sender_actor::impl>;
  return sys.spawn<impl>(std::move(ctx), std::move(tools), std::move(options),
                         std::move(order));
}

} // namespace eventweft
