// SPDX-License-Identifier: Apache-2.0
#include "actors/caf_compat.hpp"
#include "actors/processing_engine_state.hpp"
#include "codec/event_json.hpp"
#include "processing/feeds.hpp"

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
  for (auto& [id, stop] : async_stops_)
    stop.request_stop();
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
        reply(id, r);
      },
      [this](answer_atom, const uuid& id) { reply(id, std::nullopt); },
      [this](retry_atom, const dead_letter& x) { return again(x); },
      [this](list_atom) { return states(); },
      [this](flush_atom) { return flush(options_.patience); },
      [this](flush_atom, uint32_t within) {
        const std::chrono::milliseconds whole{within};
        return flush(whole - std::min(whole / 4, most_for_last_writes));
      },
  };
}

// -- which processors there are ----------------------------------------------

void processing_engine_state::sync() {
  if (stopping_)
    return;
  for (auto i = entries_.begin(); i != entries_.end();) {
    const auto current = options_.processors->find(i->first);
    if (!current || current->number != i->second.what->number) {
      retire(i->second);
      i = entries_.erase(i);
    } else {
      ++i;
    }
  }
  for (const auto& what : options_.processors->all())
    if (!entries_.contains(what->what.name))
      entries_.emplace(
          what->what.name,
          entry{.what = what,
                .pauses = backoff{options_.retry_min, options_.retry_max}});
  for (auto& [n, e] : entries_)
    check_owner(e);
  pump();
}

void processing_engine_state::look_later() {
  run_after(self_, options_.look_interval, [this] {
    sync();
    look_later();
  });
}

bool processing_engine_state::check_owner(entry& e) {
  const auto held = ctx_.owner->held(e.work());
  if (held && e.at != phase::elsewhere && held->token == e.owner.token)
    return true;
  if (e.at != phase::elsewhere) {
    // Work that moves is given away a little later than it is let go of.
    write_last(e);
    drop(e);
  }
  if (!held)
    return false;
  e.owner = *held;
  start(e);
  return true;
}

void processing_engine_state::start(entry& e) {
  e.at = phase::starting;
  e.detail.clear();
  e.epoch = ++last_epoch_;
  if (!options_.durable) {
    find_start(e, {});
    return;
  }
  auto journal = ctx_.peers->journal.get();
  if (!journal) {
    start_later(e, {ec::overloaded, "the journal restarts"});
    return;
  }
  ask(self_, journal, options_.timeout, list_atom_v, e.what->what.name)
      .then(
          [this, n = e.what->what.name,
           epoch = e.epoch](std::vector<processing::stored_mark>& marks) {
            if (auto* x = current(n, epoch))
              find_start(*x, std::move(marks));
          },
          [this, n = e.what->what.name,
           epoch = e.epoch](const caf::error& why) {
            if (auto* x = current(n, epoch))
              start_later(*x, from_caf(why));
          });
}

void processing_engine_state::start_later(entry& e, const error& why) {
  e.detail = to_string(why);
  if (why.code == ec::corrupt) {
    e.at = phase::broken;
    ctx_.log->error("processor {} does not run: {}", e.what->what.name,
                    why.message);
    return;
  }
  run_after(self_, e.pauses.next(*ctx_.random),
            [this, n = e.what->what.name, epoch = e.epoch] {
              if (auto* x = current(n, epoch))
                start(*x);
            });
}

processing_engine_state::entry*
processing_engine_state::current(const std::string& n, uint64_t epoch) {
  const auto i = entries_.find(n);
  return i != entries_.end() && i->second.epoch == epoch ? &i->second : nullptr;
}

// Where a processor begins that was never seen.
void processing_engine_state::find_start(
    entry& e, std::vector<processing::stored_mark> marks) {
  const auto& from = e.what->what.start;
  if (!marks.empty() || from.from == start_point::kind::after_seq) {
    begin(e, marks, from.seq);
    return;
  }
  if (const auto head = e.what->head_at_start;
      head && from.from == start_point::kind::now) {
    // Without a store there are no marks: a second start is not the first.
    if (!options_.durable)
      options_.processors->begun(e.what->what.name);
    begin(e, {}, *head);
    return;
  }
  auto reader = ctx_.peers->reader.get();
  if (!reader) {
    start_later(e, {ec::overloaded, "the reader restarts"});
    return;
  }
  auto found = [this, n = e.what->what.name, epoch = e.epoch](seq_t seq) {
    if (auto* x = current(n, epoch))
      begin(*x, {}, seq);
  };
  auto failed = [this, n = e.what->what.name,
                 epoch = e.epoch](const caf::error& why) {
    if (auto* x = current(n, epoch))
      start_later(*x, from_caf(why));
  };
  if (from.from == start_point::kind::at_time)
    ask(self_, reader, options_.timeout, seek_atom_v, from.time)
        .then(found, failed);
  else
    ask(self_, reader, options_.timeout, head_atom_v).then(found, failed);
}

void processing_engine_state::begin(
    entry& e, const std::vector<processing::stored_mark>& marks, seq_t start) {
  if (auto added = board_.add(e.what, marks, start); !added) {
    start_later(e, added.error());
    return;
  }
  e.touched = now();
  ctx_.log->info("processor {} starts after event {}", e.what->what.name,
                 board_.state_of(e.what->what.name).cursor);
  // Its beginning is to be known before anything is read.
  e.begun = true;
  write(e);
  arm_writes();
}

void processing_engine_state::fetch_missing(entry& e) {
  const auto seqs = board_.missing(e.what->what.name);
  if (seqs.empty()) {
    follow(e);
    return;
  }
  auto reader = ctx_.peers->reader.get();
  if (!reader) {
    fetch_later(e);
    return;
  }
  page_request page;
  page.after = seqs.front() - 1;
  ask(self_, reader, options_.timeout, page_atom_v, page)
      .then(
          [this, n = e.what->what.name, epoch = e.epoch,
           first = seqs.front()](const log_range& range) {
            if (auto* x = current(n, epoch))
              fetched(*x, first, range);
          },
          [this, n = e.what->what.name, epoch = e.epoch](const caf::error&) {
            if (auto* x = current(n, epoch))
              fetch_later(*x);
          });
}

void processing_engine_state::fetch_later(entry& e) {
  run_after(self_, e.pauses.next(*ctx_.random),
            [this, n = e.what->what.name, epoch = e.epoch] {
              if (auto* x = current(n, epoch))
                fetch_missing(*x);
            });
}

void processing_engine_state::fetched(entry& e, seq_t first,
                                      const log_range& range) {
  std::map<seq_t, event_ptr> found;
  for (const auto& ev : range.events)
    found.emplace(ev->seq, ev);
  // A page that is empty says that the log ends before what we look for.
  const auto last = std::max(range.last, first);
  for (auto seq : board_.missing(e.what->what.name)) {
    if (seq > last)
      break;
    const auto i = found.find(seq);
    if (i == found.end())
      ctx_.log->warn("event {} is gone before processor {} was done with it",
                     seq, e.what->what.name);
    board_.fetched(e.what->what.name, seq,
                   i == found.end() ? event_ptr{} : i->second, now());
  }
  fetch_missing(e);
  pump();
}

void processing_engine_state::follow(entry& e) {
  e.at = phase::running;
  e.pauses.reset();
  const auto& p = e.what->what;
  for (size_t index = 0; index < processing::feeds_of(p).size(); ++index) {
    const auto number = ++last_feed_;
    follower_options options;
    options.name = "processors";
    options.max_events = static_cast<uint32_t>(
        std::clamp<size_t>(board_.room(p.name, index) / 2, 1, 500));
    auto& f = feeds_[number];
    f.processor = p.name;
    f.index = index;
    e.feeds.push_back(number);
    f.source = std::make_unique<log_follower>(
        self_->system(), ctx_, processing::feed_filter(p, index),
        board_.cursor(p.name, index), options,
        [peers = ctx_.peers, number](log_range_ptr range) {
          if (auto engine = peers->engine.get())
            tell_anon(engine, page_atom_v, number, std::move(range));
        });
    want(f);
  }
  pump();
}

void processing_engine_state::stop_feeds(entry& e) {
  note_seen(e);
  for (auto number : e.feeds)
    feeds_.erase(number);
  e.feeds.clear();
}

void processing_engine_state::abandon(const std::vector<uint64_t>& jobs) {
  for (auto id : jobs) {
    if (blocking_.erase(id) > 0)
      options_.workers->abandon(id);
    if (auto stop = async_stops_.extract(id))
      stop.mapped().request_stop();
  }
}

void processing_engine_state::drop(entry& e) {
  ctx_.log->info("processor {} is no longer this node's", e.what->what.name);
  stop_feeds(e);
  abandon(board_.remove(e.what->what.name));
  for (auto* waiting : {&e.after_next, &e.after_this}) {
    for (auto& promise : *waiting)
      promise.deliver(to_caf(ec::not_owner, "another node has it"));
    waiting->clear();
  }
  e.writing = nullptr;
  e.under_way = false;
  e.begun = false;
  e.letters = 0;
  e.at = phase::elsewhere;
  e.epoch = ++last_epoch_;
}

void processing_engine_state::retire(entry& e) {
  ctx_.log->info("processor {} ends", e.what->what.name);
  stop_feeds(e);
  write_last(e);
  abandon(board_.remove(e.what->what.name));
  ctx_.figures->set_processor(e.what->what.name, 0, 0, 0);
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
  if (!board_.again(e.what->what.name, event_ptr{std::move(*ev)}, now()))
    return {};
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
    x.ready = state.ready;
    x.running = state.running;
    x.waiting = state.waiting;
    x.completed = e.totals.completed;
    x.retried = e.totals.retried;
    x.failed = e.totals.failed;
    x.timed_out = e.totals.timed_out;
    x.cursor = state.cursor;
  }
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
