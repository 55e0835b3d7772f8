// SPDX-License-Identifier: Apache-2.0
#include "actors/storage_writer.hpp"

#include "actors/caf_compat.hpp"
#include "actors/storage_writer_state.hpp"

#include <algorithm>
#include <utility>

namespace eventweft {

namespace {

// So many batches may wait to be durable before the next one does, too.
constexpr size_t most_unsynced_batches = 4;

// The one that the store's worker has in hand, and the one that lies ready.
constexpr size_t most_calls = 2;

/// Whether the store, not the batch, is what failed.
bool is_away(ec code) noexcept {
  return code == ec::store_unavailable || code == ec::store_full ||
         code == ec::timed_out || code == ec::overloaded ||
         code == ec::schema_mismatch;
}

} // namespace

storage_writer_state::storage_writer_state(storage_writer_actor::pointer self,
                                           actor_context ctx,
                                           storage_writer_options options)
    : self_(self),
      ctx_(std::move(ctx)),
      options_(options),
      queue_(options.queue_max_events, options.queue_max_bytes),
      left_pauses_(options.retry_min, options.retry_max),
      pauses_(options.retry_min, options.retry_max) {}

storage_writer_actor::behavior_type storage_writer_state::make_behavior() {
  start();
  return {
      [this](append_atom, const event_ptr& ev) { return take(ev, false); },
      [this](relayed_atom, const event_ptr& ev) { return take(ev, true); },
      [this](retry_atom) -> caf::result<void> {
        try_store();
        return {};
      },
      [this](flush_atom) { return flush(); },
  };
}

caf::result<append_outcome> storage_writer_state::take(const event_ptr& ev,
                                                       bool relayed) {
  if (!ev)
    return to_caf(ec::internal, "an event that is none");
  if (mode_ == mode::away && (relayed || !options_.spool))
    return to_caf(away_because_);
  if (relayed && mode_ != mode::live)
    return to_caf(ec::store_unavailable, "this node's store is away");
  if (!queue_.has_room_for(ev))
    return to_caf(ec::overloaded, "the storage writer's queue is full");
  auto promise = self_->make_response_promise<append_outcome>();
  queue_.push({ev, promise, ctx_.time->now(), relayed});
  hurried_ = hurried_ || !calls_.empty();
  pump();
  queue_changed();
  return promise;
}

caf::result<void> storage_writer_state::flush() {
  auto promise = self_->make_response_promise<void>();
  flushes_.push_back(promise);
  pump();
  return promise;
}

void storage_writer_state::start() {
  show_what_was_left();
  watch();
  if (!options_.spool) {
    mode_ = mode::live;
    publish_status();
    return;
  }
  publish_status();
  look_into_spool();
}

// By a writer before this one. The next batch would bring it along, but that
// may be long in coming.
void storage_writer_state::show_what_was_left() {
  auto worker = ctx_.peers->sync_worker.get();
  if (!worker) {
    run_after(self_, worker_pause, [this] { show_what_was_left(); });
    return;
  }
  ask(self_, worker, options_.store_timeout, sync_atom_v,
      std::vector<log_mark>{})
      .then([this] { reached(); },
            [this](const caf::error& e) { left_unshown(e); });
}

void storage_writer_state::left_unshown(const caf::error& e) {
  if (!reached_ && !is_actor_gone(e)) {
    auto why = store_error(e, options_.store_timeout);
    // Told again when it is another cause: the log is where it stands.
    if (unreached_because_ != why)
      ctx_.log->error("the store can't be reached: {}", to_string(why));
    unreached_because_ = std::move(why);
    publish_status();
  }
  run_after(self_, left_pauses_.next(*ctx_.random),
            [this] { show_what_was_left(); });
}

void storage_writer_state::reached() {
  if (std::exchange(reached_, true))
    return;
  if (unreached_because_)
    ctx_.log->info("the store has been reached");
  ctx_.figures->set_store_up(true);
  publish_status();
}

// Where nothing is to be stored, nothing else would tell.
void storage_writer_state::watch() {
  run_after(self_, options_.watch_interval, [this] {
    const auto worker = ctx_.peers->write_worker.get();
    if (!is_idle() || !worker) {
      watch();
      return;
    }
    ask(self_, worker, options_.store_timeout, head_atom_v)
        .then([this](seq_t) { watch(); },
              [this](const caf::error& e) {
                auto why = store_error(e, options_.store_timeout);
                if (is_idle() && !is_actor_gone(e) && is_away(why.code)) {
                  ctx_.figures->store_failed();
                  go_away(why);
                }
                watch();
              });
  });
}

bool storage_writer_state::is_idle() const {
  return mode_ == mode::live && reached_ && !doubtful_ && calls_.empty() &&
         !failed_ && queue_.empty() && unsynced_.empty();
}

void storage_writer_state::look_into_spool() {
  auto worker = ctx_.peers->spool_worker.get();
  if (!worker) {
    run_after(self_, worker_pause, [this] { look_into_spool(); });
    return;
  }
  ask(self_, worker, options_.spool_timeout, head_atom_v)
      .then([this](const spool_state& held) { spool_known(held); },
            [this](const caf::error& e) { spool_unknown(e); });
}

void storage_writer_state::spool_known(const spool_state& held) {
  if (std::exchange(spool_full_, false))
    ctx_.log->info("the spool can be used again");
  spool_events_ = held.events;
  spool_bytes_ = held.bytes;
  for (const auto& one : held.held)
    index_.add(one);
  spool_changed();
  if (held.events == 0) {
    if (mode_ == mode::starting)
      mode_ = mode::live;
  } else if (mode_ == mode::starting || mode_ == mode::live) {
    ctx_.log->info("{} events wait in the spool", held.events);
    away_because_ = {ec::store_unavailable, "the spool is not empty"};
    mode_ = mode::away;
    try_store();
  }
  publish_status();
  pump();
}

// New events need not wait for a spool that fails: they go to the store as
// long as that is there.
void storage_writer_state::spool_unknown(const caf::error& e) {
  if (!is_actor_gone(e) && !std::exchange(spool_full_, true))
    ctx_.log->error("the spool can't be used: {}", to_string(from_caf(e)));
  if (mode_ == mode::starting && spool_full_)
    mode_ = mode::live;
  publish_status();
  pump();
  run_after(self_, pauses_.next(*ctx_.random), [this] { look_into_spool(); });
}

void storage_writer_state::pump() {
  switch (mode_) {
  case mode::starting:
    break;
  case mode::live:
    if (!relay_waiting() && !failed_ && !queue_.empty() && may_append())
      commit_next();
    break;
  case mode::away:
  case mode::draining:
    if (!options_.spool)
      refuse_all();
    else if (!spool_busy_ && !hold_ && !queue_.empty())
      spool_next();
    break;
  }
  if (mode_ != mode::starting && queue_.empty() && calls_.empty() &&
      unsynced_.empty() && !spool_busy_ && relaying_ == 0) {
    for (auto& promise : flushes_)
      promise.deliver();
    flushes_.clear();
  }
}

// What comes while the store is busy grows until it is worth a transaction of
// its own. That lies ready when the store's worker is done with the last one,
// which does not wait for this actor then.
bool storage_writer_state::may_append() const {
  if (calls_.empty() && unsynced_.empty())
    return true;
  if (unsynced_.size() >= most_unsynced_batches)
    return false;
  if (calls_.empty())
    return queue_.size() >= options_.overtaking_events;
  const auto& in_hand = calls_.front();
  const auto worth_it =
      std::max<size_t>(options_.ready_events, in_hand.events.size() * 3 / 4);
  // One that takes long may be stuck: nobody shall wait for what follows, too.
  return calls_.size() < most_calls && singles_ == 0 &&
         queue_.size() >= worth_it &&
         ctx_.time->now() - in_hand.since < patience() / 4;
}

void storage_writer_state::spool_changed() {
  ctx_.figures->set_spool(spool_events_, spool_bytes_);
}

void storage_writer_state::queue_changed() {
  auto waiting = queue_.size() + spool_batch_.size() + relaying_events_;
  for (const auto& call : calls_)
    waiting += call.events.size();
  for (const auto& b : unsynced_)
    waiting += b.events.size();
  ctx_.figures->set_writer_queue(waiting);
}

// What a silent store does with the batch in the end is found out by the events
// themselves: they are offered again from the spool.
std::chrono::milliseconds storage_writer_state::patience() const {
  return options_.spool ? std::min(options_.spool_after, options_.store_timeout)
                        : options_.store_timeout;
}

error storage_writer_state::store_error(const caf::error& e,
                                        std::chrono::milliseconds had) {
  auto why = from_caf(e);
  if (e == caf::sec::request_timeout)
    why.message = "the store did not answer within " +
                  std::to_string(had.count()) + " ms";
  return why;
}

void storage_writer_state::commit_next() {
  auto most = singles_ > 0 ? 1 : options_.batch_max_events;
  auto call = calls_.insert(
      calls_.end(), store_call{queue_.take(most, options_.batch_max_bytes)});
  if (singles_ > 0)
    --singles_;
  auto now = ctx_.time->now();
  for (const auto& x : call->events)
    ctx_.figures->stage_took(stage::queue, now - x.since);
  send_batch(call);
}

void storage_writer_state::send_batch(call_ref call) {
  auto worker = ctx_.peers->write_worker.get();
  if (!worker) {
    batch_failed(call, caf::make_error(caf::sec::request_receiver_down));
    return;
  }
  call->since = ctx_.time->now();
  event_batch batch;
  batch.sync_later = hurried_ || calls_.size() > 1 || !unsynced_.empty();
  hurried_ = false;
  batch.events.reserve(call->events.size());
  for (const auto& x : call->events)
    batch.events.push_back(x.event);
  ask(self_, worker, patience(), append_atom_v, std::move(batch))
      .then(
          [this, call](append_results& results) { batch_done(call, results); },
          [this, call](const caf::error& e) { batch_failed(call, e); });
}

void storage_writer_state::batch_done(call_ref call, append_results& results) {
  if (results.items.size() != call->events.size()) {
    batch_failed(call, to_caf(ec::internal, "the store's answer does not fit"));
    return;
  }
  if (results.contended)
    contended_ = ctx_.time->now();
  if (failed_) {
    // What it taught is not told again if the store has kept it.
    learn(results.threads);
    call->under_way = false;
    fall_back();
    return;
  }
  appended_batch done{std::move(call->events), std::move(results), call->since};
  calls_.erase(call);
  proven();
  if (!done.results.unsynced.empty() || !unsynced_.empty()) {
    unsynced_.push_back(std::move(done));
    sync_next();
    pump();
  } else {
    // The next batch is on its way while this one is told of and answered.
    pump();
    finish(done);
  }
}

void storage_writer_state::batch_failed(call_ref call, const caf::error& e) {
  if (is_actor_gone(e) && ++call->worker_lost < worker_attempts) {
    run_after(self_, worker_pause, [this, call] { send_batch(call); });
    return;
  }
  auto why = store_error(e, patience());
  ctx_.figures->store_failed();
  if (is_away(why.code)) {
    // A connection that went stale while idle fails once; the next call opens
    // a new one.
    if (why.code == ec::store_unavailable && !failed_ &&
        !std::exchange(call->retried, true)) {
      send_batch(call);
      return;
    }
    call->under_way = false;
    if (!failed_)
      failed_ = why;
    fall_back();
    return;
  }
  auto refused = std::move(call->events);
  calls_.erase(call);
  if (refused.size() > 1) {
    ctx_.log->warn("the store refused a batch of {}, trying one by one: {}",
                   refused.size(), to_string(why));
    singles_ = refused.size();
    queue_.put_back(std::move(refused));
  } else {
    ctx_.log->error("the store failed on an event: {}", to_string(why));
    for (auto& x : refused)
      x.promise.deliver(to_caf(why));
  }
  if (failed_)
    fall_back();
  pump();
  queue_changed();
}

void storage_writer_state::fall_back() {
  if (syncing_ > 0 || std::ranges::any_of(calls_, &store_call::under_way))
    return;
  for (; !calls_.empty(); calls_.pop_back())
    queue_.put_back(std::move(calls_.back().events));
  for (; !unsynced_.empty(); unsynced_.pop_back()) {
    // What they taught is not told again if the store has kept them.
    learn(unsynced_.back().results.threads);
    queue_.put_back(std::move(unsynced_.back().events));
  }
  const auto why = *std::exchange(failed_, std::nullopt);
  go_away(why);
}

storage_writer_actor spawn_storage_writer(caf::actor_system& sys,
                                          actor_context ctx,
                                          storage_writer_options options) {
  using impl =
      caf::stateful_actor<storage_writer_state, storage_writer_actor::impl>;
  return sys.spawn<impl>(std::move(ctx), options);
}

} // namespace eventweft
