// SPDX-License-Identifier: Apache-2.0
// The storage writer while the store is away, and its way back.
#include "actors/caf_compat.hpp"
#include "actors/dead_letters.hpp"
#include "actors/storage_writer_state.hpp"

#include <unordered_map>
#include <utility>

namespace eventweft {

namespace {

// Whoever asks for the status needs no credentials, and a store's own words
// name its host, user and files: those are for the log.
std::string shown_cause(const error& why) {
  return std::string{to_string(why.code)} + ": the log says why";
}

} // namespace

void storage_writer_state::go_away(const error& why) {
  if (mode_ != mode::away && !doubtful_)
    ctx_.log->error("the store is away ({}); {}", to_string(why),
                    options_.spool ? "events go to the spool"
                                   : "events are refused");
  mode_ = mode::away;
  // A full disk can still be read, which is all that an attempt does.
  if (std::exchange(unproven_, false) || why.code == ec::store_full)
    doubtful_ = true;
  away_because_ = why;
  hold_ = false;
  ctx_.figures->set_store_up(false);
  publish_status();
  schedule_retry();
  pump();
  queue_changed();
}

void storage_writer_state::refuse_all() {
  while (!queue_.empty())
    for (auto& x :
         queue_.take(options_.batch_max_events, options_.batch_max_bytes))
      x.promise.deliver(to_caf(away_because_));
}

void storage_writer_state::schedule_retry() {
  auto round = ++retry_round_;
  run_after(self_, pauses_.next(*ctx_.random), [this, round] {
    if (round == retry_round_)
      try_store();
  });
}

void storage_writer_state::try_store() {
  if (mode_ != mode::away || probing_)
    return;
  auto worker = ctx_.peers->write_worker.get();
  if (!worker) {
    schedule_retry();
    return;
  }
  probing_ = true;
  ask(self_, worker, options_.store_timeout, head_atom_v)
      .then(
          [this](seq_t head) {
            head_back_then_ = head;
            probing_ = false;
            reached_ = true;
            if (mode_ != mode::away)
              return;
            unproven_ = true;
            if (!doubtful_)
              ctx_.figures->set_store_up(true);
            if (!options_.spool) {
              come_back();
              return;
            }
            mode_ = mode::draining;
            publish_status();
            // What was under way when the store went goes on; two at once
            // would have the spool drop twice what was stored once.
            if (!draining_busy_)
              drain_next();
          },
          [this](const caf::error& e) {
            probing_ = false;
            away_because_ = store_error(e, options_.store_timeout);
            ctx_.figures->store_failed();
            schedule_retry();
          });
}

void storage_writer_state::come_back() {
  if (!doubtful_) {
    ctx_.log->info("the store is back");
    pauses_.reset();
  }
  mode_ = mode::live;
  hold_ = false;
  spool_full_ = false;
  index_.clear();
  spool_events_ = 0;
  spool_bytes_ = 0;
  spool_changed();
  ++retry_round_;
  publish_status();
  pump();
}

void storage_writer_state::proven() {
  unproven_ = false;
  if (mode_ == mode::live)
    spool_refusal_told_ = false;
  reached();
  ctx_.figures->set_store_up(true);
  if (!std::exchange(doubtful_, false) || mode_ != mode::live)
    return;
  ctx_.log->info("the store is back");
  pauses_.reset();
  publish_status();
}

// -- into the spool ----------------------------------------------------------

void storage_writer_state::spool_next() {
  auto taken = queue_.take(options_.batch_max_events, options_.batch_max_bytes);
  spool_batch_.clear();
  followers_.clear();
  std::unordered_map<std::string, uuid> here;
  for (auto& x : taken) {
    const auto& ev = *x.event;
    if (x.relayed) {
      x.promise.deliver(to_caf(away_because_));
      continue;
    }
    if (auto id = index_.find(ev)) {
      ctx_.figures->event_duplicate(ev.platform, ev.event_type);
      x.promise.deliver(append_outcome{*id, 0, *id != ev.id, true});
      continue;
    }
    auto [i, is_first] = here.try_emplace(spool_index::key_of(ev), ev.id);
    if (is_first)
      spool_batch_.push_back(std::move(x));
    else
      followers_.emplace_back(std::move(x), i->second);
  }
  if (spool_batch_.empty()) {
    pump();
    queue_changed();
    return;
  }
  spool_busy_ = true;
  spool_lost_ = 0;
  send_spool_batch();
}

void storage_writer_state::send_spool_batch() {
  auto failed = [this](const caf::error& e) {
    if (is_actor_gone(e) && ++spool_lost_ < worker_attempts)
      run_after(self_, worker_pause, [this] { send_spool_batch(); });
    else
      spooled(false, from_caf(e));
  };
  auto worker = ctx_.peers->spool_worker.get();
  if (!worker) {
    failed(caf::make_error(caf::sec::request_receiver_down));
    return;
  }
  event_batch batch;
  batch.events.reserve(spool_batch_.size());
  for (const auto& x : spool_batch_)
    batch.events.push_back(x.event);
  ask(self_, worker, options_.spool_timeout, append_atom_v, std::move(batch))
      .then(
          [this](uint64_t held) {
            spool_bytes_ = held;
            spooled(true, {});
          },
          failed);
}

void storage_writer_state::spooled(bool ok, const error& why) {
  auto batch = std::exchange(spool_batch_, {});
  auto followers = std::exchange(followers_, {});
  spool_busy_ = false;
  if (ok) {
    if (std::exchange(spool_refusal_told_, false))
      ctx_.log->info("the spool has room again");
    if (std::exchange(spool_full_, false))
      publish_status();
    spool_events_ += batch.size();
    for (auto& x : batch) {
      const auto& ev = *x.event;
      index_.add(ev);
      ctx_.figures->event_spooled(ev.platform, ev.event_type);
      x.promise.deliver(append_outcome{ev.id, 0, false, true});
    }
    spool_changed();
    for (auto& [x, first] : followers) {
      ctx_.figures->event_duplicate(x.event->platform, x.event->event_type);
      x.promise.deliver(append_outcome{first, 0, first != x.event->id, true});
    }
  } else {
    if (!std::exchange(spool_refusal_told_, true))
      ctx_.log->error("the spool takes no more events ({}); they are refused",
                      to_string(why));
    if (!std::exchange(spool_full_, true))
      publish_status();
    for (auto& x : batch)
      x.promise.deliver(to_caf(why));
    for (auto& [x, first] : followers)
      x.promise.deliver(to_caf(why));
  }
  if (mode_ == mode::draining && !draining_busy_)
    drain_next();
  pump();
  queue_changed();
}

// -- out of the spool --------------------------------------------------------

void storage_writer_state::drain_next() {
  auto worker = ctx_.peers->spool_worker.get();
  if (!worker) {
    drain_failed({ec::overloaded, "the spool restarts"});
    return;
  }
  draining_busy_ = true;
  ask(self_, worker, options_.spool_timeout, page_atom_v, drain_at_most())
      .then(
          [this](event_batch& page) {
            draining_busy_ = false;
            if (mode_ != mode::draining)
              return;
            if (page.events.empty() || page.events.front()->id != blocked_.id)
              blocked_ = {};
            // Little is left: if new events wait a moment, it gets empty, but
            // for one that can't be stored.
            if (spool_events_ <= options_.batch_max_events &&
                blocked_.failed == 0)
              hold_ = true;
            if (blocked_.prove && page.events.size() > 1)
              prove_with_another(page.events);
            else if (!page.events.empty())
              drain_page(std::move(page.events));
            else if (!spool_busy_)
              come_back();
          },
          [this](const caf::error& e) { drain_failed(from_caf(e)); });
}

void storage_writer_state::drain_page(std::vector<event_ptr> events) {
  auto worker = ctx_.peers->write_worker.get();
  if (!worker) {
    drain_failed({ec::overloaded, "the store's worker restarts"});
    return;
  }
  draining_busy_ = true;
  ask(self_, worker, options_.store_timeout, append_atom_v, event_batch{events})
      .then([this, events](
                const append_results& results) { drained(events, results); },
            [this, events](const caf::error& e) {
              auto why = store_error(e, options_.store_timeout);
              auto is_batch = why.code == ec::internal ||
                              why.code == ec::corrupt ||
                              why.code == ec::row_refused;
              if (is_actor_gone(e)) {
                drain_failed(why);
              } else if (!is_batch) {
                not_drained(events, why);
              } else if (events.size() > 1) {
                drain_singles_ = events.size();
                draining_busy_ = false;
                drain_next();
              } else {
                give_up(events, {{events.front(), why}});
              }
            });
}

void storage_writer_state::drained(const std::vector<event_ptr>& events,
                                   const append_results& results) {
  if (results.items.size() != events.size()) {
    drain_failed({ec::internal, "the store's answer does not fit"});
    return;
  }
  proven();
  tell_hub(events, results);
  joined(results.threads);
  size_t bytes = 0;
  std::vector<std::pair<event_ptr, error>> refused;
  for (size_t i = 0; i < events.size(); ++i) {
    const auto& result = results.items[i];
    bytes += events[i]->payload.size();
    if (result.refused)
      refused.emplace_back(events[i], *result.refused);
    else if (result.outcome.id == events[i]->id)
      ctx_.figures->event_stored(events[i]->platform, events[i]->event_type);
    else
      ctx_.figures->event_duplicate(events[i]->platform, events[i]->event_type);
  }
  ctx_.figures->batch_committed(events.size(), bytes);
  give_up(events, std::move(refused));
}

void storage_writer_state::drain_failed(const error& why) {
  draining_busy_ = false;
  if (mode_ != mode::draining)
    return;
  ctx_.figures->store_failed();
  go_away(why);
}

void storage_writer_state::forget_drained(
    const std::vector<event_ptr>& events) {
  auto worker = ctx_.peers->spool_worker.get();
  if (!worker) {
    drain_failed({ec::overloaded, "the spool restarts"});
    return;
  }
  draining_busy_ = true;
  ask(self_, worker, options_.spool_timeout, drop_atom_v,
      static_cast<uint32_t>(events.size()))
      .then(
          [this, events](uint64_t left) {
            blocked_ = {};
            for (const auto& ev : events)
              index_.remove(*ev);
            spool_bytes_ = left;
            spool_events_ -= std::min<uint64_t>(spool_events_, events.size());
            spool_changed();
            drain_singles_ -= std::min(drain_singles_, events.size());
            pauses_.reset();
            spool_refusal_told_ = false;
            if (std::exchange(spool_full_, false))
              publish_status();
            draining_busy_ = false;
            if (mode_ == mode::draining)
              drain_next();
          },
          [this](const caf::error& e) { drain_failed(from_caf(e)); });
}

// The spool forgets them only once their dead letters are stored.
void storage_writer_state::give_up(
    const std::vector<event_ptr>& page,
    std::vector<std::pair<event_ptr, error>> refused) {
  if (refused.empty()) {
    forget_drained(page);
    return;
  }
  auto keeper = ctx_.peers->dead_letters.get();
  if (!keeper) {
    drain_failed({ec::overloaded, "the keeper of dead letters restarts"});
    return;
  }
  auto missing = std::make_shared<size_t>(refused.size());
  auto failed = [this, missing](const caf::error& e) {
    if (*missing == 0)
      return;
    *missing = 0;
    drain_failed(from_caf(e));
  };
  for (const auto& [ev, why] : refused) {
    log_event(*ctx_.log, spdlog::level::err, ev->id,
              "the store refused {} {} from the spool: {}", ev->platform,
              ev->event_id, to_string(why));
    ctx_.figures->event_failed(ev->platform, why.code);
    auto letter = refused_letter(ctx_, "spool", *ev, why);
    // The same letter, however often it has to be offered.
    letter.id = ev->id;
    ask(self_, keeper, options_.store_timeout, dead_letter_atom_v,
        std::move(letter))
        .then(
            [this, page, missing] {
              if (*missing > 0 && --*missing == 0)
                forget_drained(page);
            },
            failed);
  }
}

void storage_writer_state::publish_status() {
  auto& board = *ctx_.status;
  auto because = shown_cause(away_because_);
  switch (mode_) {
  case mode::starting:
  case mode::live:
    if (doubtful_)
      board.set("store", health::degraded,
                because + "; the next event is an attempt");
    else if (!reached_)
      board.set("store",
                options_.spool || !unreached_because_ ? health::degraded
                                                      : health::down,
                unreached_because_ ? shown_cause(*unreached_because_)
                                   : "it has not answered yet");
    else
      board.set("store", health::ok);
    break;
  case mode::away:
    board.set("store",
              options_.spool && !spool_full_ ? health::degraded : health::down,
              because);
    break;
  case mode::draining:
    board.set("store", health::degraded, "storing what waited in the spool");
    break;
  }
  if (options_.spool)
    board.set("spool", spool_full_ ? health::down : health::ok,
              spool_full_ ? "full" : "");
}

} // namespace eventweft
