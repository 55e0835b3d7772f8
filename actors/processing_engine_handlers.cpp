// SPDX-License-Identifier: Apache-2.0
#include "actors/caf_compat.hpp"
#include "actors/dead_letters.hpp"
#include "actors/processing_engine_state.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

// What handlers are given, how they end, and what they have to say.
namespace eventweft {

namespace {

constexpr std::chrono::milliseconds shortest_wake{1};

} // namespace

// -- to the handlers ---------------------------------------------------------

void processing_engine_state::pump() {
  if (!stopping_) {
    while (options_.workers->state().idle > 0)
      if (!start_next(false))
        break;
    while (options_.starters->state().idle > 0)
      if (!start_next(true))
        break;
  }
  if (board_.may_announce())
    for (auto& [n, e] : entries_)
      if (board_.is_announcing(n))
        write(e);
  arm_wake();
}

bool processing_engine_state::start_next(bool async) {
  auto j = board_.take(async, now());
  if (!j)
    return false;
  const auto i = entries_.find(j->processor->what.name);
  if (i == entries_.end() || !check_owner(i->second))
    return true;
  if (j->spent) {
    const auto o = outcome::give_up(std::string{processing::cut_off_text});
    settle(board_.finish(j->id, o, now()), o);
    return true;
  }
  ctx_.figures->job_waited(j->lane, j->waited);
  if (async)
    start_async(std::move(*j));
  else
    start_blocking(std::move(*j));
  return true;
}

processing::attempt_context
processing_engine_state::context_of(const job& j, std::stop_token stop) {
  const auto& p = j.processor->what;
  return {p.name,    processing::idempotency_key(j.event->id, p.name),
          j.attempt, p.max_retries + 1,
          p.timeout, std::move(stop)};
}

void processing_engine_state::tell_end(const std::shared_ptr<directory>& peers,
                                       uint64_t id, outcome o) {
  processing::shorten_error(o);
  if (auto engine = peers->engine.get())
    tell_anon(engine, ready_atom_v, id, std::move(o));
}

processing::outcome processing_engine_state::thrown() {
  try {
    throw;
  } catch (const std::exception& e) {
    return outcome::failed(std::string{"exception: "} + e.what());
  } catch (...) {
    return outcome::failed("an exception of an unknown type");
  }
}

void processing_engine_state::start_blocking(job j) {
  const auto id = j.id;
  blocking_.insert(id);
  auto run = [peers = ctx_.peers, j = std::move(j)](std::stop_token stop) {
    outcome o;
    try {
      const auto& h =
          std::get<processing::blocking_handler>(j.processor->what.handler);
      o = h(j.event, context_of(j, std::move(stop)));
    } catch (...) {
      o = thrown();
    }
    tell_end(peers, j.id, std::move(o));
  };
  if (!options_.workers->run(id, std::move(run)))
    ended(id, outcome::failed("no worker"));
}

void processing_engine_state::start_async(job j) {
  const auto id = j.id;
  std::stop_source stop;
  async_stops_.emplace(id, stop);
  auto run = [peers = ctx_.peers, j = std::move(j),
              stop](const std::stop_token&) {
    auto once = std::make_shared<std::atomic_flag>();
    auto done = [peers, once, attempt = j.id](outcome o) {
      if (!once->test_and_set())
        tell_end(peers, attempt, std::move(o));
    };
    try {
      const auto& h =
          std::get<processing::async_handler>(j.processor->what.handler);
      h(j.event, context_of(j, stop.get_token()), done);
    } catch (...) {
      done(thrown());
    }
  };
  if (!options_.starters->run(id, std::move(run)))
    ended(id, outcome::failed("no worker"));
}

void processing_engine_state::ended(uint64_t id, const outcome& o) {
  blocking_.erase(id);
  async_stops_.erase(id);
  settle(board_.finish(id, o, now()), o);
  pump();
}

void processing_engine_state::settle(const decision& d, const outcome& o) {
  using kind = decision::kind;
  if (d.what == kind::ignored)
    return;
  const auto& p = d.processor->what;
  const auto i = entries_.find(p.name);
  if (i == entries_.end())
    return;
  auto& e = i->second;
  if (o.timed_out)
    ++e.totals.timed_out;
  log_event(*ctx_.log, d.event->id, "processor {}: attempt {} {}", p.name,
            d.attempts,
            d.what == kind::done    ? "done"
            : d.what == kind::retry ? "failed, to be tried again"
                                    : "failed for good");
  switch (d.what) {
  case kind::done:
    ++e.totals.completed;
    ctx_.figures->attempt_ended(p.name, "completed", d.took);
    if (!o.remark.empty())
      log_event(*ctx_.log, spdlog::level::warn, d.event->id, "processor {}: {}",
                p.name, o.remark);
    if (p.answers)
      say(d.event->id, usable_reply(d, o));
    break;
  case kind::retry:
    ++e.totals.retried;
    ctx_.figures->attempt_ended(p.name, o.timed_out ? "timed_out" : "retried",
                                d.took);
    log_event(*ctx_.log, spdlog::level::warn, d.event->id,
              "processor {}: attempt {} failed: {}", p.name, d.attempts,
              o.error);
    break;
  case kind::give_up:
    ++e.totals.failed;
    ctx_.figures->attempt_ended(p.name, o.timed_out ? "timed_out" : "failed",
                                d.took);
    if (p.answers)
      say(d.event->id, std::nullopt);
    give_up(e, d, o);
    break;
  case kind::ignored:
    break;
  }
  want_more(e);
  arm_writes();
}

void processing_engine_state::give_up(entry& e, const decision& d,
                                      const outcome& o) {
  ++e.letters;
  store_letter(
      e.what->what.name, e.epoch,
      letter_of(ctx_, *d.event, {e.work(), o.error, d.attempts, d.history}));
}

void processing_engine_state::store_letter(const std::string& n, uint64_t epoch,
                                           dead_letter letter) {
  if (!current(n, epoch))
    return;
  auto later = [this, n, epoch, letter] {
    run_after(self_, options_.retry_max,
              [this, n, epoch, letter] { store_letter(n, epoch, letter); });
  };
  auto keeper = ctx_.peers->dead_letters.get();
  if (!keeper) {
    later();
    return;
  }
  auto stored = [this, n, epoch] {
    if (auto* e = current(n, epoch)) {
      --e->letters;
      arm_writes();
    }
  };
  ask(self_, keeper, options_.timeout, dead_letter_atom_v, letter)
      .then(stored, [stored, later](const caf::error& why) {
        // The store will never take it; the keeper has logged it.
        if (from_caf(why).code == ec::row_refused)
          stored();
        else
          later();
      });
}

// -- time --------------------------------------------------------------------

void processing_engine_state::arm_wake() {
  const auto at = board_.wake_at();
  if (!at || (armed_ && *armed_ <= *at && *armed_ > now()))
    return;
  armed_ = at;
  const auto pause = std::chrono::ceil<std::chrono::milliseconds>(*at - now());
  run_after(self_, std::max(pause, shortest_wake), [this, at] {
    if (armed_ == at)
      armed_.reset();
    expire();
    pump();
  });
}

void processing_engine_state::expire() {
  for (auto id : board_.expired(now())) {
    const auto o = outcome::late("it took longer than its time-out");
    auto d = board_.finish(id, o, now());
    settle(d, o);
    if (blocking_.erase(id) > 0) {
      options_.workers->abandon(id);
      const auto lost = options_.workers->state().lost;
      log_event(*ctx_.log, spdlog::level::err, d.event->id,
                "processor {} hangs: its thread is left alone ({} so far)",
                d.processor->what.name, lost);
    }
    if (auto stop = async_stops_.extract(id))
      stop.mapped().request_stop();
    // In case it hangs before it came to return.
    options_.starters->abandon(id);
  }
}

void processing_engine_state::publish() {
  const auto depth = board_.lanes();
  for (size_t lane = 0; lane < depth.size(); ++lane)
    ctx_.figures->set_lane(static_cast<priority>(lane), depth[lane]);
}

// -- answers -----------------------------------------------------------------

caf::result<processing::reply>
processing_engine_state::await(const event_ptr& ev) {
  size_t missing = 0;
  const bool linked = ctx_.others->hears_replies();
  for (const auto& [n, e] : entries_)
    if (e.what->what.answers &&
        (e.at == phase::running || (e.at == phase::elsewhere && linked)) &&
        e.what->filter.matches(*ev))
      ++missing;
  if (missing == 0 || stopping_)
    return to_caf(ec::not_found, "no processor here answers");
  auto promise = self_->make_response_promise<processing::reply>();
  awaited_.add(ev->id, promise, missing, now());
  return promise;
}

std::optional<processing::reply>
processing_engine_state::usable_reply(const decision& d, const outcome& o) {
  const auto why = o.answer ? processing::objection_to(*o.answer)
                            : std::optional<std::string>{};
  if (!why)
    return o.answer;
  log_event(*ctx_.log, spdlog::level::warn, d.event->id,
            "processor {}: its reply can't be sent: {}", d.processor->what.name,
            *why);
  return std::nullopt;
}

void processing_engine_state::say(const uuid& id,
                                  const std::optional<processing::reply>& r) {
  if (awaited_.contains(id))
    awaited_.reply(id, r);
  else
    ctx_.others->replied(id, r);
}

} // namespace eventweft
