// SPDX-License-Identifier: Apache-2.0
// The storage writer from the store's answer on: batches become durable, then
// the hub is told and the senders are answered.
#include "actors/caf_compat.hpp"
#include "actors/storage_writer_state.hpp"
#include "correlation/engine.hpp"

#include <algorithm>
#include <utility>

namespace eventweft {

void storage_writer_state::sync_next() {
  if (failed_ || syncing_ > 0 || unsynced_.empty())
    return;
  // Of every batch: the store may have lost one and then taken the next.
  std::vector<log_mark> marks;
  for (const auto& batch : unsynced_)
    marks.insert(marks.end(), batch.results.unsynced.begin(),
                 batch.results.unsynced.end());
  syncing_ = unsynced_.size();
  auto worker = ctx_.peers->sync_worker.get();
  if (!worker) {
    sync_failed(caf::make_error(caf::sec::request_receiver_down));
    return;
  }
  ask(self_, worker, patience(), sync_atom_v, std::move(marks))
      .then([this] { synced(); },
            [this](const caf::error& e) { sync_failed(e); });
}

void storage_writer_state::synced() {
  sync_lost_ = 0;
  std::vector<appended_batch> durable;
  const auto take_first = [&] {
    durable.push_back(std::move(unsynced_.front()));
    unsynced_.pop_front();
  };
  for (; syncing_ > 0; --syncing_)
    take_first();
  // Those of which the store kept nothing only wait for their turn.
  while (!unsynced_.empty() && unsynced_.front().results.unsynced.empty())
    take_first();
  // The store has the next ones to work on while these are told of.
  if (failed_)
    fall_back();
  sync_next();
  pump();
  for (const auto& batch : durable)
    finish(batch);
}

// Nobody was told of them, and the store knows again what it has kept.
void storage_writer_state::sync_failed(const caf::error& e) {
  syncing_ = 0;
  if (!failed_ && is_actor_gone(e) && ++sync_lost_ < worker_attempts) {
    run_after(self_, worker_pause, [this] { sync_next(); });
    return;
  }
  sync_lost_ = 0;
  ctx_.figures->store_failed();
  if (!failed_)
    failed_ = store_error(e, patience());
  fall_back();
}

void storage_writer_state::finish(const appended_batch& batch) {
  auto& figures = *ctx_.figures;
  const auto& items = batch.results.items;
  figures.stage_took(stage::commit, ctx_.time->now() - batch.since);
  sample(batch);
  std::vector<event_ptr> events;
  events.reserve(batch.events.size());
  size_t bytes = 0;
  for (const auto& x : batch.events) {
    events.push_back(x.event);
    bytes += x.event->payload.size();
  }
  figures.batch_committed(events.size(), bytes);
  // Who is answered must find the log as long as that, however busy the hub is.
  seq_t head = 0;
  for (const auto& result : items)
    head = std::max(head, result.outcome.seq);
  figures.set_head(head);
  tell_hub(events, batch.results);
  joined(batch.results.threads);
  for (size_t i = 0; i < events.size(); ++i)
    answer(batch.events[i], items[i]);
  queue_changed();
}

void storage_writer_state::answer(const pending_append& x,
                                  const append_result& result) {
  const auto& ev = *x.event;
  auto promise = x.promise;
  if (result.refused) {
    log_event(*ctx_.log, spdlog::level::warn, ev.id,
              "the store refused {} {}: {}", ev.platform, ev.event_id,
              to_string(*result.refused));
    promise.deliver(to_caf(*result.refused));
    return;
  }
  auto outcome = result.outcome;
  if (outcome.id == ev.id)
    outcome.duplicate = false;
  // The node that took it counts it.
  if (!x.relayed && outcome.duplicate)
    ctx_.figures->event_duplicate(ev.platform, ev.event_type);
  else if (!x.relayed)
    ctx_.figures->event_stored(ev.platform, ev.event_type);
  log_event(*ctx_.log, ev.id, "{} seq {}",
            outcome.duplicate ? "is a duplicate of" : "committed as",
            outcome.seq);
  promise.deliver(outcome);
}

void storage_writer_state::sample(const appended_batch& batch) {
  if (!options_.samples)
    return;
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  const auto now = ctx_.time->now();
  const auto waiting = static_cast<int64_t>(queue_.size());
  for (const auto& x : batch.events) {
    const auto& ev = *x.event;
    if (x.relayed || !options_.samples->sampled(ev.id))
      continue;
    const auto add = [&](std::string_view stage, auto took) {
      options_.samples->add(
          {now, stage, ev.platform, ev.event_type, ev.id,
           std::max(duration_cast<microseconds>(took), microseconds{0}),
           waiting});
    };
    add("queue", batch.since - x.since);
    add("commit", now - batch.since);
    add("ingest", now - ev.created_at);
  }
}

// What was learned counts from the commit on.
void storage_writer_state::joined(const thread_report& threads) {
  ctx_.figures->events_joined(threads.linked, threads.started,
                              threads.merges.size(), threads.hot_keys.size());
  ctx_.figures->keys_looked_up(threads.lookups);
  warn_of_limits(threads);
  learn(threads);
}

void storage_writer_state::warn_of_limits(const thread_report& threads) {
  for (const auto& hot : threads.hot_keys) {
    if (hot.by_remarks)
      ctx_.log->warn("the correlation key {} has linked as many remarks as "
                     "[correlation] max_remarks allows: it links no further "
                     "remarks",
                     hot.key);
    else
      ctx_.log->warn("the correlation key {} has linked as many events as "
                     "[correlation] max_links allows: it links no further "
                     "events but those that mention it",
                     hot.key);
  }
  constexpr std::chrono::minutes quiet{10};
  const auto now = ctx_.time->now();
  if (threads.huge_keys.empty() ||
      (told_of_huge_ && now - *told_of_huge_ < quiet))
    return;
  told_of_huge_ = now;
  ctx_.log->warn("the correlation key {} leads to two threads that have more "
                 "events together than [correlation] max_joined_events allows: "
                 "they are not joined",
                 threads.huge_keys.front());
}

void storage_writer_state::learn(const thread_report& threads) {
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
    auto copy = events[i]->for_readers();
    copy.seq = result.outcome.seq;
    if (result.correlation_id)
      copy.correlation_id = result.correlation_id;
    if (result.parent_event_id)
      copy.parent_event_id = result.parent_event_id;
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
    log_range piece{(*begin)->seq, (*(end - 1))->seq, {begin, end}};
    // The newest ones brought it.
    if (end == stored.end())
      piece.news = results.threads.news;
    const auto range = std::make_shared<const log_range>(std::move(piece));
    if (hub)
      tell(self_, hub, committed_atom_v, range);
    ctx_.others->committed(range);
    begin = end;
  }
}

} // namespace eventweft
