// SPDX-License-Identifier: Apache-2.0
#include "actors/caf_compat.hpp"
#include "actors/processing_engine_state.hpp"
#include "codec/event_json.hpp"

#include <algorithm>
#include <utility>

namespace eventweft {

namespace {

/// Of the time that there is at the end.
constexpr std::chrono::milliseconds most_for_last_writes{2'000};

} // namespace

processing_engine_state::processing_engine_state(
    processing_engine_actor::pointer self, actor_context ctx,
    processing_engine_options options)
    : self_(self),
      ctx_(std::move(ctx)),
      options_(std::move(options)),
      board_(options_.board, *ctx_.random) {
  // Changes come on any thread.
  auto tell_me = [peers = ctx_.peers] {
    if (auto engine = peers->engine.get())
      tell_anon(engine, poll_atom_v);
  };
  registry_guard_ = options_.processors->on_change(tell_me);
  owner_guard_ = ctx_.owner->on_change(tell_me);
}

processing_engine_state::~processing_engine_state() {
  for (auto& [id, stop] : async_stops_) {
    options_.starters->abandon(id);
    stop.request_stop();
  }
  for (auto id : blocking_)
    options_.workers->abandon(id);
}

processing_engine_actor::behavior_type
processing_engine_state::make_behavior() {
  tell(self_, self_, poll_atom_v);
  look_later();
  return {
      [this](poll_atom) { sync(); },
      [this](page_atom, uint64_t number, const log_range_ptr& range) {
        take_up(number, range);
      },
      [this](ready_atom, uint64_t id, const outcome& o) { ended(id, o); },
      [this](next_atom) { pump(); },
      [this](answer_atom, const event_ptr& ev) { return await(ev); },
      [this](answer_atom, const uuid& id, const processing::reply& r) {
        awaited_.reply(id, r);
      },
      [this](answer_atom, const uuid& id) { awaited_.reply(id, std::nullopt); },
      [this](retry_atom, const dead_letter& x) { return again(x); },
      [this](list_atom) { return states(); },
      [this](drop_atom, const std::string& n) { return let_go(n); },
      [this](flush_atom) { return flush(options_.patience); },
      [this](flush_atom, uint32_t within) {
        const std::chrono::milliseconds whole{within};
        return flush(whole - std::min(whole / 4, most_for_last_writes));
      },
  };
}

// -- from the log ------------------------------------------------------------

void processing_engine_state::want(feed& f) {
  if (f.asked || board_.room(f.processor, f.index) == 0)
    return;
  f.asked = true;
  f.source->want();
}

void processing_engine_state::want_more(entry& e) {
  if (e.at != phase::running || stopping_)
    return;
  for (auto number : e.feeds)
    if (auto i = feeds_.find(number); i != feeds_.end())
      want(i->second);
}

void processing_engine_state::take_up(uint64_t number,
                                      const log_range_ptr& range) {
  const auto i = feeds_.find(number);
  if (i == feeds_.end() || stopping_)
    return;
  auto& f = i->second;
  f.asked = false;
  board_.take_up(f.processor, f.index, *range, now());
  want(f);
  arm_writes();
  pump();
}

void processing_engine_state::note_seen(const entry& e) {
  for (auto number : e.feeds) {
    const auto i = feeds_.find(number);
    const auto seen =
        i == feeds_.end() ? std::nullopt : i->second.source->seen();
    if (seen)
      board_.take_up(i->second.processor, i->second.index, {0, *seen, {}},
                     now());
  }
}

// -- from people -------------------------------------------------------------

caf::result<void> processing_engine_state::again(const dead_letter& x) {
  const auto i = entries_.find(std::string{origin_name(x.origin)});
  if (i == entries_.end())
    return to_caf(ec::not_found, "there is no processor " +
                                     std::string{origin_name(x.origin)});
  auto& e = i->second;
  if (e.at == phase::elsewhere)
    return to_caf(ec::not_owner, "processor " + e.what->what.name +
                                     holder_text(*ctx_.owner, e.work()));
  if (e.at != phase::running)
    return to_caf(ec::overloaded,
                  "processor " + e.what->what.name + " does not run yet");
  auto ev = codec::parse_native(x.body);
  if (!ev)
    return to_caf(ec::unprocessable,
                  "the dead letter holds no event: " + ev.error().message);
  if (ev->seq == 0)
    ev->seq = x.event_seq;
  if (ev->seq <= 0)
    return to_caf(ec::unprocessable, "the dead letter's event has no seq");
  if (auto taken =
          board_.again(e.what->what.name, event_ptr{std::move(*ev)}, now());
      !taken)
    return to_caf(taken.error());
  // Also where it is in hand already: that may not be written yet, and whoever
  // asks forgets the letter.
  auto promise = self_->make_response_promise<void>();
  e.after_next.push_back(promise);
  write(e);
  arm_writes();
  pump();
  return promise;
}

std::vector<processing::processor_state> processing_engine_state::states() {
  std::vector<processing::processor_state> out;
  for (const auto& [n, e] : entries_) {
    note_seen(e);
    const auto state = board_.state_of(n);
    auto& x = out.emplace_back();
    x.name = n;
    x.kind = e.what->what.kind;
    x.state = e.at == phase::running    ? "running"
              : e.at == phase::starting ? "starting"
              : e.at == phase::broken   ? "failed"
                                        : "elsewhere";
    x.detail = e.detail;
    if (e.at == phase::elsewhere)
      x.owner = ctx_.owner->holder(e.work());
    x.ready = state.ready;
    x.running = state.running;
    x.waiting = state.waiting;
    x.completed = e.totals.completed;
    x.retried = e.totals.retried;
    x.failed = e.totals.failed;
    x.timed_out = e.totals.timed_out;
    x.cursor = state.cursor;
  }
  for (const auto& [n, x] : gone_)
    if (is_gone(x) && !entries_.contains(n)) {
      out.push_back(x);
      out.back().detail = "it is not there any more, and not done with " +
                          std::to_string(x.ready) + " events";
    }
  std::ranges::sort(out, {}, &processing::processor_state::name);
  return out;
}

// -- the end -----------------------------------------------------------------

caf::result<void>
processing_engine_state::flush(std::chrono::milliseconds patience) {
  auto promise = self_->make_response_promise<void>();
  flushed_.push_back(promise);
  if (std::exchange(stopping_, true))
    return promise;
  for (auto& [n, e] : entries_)
    stop_feeds(e);
  stop_by_ = now() + patience;
  wait_for_running();
  return promise;
}

void processing_engine_state::wait_for_running() {
  if (blocking_.empty() && async_stops_.empty()) {
    last_writes();
    return;
  }
  if (now() >= stop_by_) {
    note_cut_off();
    abandon(running());
    last_writes();
    return;
  }
  run_after(self_, std::chrono::milliseconds{20},
            [this] { wait_for_running(); });
}

void processing_engine_state::note_cut_off() const {
  for (const auto& [n, e] : entries_)
    if (const auto running = board_.state_of(n).running; running > 0)
      ctx_.log->warn("processor {}: {} attempts were still under way at the "
                     "end and were cut off; they are made again after the "
                     "next start",
                     n, running);
}

std::vector<uint64_t> processing_engine_state::running() const {
  std::vector<uint64_t> out(blocking_.begin(), blocking_.end());
  for (const auto& [id, stop] : async_stops_)
    out.push_back(id);
  return out;
}

void processing_engine_state::last_writes() {
  writing_last_ = true;
  for (auto& [n, e] : entries_) {
    board_.let_go(n, now());
    e.written = {};
    write(e);
  }
  end_flush();
}

void processing_engine_state::end_flush() {
  if (!writing_last_)
    return;
  for (const auto& [n, e] : entries_)
    if (board_.has(n) && (e.writing || board_.has_news(n))) {
      arm_writes();
      return;
    }
  for (auto& promise : flushed_)
    promise.deliver();
  flushed_.clear();
}

processing_engine_actor
spawn_processing_engine(caf::actor_system& sys, actor_context ctx,
                        processing_engine_options options) {
  using impl = caf::stateful_actor<processing_engine_state,
                                   processing_engine_actor::impl>;
  return sys.spawn<impl>(std::move(ctx), std::move(options));
}

std::shared_ptr<processing::runner>
make_runner(std::shared_ptr<directory> peers, size_t workers, size_t max_lost) {
  return std::make_shared<processing::worker_pool>(
      workers, max_lost, [peers = std::move(peers)] {
        if (auto engine = peers->engine.get())
          tell_anon(engine, next_atom_v);
      });
}

} // namespace eventweft
