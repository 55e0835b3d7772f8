// SPDX-License-Identifier: Apache-2.0
#include "actors/caf_compat.hpp"
#include "actors/processing_engine_state.hpp"
#include "processing/feeds.hpp"

#include <algorithm>
#include <utility>

// Which processors run here: each from the moment that it is this node's, over
// what was in hand before, to its feeds; and how it is let go of.
namespace eventweft {

// -- which processors there are ----------------------------------------------

void processing_engine_state::sync() {
  if (stopping_)
    return;
  bool retired = false;
  for (auto i = entries_.begin(); i != entries_.end();) {
    const auto current = options_.processors->find(i->first);
    if (!current || current->number != i->second.what->number) {
      retire(i->second);
      retired = true;
      const auto n = i->first;
      i = entries_.erase(i);
      give_back(n);
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
  if (options_.processors->complete() &&
      (!std::exchange(looked_for_gone_, true) || retired))
    look_for_gone();
  pump();
}

void processing_engine_state::look_later() {
  run_after(self_, options_.look_interval, [this] {
    sync();
    // Others may have left something since, or been done with it.
    if (options_.processors->complete())
      look_for_gone();
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
  if (!held) {
    leave_to_others(e);
    return false;
  }
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
  if (auto added = board_.add(e.what, marks, start, now()); !added) {
    start_later(e, added.error());
    return;
  }
  e.touched = now();
  // Nothing of what it has not read is anybody's any more.
  if (const auto& p = e.what->what; p.kind == processing::gone_kind)
    for (size_t n = 0; n < processing::feeds_of(p).size(); ++n)
      board_.take_up(p.name, n, {0, start, {}}, now());
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
    const auto ev = i == found.end() ? event_ptr{} : i->second;
    if (board_.fetched(e.what->what.name, seq, ev, now()))
      log_event(*ctx_.log, spdlog::level::warn, ev->id,
                "processor {}: the process ended during an attempt that it "
                "had announced",
                e.what->what.name);
  }
  fetch_missing(e);
  pump();
  arm_writes();
}

void processing_engine_state::follow(entry& e) {
  e.at = phase::running;
  e.pauses.reset();
  const auto& p = e.what->what;
  if (p.kind == processing::gone_kind) {
    pump();
    return;
  }
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
        self_->system(), ctx_,
        followed_events{{}, processing::feed_filter(p, index)},
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

size_t processing_engine_state::abandon(const std::vector<uint64_t>& jobs) {
  size_t count = 0;
  for (auto id : jobs) {
    if (blocking_.erase(id) > 0) {
      ++count;
      options_.workers->abandon(id);
    }
    if (auto stop = async_stops_.extract(id)) {
      ++count;
      // It may wait to begin, which it must not any more, or hang before it
      // comes to return.
      options_.starters->abandon(id);
      stop.mapped().request_stop();
    }
  }
  return count;
}

void processing_engine_state::cut_off(const entry& e, const char* when,
                                      const char* then) {
  const auto& n = e.what->what.name;
  if (const auto count = abandon(board_.remove(n)); count > 0)
    ctx_.log->warn("processor {}: {} attempts were still under way {} and were "
                   "cut off; {}",
                   n, count, when, then);
}

void processing_engine_state::drop(entry& e) {
  ctx_.log->info("processor {} is no longer this node's", e.what->what.name);
  stop_feeds(e);
  cut_off(e, "as it moved", "the node that has it next makes them again");
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

// -- which there are no more -------------------------------------------------

void processing_engine_state::look_for_gone() {
  const auto journal = ctx_.peers->journal.get();
  if (!options_.durable || !journal)
    return;
  ask(self_, journal, options_.timeout, list_atom_v)
      .then(
          [this](const std::vector<processing::processor_state>& known) {
            note_gone(known);
          },
          // The next look asks again.
          [](const caf::error&) {});
}

void processing_engine_state::note_gone(
    const std::vector<processing::processor_state>& known) {
  gone_.clear();
  const auto told = std::exchange(told_gone_, {});
  for (const auto& x : known) {
    if (x.ready == 0 || options_.processors->find(x.name))
      continue;
    gone_.emplace(x.name, x);
    if (!is_gone(x))
      continue;
    told_gone_.insert(x.name);
    if (!told.contains(x.name))
      ctx_.log->warn("processor {} is not there any more, and not done with {} "
                     "events: add it again, or have them given up by "
                     "`eventweft processors --drop {}`",
                     x.name, x.ready, x.name);
  }
}

bool processing_engine_state::is_gone(
    const processing::processor_state& x) const {
  return ctx_.owner->holder(work_of(x.name)).empty();
}

caf::result<uint64_t> processing_engine_state::let_go(const std::string& n) {
  if (const auto there = options_.processors->find(n))
    return to_caf(ec::conflict,
                  "processor " + n +
                      (there->what.kind == processing::gone_kind
                           ? " is being let go of"
                           : " is there: what it has left is given up only "
                             "after it was taken out of the configuration"));
  const auto journal = ctx_.peers->journal.get();
  if (!journal || stopping_)
    return to_caf(ec::overloaded, "the journal of processors restarts");
  auto promise = self_->make_response_promise<uint64_t>();
  ask(self_, journal, options_.timeout, list_atom_v)
      .then(
          [this, n, promise](
              const std::vector<processing::processor_state>& known) mutable {
            const auto x =
                std::ranges::find(known, n, &processing::processor_state::name);
            if (x == known.end() || x->ready == 0)
              promise.deliver(to_caf(ec::not_found,
                                     "no processor " + n + " has work left"));
            else if (!is_gone(*x))
              promise.deliver(to_caf(ec::conflict,
                                     "processor " + n +
                                         holder_text(*ctx_.owner, work_of(n))));
            else
              let_go(*x, promise);
          },
          [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

void processing_engine_state::let_go(
    const processing::processor_state& x,
    caf::typed_response_promise<uint64_t> promise) {
  const auto reader = ctx_.peers->reader.get();
  if (!reader) {
    promise.deliver(to_caf(ec::overloaded, "the reader restarts"));
    return;
  }
  ask(self_, reader, options_.timeout, head_atom_v)
      .then(
          [this, x, promise](seq_t head) mutable {
            ctx_.log->info("processor {}: the {} events that it has left are "
                           "given up",
                           x.name, x.ready);
            if (auto added = options_.processors->add(
                    processing::let_go_of(x.name, head));
                !added)
              promise.deliver(to_caf(added.error()));
            else
              promise.deliver(x.ready);
          },
          [promise](const caf::error& why) mutable { promise.deliver(why); });
}

// Another node has it and so is there, whatever this one was told.
void processing_engine_state::leave_to_others(const entry& e) {
  if (e.what->what.kind != processing::gone_kind ||
      ctx_.owner->holder(e.work()).empty())
    return;
  options_.processors->remove(e.what->what.name);
}

void processing_engine_state::end_let_go(const entry& e) {
  const auto& n = e.what->what.name;
  if (e.what->what.kind != processing::gone_kind || e.at != phase::running ||
      e.letters > 0 || !board_.missing(n).empty() || board_.has_news(n))
    return;
  const auto left = board_.state_of(n);
  if (left.ready + left.running + left.waiting == 0)
    options_.processors->remove(n);
}

void processing_engine_state::retire(entry& e) {
  ctx_.log->info("processor {} ends", e.what->what.name);
  stop_feeds(e);
  write_last(e);
  cut_off(e, "as it was removed",
          "they are made again should it be added once more");
  ctx_.figures->set_processor(e.what->what.name, 0, 0, 0);
}

// Other nodes that run it are not to wait until nobody asks for it here any
// more. What is on its way to the store needs the fence, and is there once the
// journal, which takes one thing at a time, has answered.
void processing_engine_state::give_back(const std::string& n) {
  const auto over = [this, n] {
    if (!entries_.contains(n))
      ctx_.owner->ended(work_of(n));
  };
  const auto journal = ctx_.peers->journal.get();
  if (!options_.durable || !journal) {
    over();
    return;
  }
  ask(self_, journal, options_.timeout, list_atom_v, n)
      .then([over](const std::vector<processing::stored_mark>&) { over(); },
            [over](const caf::error&) { over(); });
}

} // namespace eventweft
