// SPDX-License-Identifier: Apache-2.0
#include "actors/storage_writer.hpp"

#include "actors/caf_compat.hpp"
#include "actors/storage_writer_state.hpp"
#include "correlation/engine.hpp"

#include <algorithm>
#include <utility>

namespace eventweft {

namespace {

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
      pauses_(options.retry_min, options.retry_max) {}

storage_writer_actor::behavior_type storage_writer_state::make_behavior() {
  start();
  return {
      [this](append_atom, const event_ptr& ev) { return take(ev); },
      [this](retry_atom) -> caf::result<void> {
        try_store();
        return {};
      },
      [this](flush_atom) { return flush(); },
  };
}

caf::result<append_outcome> storage_writer_state::take(const event_ptr& ev) {
  if (!ev)
    return to_caf(ec::internal, "an event that is none");
  if (mode_ == mode::away && !options_.spool)
    return to_caf(away_because_);
  if (!queue_.has_room_for(ev))
    return to_caf(ec::overloaded, "the storage writer's queue is full");
  auto promise = self_->make_response_promise<append_outcome>();
  queue_.push({ev, promise, ctx_.time->now()});
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
  ctx_.figures->set_store_up(true);
  if (!options_.spool) {
    mode_ = mode::live;
    publish_status();
    return;
  }
  look_into_spool();
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
    if (!store_busy_ && !queue_.empty())
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
  if (mode_ != mode::starting && queue_.empty() && !store_busy_ &&
      !spool_busy_) {
    for (auto& promise : flushes_)
      promise.deliver();
    flushes_.clear();
  }
}

void storage_writer_state::spool_changed() {
  ctx_.figures->set_spool(spool_events_, spool_bytes_);
}

void storage_writer_state::queue_changed() {
  ctx_.figures->set_writer_queue(queue_.size() + batch_.size() +
                                 spool_batch_.size());
}

void storage_writer_state::commit_next() {
  auto most = singles_ > 0 ? 1 : options_.batch_max_events;
  batch_ = queue_.take(most, options_.batch_max_bytes);
  if (singles_ > 0)
    --singles_;
  auto now = ctx_.time->now();
  for (const auto& x : batch_)
    ctx_.figures->stage_took(stage::queue, now - x.since);
  store_busy_ = true;
  retried_ = false;
  worker_lost_ = 0;
  send_batch();
}

void storage_writer_state::send_batch() {
  auto worker = ctx_.peers->write_worker.get();
  if (!worker) {
    batch_failed(caf::make_error(caf::sec::request_receiver_down));
    return;
  }
  batch_since_ = ctx_.time->now();
  event_batch batch;
  batch.events.reserve(batch_.size());
  for (const auto& x : batch_)
    batch.events.push_back(x.event);
  ask(self_, worker, options_.store_timeout, append_atom_v, std::move(batch))
      .then([this](const append_results& results) { batch_done(results); },
            [this](const caf::error& e) { batch_failed(e); });
}

void storage_writer_state::batch_done(const append_results& results) {
  if (results.items.size() != batch_.size()) {
    batch_failed(to_caf(ec::internal, "the store's answer does not fit"));
    return;
  }
  auto& figures = *ctx_.figures;
  figures.stage_took(stage::commit, ctx_.time->now() - batch_since_);
  sample();
  auto done = std::exchange(batch_, {});
  store_busy_ = false;
  proven();
  // The next batch is on its way while this one is told of and answered.
  pump();
  std::vector<event_ptr> events;
  events.reserve(done.size());
  size_t bytes = 0;
  for (const auto& x : done) {
    events.push_back(x.event);
    bytes += x.event->payload.size();
  }
  figures.batch_committed(done.size(), bytes);
  // Who is answered must find the log as long as that, however busy the hub is.
  seq_t head = 0;
  for (const auto& result : results.items)
    head = std::max(head, result.outcome.seq);
  figures.set_head(head);
  tell_hub(events, results);
  joined(results.threads);
  for (size_t i = 0; i < done.size(); ++i) {
    const auto& ev = *done[i].event;
    const auto& result = results.items[i];
    if (result.refused) {
      log_event(*ctx_.log, spdlog::level::warn, ev.id,
                "the store refused {} {}: {}", ev.platform, ev.event_id,
                to_string(*result.refused));
      done[i].promise.deliver(to_caf(*result.refused));
      continue;
    }
    auto outcome = result.outcome;
    if (outcome.id == ev.id)
      outcome.duplicate = false;
    if (outcome.duplicate)
      figures.event_duplicate(ev.platform, ev.event_type);
    else
      figures.event_stored(ev.platform, ev.event_type);
    log_event(*ctx_.log, ev.id, "{} seq {}",
              outcome.duplicate ? "is a duplicate of" : "committed as",
              outcome.seq);
    done[i].promise.deliver(outcome);
  }
  queue_changed();
}

void storage_writer_state::sample() {
  if (!options_.samples)
    return;
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  const auto now = ctx_.time->now();
  const auto waiting = static_cast<int64_t>(queue_.size());
  for (const auto& x : batch_) {
    const auto& ev = *x.event;
    if (!options_.samples->sampled(ev.id))
      continue;
    const auto add = [&](std::string_view stage, auto took) {
      options_.samples->add(
          {now, stage, ev.platform, ev.event_type, ev.id,
           std::max(duration_cast<microseconds>(took), microseconds{0}),
           waiting});
    };
    add("queue", batch_since_ - x.since);
    add("commit", now - batch_since_);
    add("ingest", now - ev.created_at);
  }
}

void storage_writer_state::batch_failed(const caf::error& e) {
  if (is_actor_gone(e) && ++worker_lost_ < worker_attempts) {
    run_after(self_, worker_pause, [this] { send_batch(); });
    return;
  }
  auto why = from_caf(e);
  ctx_.figures->store_failed();
  if (is_away(why.code)) {
    // A connection that went stale while idle fails once; the next call opens
    // a new one.
    if (why.code == ec::store_unavailable && !std::exchange(retried_, true)) {
      send_batch();
      return;
    }
    store_busy_ = false;
    queue_.put_back(std::exchange(batch_, {}));
    go_away(why);
    return;
  }
  store_busy_ = false;
  auto failed = std::exchange(batch_, {});
  if (failed.size() > 1) {
    ctx_.log->warn("the store refused a batch of {}, trying one by one: {}",
                   failed.size(), to_string(why));
    singles_ = failed.size();
    queue_.put_back(std::move(failed));
  } else {
    ctx_.log->error("the store failed on an event: {}", to_string(why));
    for (auto& x : failed)
      x.promise.deliver(to_caf(why));
  }
  pump();
  queue_changed();
}

// What was learned counts from the commit on.
void storage_writer_state::joined(const thread_report& threads) {
  ctx_.figures->events_joined(threads.linked, threads.started,
                              threads.merges.size(), threads.hot_keys.size());
  for (const auto& key : threads.hot_keys)
    ctx_.log->warn("the correlation key {} has reached its limit: it links no "
                   "further events",
                   key);
  if (!ctx_.rules || threads.facts.empty())
    return;
  for (const auto& [fact, value] : threads.facts)
    ctx_.rules->known()->learn(fact, value);
  ctx_.figures->set_vocabulary(ctx_.rules->known()->size());
}

void storage_writer_state::tell_hub(const std::vector<event_ptr>& events,
                                    const append_results& results) {
  auto hub = ctx_.peers->hub.get();
  std::vector<event_ptr> stored;
  stored.reserve(events.size());
  for (size_t i = 0; i < events.size(); ++i) {
    const auto& result = results.items[i];
    if (result.refused || result.outcome.seq == 0 ||
        result.outcome.id != events[i]->id)
      continue;
    auto copy = *events[i];
    copy.seq = result.outcome.seq;
    if (result.correlation_id)
      copy.correlation_id = result.correlation_id;
    if (result.parent_event_id)
      copy.parent_event_id = result.parent_event_id;
    // For the store only; readers have no use for them.
    copy.details = {};
    copy.keys.clear();
    stored.emplace_back(std::move(copy));
  }
  stored.insert(stored.end(), results.threads.merges.begin(),
                results.threads.merges.end());
  auto by_seq = [](const auto& a, const auto& b) { return a->seq < b->seq; };
  if (!std::is_sorted(stored.begin(), stored.end(), by_seq))
    std::sort(stored.begin(), stored.end(), by_seq);
  // Those of an earlier attempt have a place apart from the new ones.
  for (auto begin = stored.begin(); begin != stored.end();) {
    auto end = begin + 1;
    while (end != stored.end() && (*end)->seq == (*(end - 1))->seq + 1)
      ++end;
    const auto range = std::make_shared<const log_range>(
        log_range{(*begin)->seq, (*(end - 1))->seq, {begin, end}});
    if (hub)
      tell(self_, hub, committed_atom_v, range);
    ctx_.others->committed(range);
    begin = end;
  }
}

storage_writer_actor spawn_storage_writer(caf::actor_system& sys,
                                          actor_context ctx,
                                          storage_writer_options options) {
  using impl =
      caf::stateful_actor<storage_writer_state, storage_writer_actor::impl>;
  return sys.spawn<impl>(std::move(ctx), options);
}

} // namespace eventweft
