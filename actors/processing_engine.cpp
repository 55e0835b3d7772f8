// SPDX-License-Identifier: Apache-2.0
#include "actors/processing_engine.hpp"

#include "actors/backoff.hpp"
#include "actors/caf_compat.hpp"
#include "actors/log_follower.hpp"
#include "codec/event_json.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

using processing::board;
using processing::changes;
using processing::decision;
using processing::job;
using processing::outcome;
using processing::registered_ptr;

constexpr std::chrono::milliseconds shortest_wake{1};
/// Longer than any platform waits.
constexpr std::chrono::seconds answer_patience{60};
/// How often marks are written although nothing changed, so that retention
/// goes on waiting for the processor.
constexpr std::chrono::hours touch_interval{6};

struct processor_totals {
  uint64_t completed = 0;
  uint64_t retried = 0;
  uint64_t failed = 0;
  uint64_t timed_out = 0;
};

/// One processor as the engine knows it.
struct entry {
  enum class phase : uint8_t { elsewhere, starting, running, broken };

  registered_ptr what;
  phase at = phase::elsewhere;
  std::string detail;
  /// Tells answers to this start from those to an earlier one.
  uint64_t epoch = 0;
  fence owner;
  std::vector<uint64_t> feeds;
  backoff pauses;
  /// What is being written, or is to be written again.
  processing::write_ptr writing;
  bool under_way = false;
  /// Its first write is not done: it reads nothing yet.
  bool begun = false;
  timestamp written{};
  timestamp touched{};
  /// Dead letters that are not stored yet: until then nothing is written that
  /// says that their events are done with.
  size_t letters = 0;
  /// Told after the next write that begins from now on, and after the one
  /// under way.
  std::vector<caf::typed_response_promise<void>> after_next;
  std::vector<caf::typed_response_promise<void>> after_this;
  processor_totals totals;

  std::string work() const { return "processor:" + what->what.name; }
};

struct feed {
  std::string processor;
  size_t index = 0;
  std::unique_ptr<log_follower> source;
  bool asked = false;
};

struct awaited_answer {
  caf::typed_response_promise<processing::reply> promise;
  /// Answering processors that are not done with it.
  size_t missing = 0;
  timestamp until{};
};

class processing_engine_state {
 public:
  static inline constexpr const char* name = "processing_engine";

  processing_engine_state(processing_engine_actor::pointer self,
                          actor_context ctx, processing_engine_options options)
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

  ~processing_engine_state() {
    for (auto& [id, stop] : async_stops_)
      stop.request_stop();
    for (auto id : blocking_)
      options_.workers->abandon(id);
  }

  processing_engine_actor::behavior_type make_behavior() {
    tell(self_, self_, poll_atom_v);
    return {
        [this](poll_atom) { sync(); },
        [this](page_atom, uint64_t number, const log_range_ptr& range) {
          take_up(number, range);
        },
        [this](ready_atom, uint64_t id, const outcome& o) { ended(id, o); },
        [this](next_atom) { pump(); },
        [this](answer_atom, const event_ptr& ev) { return await(ev); },
        [this](retry_atom, const dead_letter& x) { return again(x); },
        [this](list_atom) { return states(); },
        [this](flush_atom) { return flush(); },
    };
  }

 private:
  using phase = entry::phase;

  timestamp now() const { return ctx_.time->now(); }

  // -- which processors there are --------------------------------------------

  void sync() {
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

  /// True if the processor is this node's.
  bool check_owner(entry& e) {
    const auto held = ctx_.owner->held(e.work());
    if (held && e.at != phase::elsewhere && held->token == e.owner.token)
      return true;
    if (e.at != phase::elsewhere)
      drop(e);
    if (!held)
      return false;
    e.owner = *held;
    start(e);
    return true;
  }

  void start(entry& e) {
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

  void start_later(entry& e, const error& why) {
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

  entry* current(const std::string& n, uint64_t epoch) {
    const auto i = entries_.find(n);
    return i != entries_.end() && i->second.epoch == epoch ? &i->second
                                                           : nullptr;
  }

  // Where a processor begins that was never seen.
  void find_start(entry& e, std::vector<processing::stored_mark> marks) {
    const auto& from = e.what->what.start;
    if (!marks.empty() || from.from == start_point::kind::after_seq) {
      begin(e, marks, from.seq);
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

  void begin(entry& e, const std::vector<processing::stored_mark>& marks,
             seq_t start) {
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

  /// What was in hand when the last process ended, page by page.
  void fetch_missing(entry& e) {
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

  void fetch_later(entry& e) {
    run_after(self_, e.pauses.next(*ctx_.random),
              [this, n = e.what->what.name, epoch = e.epoch] {
                if (auto* x = current(n, epoch))
                  fetch_missing(*x);
              });
  }

  void fetched(entry& e, seq_t first, const log_range& range) {
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

  void follow(entry& e) {
    e.at = phase::running;
    e.pauses.reset();
    const auto& p = e.what->what;
    for (size_t index = 0; index < board::feeds_of(p).size(); ++index) {
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
          self_->system(), ctx_, board::feed_filter(p, index),
          board_.cursor(p.name, index), options,
          [peers = ctx_.peers, number](log_range_ptr range) {
            if (auto engine = peers->engine.get())
              tell_anon(engine, page_atom_v, number, std::move(range));
          });
      want(f);
    }
    pump();
  }

  void stop_feeds(entry& e) {
    for (auto number : e.feeds)
      feeds_.erase(number);
    e.feeds.clear();
  }

  void abandon(const std::vector<uint64_t>& jobs) {
    for (auto id : jobs) {
      if (blocking_.erase(id) > 0)
        options_.workers->abandon(id);
      if (auto stop = async_stops_.extract(id))
        stop.mapped().request_stop();
    }
  }

  /// Somebody else has it by now: nothing more is written.
  void drop(entry& e) {
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

  /// It was removed: what it has done is written, what it has in hand stays.
  void retire(entry& e) {
    ctx_.log->info("processor {} ends", e.what->what.name);
    stop_feeds(e);
    if (e.at == phase::running || e.at == phase::starting) {
      auto last = std::make_shared<processing::write_request>(
          processing::write_request{e.what->what.name, e.owner,
                                    board_.collect(e.what->what.name, now())});
      auto journal = ctx_.peers->journal.get();
      if (options_.durable && journal && !last->changes.empty())
        ask(self_, journal, options_.timeout, append_atom_v,
            processing::write_ptr{last})
            .then([] {},
                  [this, n = e.what->what.name](const caf::error& why) {
                    ctx_.log->warn("the last of processor {} was not written, "
                                   "it will be done again: {}",
                                   n, to_string(from_caf(why)));
                  });
    }
    abandon(board_.remove(e.what->what.name));
    ctx_.figures->set_processor(e.what->what.name, 0, 0, 0);
  }

  // -- from the log ----------------------------------------------------------

  void want(feed& f) {
    if (f.asked || board_.room(f.processor, f.index) == 0)
      return;
    f.asked = true;
    f.source->want();
  }

  void want_more(entry& e) {
    if (e.at != phase::running || stopping_)
      return;
    for (auto number : e.feeds)
      if (auto i = feeds_.find(number); i != feeds_.end())
        want(i->second);
  }

  void take_up(uint64_t number, const log_range_ptr& range) {
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

  // -- to the handlers -------------------------------------------------------

  void pump() {
    if (!stopping_) {
      while (options_.workers->state().idle > 0)
        if (!start_next(false))
          break;
      while (options_.starters->state().idle > 0)
        if (!start_next(true))
          break;
    }
    arm_wake();
  }

  bool start_next(bool async) {
    auto j = board_.take(async, now());
    if (!j)
      return false;
    const auto i = entries_.find(j->processor->what.name);
    if (i == entries_.end() || !check_owner(i->second))
      return true;
    ctx_.figures->job_waited(j->lane, j->waited);
    if (async)
      start_async(std::move(*j));
    else
      start_blocking(std::move(*j));
    return true;
  }

  static processing::attempt_context context_of(const job& j,
                                                std::stop_token stop) {
    const auto& p = j.processor->what;
    return {p.name,    processing::idempotency_key(j.event->id, p.name),
            j.attempt, p.max_retries + 1,
            p.timeout, std::move(stop)};
  }

  static void tell_end(const std::shared_ptr<directory>& peers, uint64_t id,
                       outcome o) {
    if (auto engine = peers->engine.get())
      tell_anon(engine, ready_atom_v, id, std::move(o));
  }

  static outcome thrown() {
    try {
      throw;
    } catch (const std::exception& e) {
      return outcome::failed(std::string{"exception: "} + e.what());
    } catch (...) {
      return outcome::failed("an exception of an unknown type");
    }
  }

  void start_blocking(job j) {
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

  void start_async(job j) {
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

  void ended(uint64_t id, const outcome& o) {
    blocking_.erase(id);
    async_stops_.erase(id);
    settle(board_.finish(id, o, now()), o, false);
    pump();
  }

  void settle(const decision& d, const outcome& o, bool late) {
    using kind = decision::kind;
    if (d.what == kind::ignored)
      return;
    const auto& p = d.processor->what;
    const auto i = entries_.find(p.name);
    if (i == entries_.end())
      return;
    auto& e = i->second;
    if (late)
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
      if (p.answers)
        reply(d.event->id, o.answer);
      break;
    case kind::retry:
      ++e.totals.retried;
      ctx_.figures->attempt_ended(p.name, late ? "timed_out" : "retried",
                                  d.took);
      ctx_.log->warn("processor {}: attempt {} at event {} failed: {}", p.name,
                     d.attempts, to_string(d.event->id), o.error);
      break;
    case kind::give_up:
      ++e.totals.failed;
      ctx_.figures->attempt_ended(p.name, late ? "timed_out" : "failed",
                                  d.took);
      if (p.answers)
        reply(d.event->id, std::nullopt);
      give_up(e, d, o);
      break;
    case kind::ignored:
      break;
    }
    want_more(e);
    arm_writes();
  }

  void give_up(entry& e, const decision& d, const outcome& o) {
    dead_letter letter;
    letter.created_at = now();
    letter.id = uuid::v7(letter.created_at, *ctx_.random);
    letter.origin = e.work();
    letter.reason = o.error;
    letter.attempts = d.attempts;
    letter.history = d.history;
    letter.event_id = d.event->id;
    letter.event_seq = d.event->seq;
    letter.platform = d.event->platform;
    letter.event_type = d.event->event_type;
    letter.body = codec::wire_text(d.event, wire_format::native);
    ++e.letters;
    store_letter(e.what->what.name, e.epoch, std::move(letter));
  }

  void store_letter(const std::string& n, uint64_t epoch, dead_letter letter) {
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

  // -- time ------------------------------------------------------------------

  void arm_wake() {
    const auto at = board_.wake_at();
    if (!at || (armed_ && *armed_ <= *at && *armed_ > now()))
      return;
    armed_ = at;
    const auto pause =
        std::chrono::ceil<std::chrono::milliseconds>(*at - now());
    run_after(self_, std::max(pause, shortest_wake), [this, at] {
      if (armed_ == at)
        armed_.reset();
      expire();
      pump();
    });
  }

  void expire() {
    for (auto id : board_.expired(now())) {
      const auto o = outcome::failed("it took longer than its time-out");
      auto d = board_.finish(id, o, now());
      settle(d, o, true);
      if (blocking_.erase(id) > 0) {
        options_.workers->abandon(id);
        const auto lost = options_.workers->state().lost;
        ctx_.log->error("processor {} hangs on event {}: its thread is left "
                        "alone ({} so far)",
                        d.processor->what.name, to_string(d.event->id), lost);
      }
      if (auto stop = async_stops_.extract(id))
        stop.mapped().request_stop();
      // In case it hangs before it came to return.
      options_.starters->abandon(id);
    }
  }

  void publish() {
    const auto depth = board_.lanes();
    for (size_t lane = 0; lane < depth.size(); ++lane)
      ctx_.figures->set_lane(static_cast<priority>(lane), depth[lane]);
  }

  // -- to the store ----------------------------------------------------------

  void arm_writes() {
    if (std::exchange(writes_armed_, true))
      return;
    run_after(self_, options_.write_interval, [this] {
      writes_armed_ = false;
      bool more = false;
      for (auto& [n, e] : entries_)
        more = write(e) || more;
      hold_lanes(board_.news());
      const auto pool = options_.workers->state();
      ctx_.figures->set_workers(pool.idle, pool.busy, pool.lost);
      publish();
      pump();
      if (more)
        arm_writes();
    });
  }

  /// The more there is to be written, the fewer lanes go on: what is urgent
  /// does not wait for the records of what is not.
  void hold_lanes(size_t unwritten) {
    const auto limit = options_.max_unwritten;
    const size_t held =
        unwritten <= limit
            ? 0
            : std::min(1 + (unwritten - limit) * processing::lane_count / limit,
                       processing::lane_count);
    if (board_.hold(held) == 0 && held != 0)
      ctx_.log->warn("processors wait: what they have done is not written yet");
  }

  /// Whether there is or may be more to write.
  bool write(entry& e) {
    const auto& n = e.what->what.name;
    if (!board_.has(n))
      return false;
    const auto state = board_.state_of(n);
    ctx_.figures->set_processor(n, state.ready, state.running, state.waiting);
    if (e.under_way || e.letters > 0)
      return true;
    const auto time = now();
    if (time - e.touched >= touch_interval) {
      e.touched = time;
      board_.touch(n);
    }
    const bool due = board_.has_news(n) || !e.after_next.empty() ||
                     time - e.written >= options_.mark_interval;
    if (!e.writing && due) {
      auto what = board_.collect(n, time);
      if (!what.empty())
        e.writing = std::make_shared<processing::write_request>(
            processing::write_request{n, e.owner, std::move(what)});
      e.after_this = std::exchange(e.after_next, {});
      e.written = time;
    }
    if (e.writing)
      send(e);
    else
      written(e);
    return e.writing || !due || state.ready + state.running + state.waiting > 0;
  }

  void send(entry& e) {
    if (!options_.durable) {
      written(e);
      return;
    }
    auto journal = ctx_.peers->journal.get();
    if (!journal)
      return;
    e.under_way = true;
    ask(self_, journal, options_.timeout, append_atom_v, e.writing)
        .then(
            [this, n = e.what->what.name, epoch = e.epoch] {
              if (auto* x = current(n, epoch)) {
                x->under_way = false;
                x->detail.clear();
                written(*x);
                if (stopping_ || board_.has_news(n))
                  arm_writes();
              }
            },
            [this, n = e.what->what.name,
             epoch = e.epoch](const caf::error& why) {
              if (auto* x = current(n, epoch))
                not_written(*x, from_caf(why));
            });
  }

  void written(entry& e) {
    e.writing = nullptr;
    for (auto& promise : e.after_this)
      promise.deliver();
    e.after_this.clear();
    if (std::exchange(e.begun, false))
      fetch_missing(e);
    end_flush();
  }

  void not_written(entry& e, const error& why) {
    e.under_way = false;
    if (why.code == ec::not_owner) {
      drop(e);
      tell(self_, self_, poll_atom_v);
      return;
    }
    if (std::exchange(e.detail, to_string(why)).empty())
      ctx_.log->warn("what processor {} has done is not written: {}",
                     e.what->what.name, to_string(why));
    if (why.code == ec::row_refused || why.code == ec::unprocessable) {
      // It would be refused for ever; the events are done with all the same.
      ctx_.log->critical("the store refuses what processor {} has done",
                         e.what->what.name);
      board_.touch(e.what->what.name);
      written(e);
    }
    arm_writes();
  }

  // -- answers ---------------------------------------------------------------

  caf::result<processing::reply> await(const event_ptr& ev) {
    size_t missing = 0;
    for (const auto& [n, e] : entries_)
      if (e.what->what.answers && e.at == phase::running &&
          e.what->filter.matches(*ev))
        ++missing;
    if (missing == 0 || stopping_)
      return to_caf(ec::not_found, "no processor here answers");
    forget_answers();
    auto promise = self_->make_response_promise<processing::reply>();
    awaited_.insert_or_assign(
        ev->id, awaited_answer{promise, missing, now() + answer_patience});
    return promise;
  }

  void reply(const uuid& id, const std::optional<processing::reply>& r) {
    const auto i = awaited_.find(id);
    if (i == awaited_.end())
      return;
    auto& waiting = i->second;
    if (r)
      waiting.promise.deliver(*r);
    else if (--waiting.missing == 0)
      waiting.promise.deliver(to_caf(ec::not_found, "nothing to say"));
    else
      return;
    awaited_.erase(i);
  }

  void forget_answers() {
    const auto time = now();
    if (time < next_forgetting_)
      return;
    next_forgetting_ = time + std::chrono::seconds{1};
    for (auto i = awaited_.begin(); i != awaited_.end();) {
      if (i->second.until > time) {
        ++i;
        continue;
      }
      i->second.promise.deliver(to_caf(ec::timed_out, "no reply"));
      i = awaited_.erase(i);
    }
  }

  // -- from people -----------------------------------------------------------

  caf::result<void> again(const dead_letter& x) {
    const auto i = entries_.find(std::string{origin_name(x.origin)});
    if (i == entries_.end())
      return to_caf(ec::not_found, "there is no processor " +
                                       std::string{origin_name(x.origin)});
    auto& e = i->second;
    if (e.at != phase::running)
      return to_caf(ec::overloaded, "processor " + e.what->what.name +
                                        " does not run on this node");
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

  std::vector<processing::processor_state> states() const {
    std::vector<processing::processor_state> out;
    for (const auto& [n, e] : entries_) {
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

  // -- the end ---------------------------------------------------------------

  caf::result<void> flush() {
    auto promise = self_->make_response_promise<void>();
    flushed_.push_back(promise);
    if (std::exchange(stopping_, true))
      return promise;
    for (auto& [n, e] : entries_)
      stop_feeds(e);
    stop_by_ = now() + options_.patience;
    wait_for_running();
    return promise;
  }

  void wait_for_running() {
    if (blocking_.empty() && async_stops_.empty()) {
      last_writes();
      return;
    }
    if (now() >= stop_by_) {
      // They are made again after the next start.
      abandon(running());
      last_writes();
      return;
    }
    run_after(self_, std::chrono::milliseconds{20},
              [this] { wait_for_running(); });
  }

  std::vector<uint64_t> running() const {
    std::vector<uint64_t> out(blocking_.begin(), blocking_.end());
    for (const auto& [id, stop] : async_stops_)
      out.push_back(id);
    return out;
  }

  void last_writes() {
    writing_last_ = true;
    for (auto& [n, e] : entries_) {
      e.written = {};
      write(e);
    }
    end_flush();
  }

  void end_flush() {
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

  processing_engine_actor::pointer self_;
  actor_context ctx_;
  processing_engine_options options_;
  board board_;
  std::shared_ptr<void> registry_guard_;
  std::shared_ptr<void> owner_guard_;
  std::map<std::string, entry> entries_;
  std::unordered_map<uint64_t, feed> feeds_;
  std::set<uint64_t> blocking_;
  std::unordered_map<uint64_t, std::stop_source> async_stops_;
  std::unordered_map<uuid, awaited_answer> awaited_;
  timestamp next_forgetting_{};
  uint64_t last_epoch_ = 0;
  uint64_t last_feed_ = 0;
  /// When the timer that is set goes off.
  std::optional<timestamp> armed_;
  bool writes_armed_ = false;
  bool stopping_ = false;
  bool writing_last_ = false;
  timestamp stop_by_{};
  std::vector<caf::typed_response_promise<void>> flushed_;
};

} // namespace

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
