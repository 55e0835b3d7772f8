// SPDX-License-Identifier: Apache-2.0
#include "actors/stream_hub.hpp"

#include "actors/backoff.hpp"
#include "actors/caf_compat.hpp"
#include "actors/live_lanes.hpp"
#include "actors/live_matches.hpp"
#include "actors/live_ring.hpp"
#include "codec/thread_names.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

/// How long a head that the store is ahead of may be about to be told to us.
constexpr std::chrono::milliseconds tell_grace{20};
/// Ranges kept that came before what is between them and us.
constexpr size_t max_early = 64;
/// Of those who ask for the log's end before it is known.
constexpr size_t max_early_heads = 10'000;

class stream_hub_state {
 public:
  static inline constexpr const char* name = "stream_hub";

  stream_hub_state(stream_hub_actor::pointer self, actor_context ctx,
                   stream_hub_options options,
                   std::shared_ptr<live_lanes> lanes)
      : self_(self),
        ctx_(std::move(ctx)),
        options_(options),
        book_(std::move(lanes)),
        ring_(options.ring_events, options.ring_bytes),
        pauses_(options.retry_min, options.retry_max),
        lane_pauses_(options.retry_min, options.retry_max) {}

  stream_hub_actor::behavior_type make_behavior() {
    for (auto& [number, lane] : book_->lanes)
      lane.reading = false;
    start();
    return {
        [this](committed_atom, const log_range_ptr& range) {
          if (range)
            committed(range);
        },
        [this](ready_atom, lane_number number) { ready(number); },
        [this](join_atom, join_request& r) { return take_join(std::move(r)); },
        [this](leave_atom, subscription_id who) { leave(who); },
        [this](head_atom) { return head(); },
        [this](poll_atom) { poll(); },
        [this](poll_atom, seq_t reaches) { reaches_to(reaches); },
    };
  }

 private:
  // -- the end of the log ----------------------------------------------------

  void start() {
    auto store = ctx_.peers->reader.get();
    auto again = [this] {
      run_after(self_, pauses_.next(*ctx_.random), [this] { start(); });
    };
    if (!store) {
      again();
      return;
    }
    ask(self_, store, options_.store_timeout, head_atom_v)
        .then([this](seq_t head) { started(head); },
              [again](const caf::error&) { again(); });
  }

  void started(seq_t head) {
    pauses_.reset();
    // What a lane was sent is in the log, whatever the store just said.
    for (const auto& [number, lane] : book_->lanes)
      head = std::max(head, lane.sent);
    ring_.reset(head);
    target_ = head;
    started_ = true;
    ctx_.figures->set_head(head);
    for (const auto& [number, lane] : book_->lanes)
      for (const auto& [key, group] : lane.groups)
        matches_.add(group.id, group.matcher, head);
    take_early();
    for (auto& promise : std::exchange(early_heads_, {}))
      promise.deliver(ring_.head());
    for (auto& [request, promise] : std::exchange(early_joins_, {}))
      promise.deliver(join(std::move(request)));
    pump_all();
    schedule_poll();
  }

  /// Whatever is acknowledged after this was asked lies beyond the answer.
  caf::result<seq_t> head() {
    if (started_)
      return ring_.head();
    if (early_heads_.size() == max_early_heads)
      return to_caf(ec::overloaded, "the end of the log is not known yet");
    auto promise = self_->make_response_promise<seq_t>();
    early_heads_.push_back(promise);
    return promise;
  }

  void committed(const log_range_ptr& range) {
    if (!started_ || range->first > ring_.head() + 1) {
      keep_early(range);
      if (started_)
        reaches_to(range->last);
      return;
    }
    if (range->last <= ring_.head())
      return;
    accept(*range);
    take_early();
    pump_all();
  }

  void keep_early(const log_range_ptr& range) {
    early_.emplace(range->first, range);
    // Those farthest away will be read from the store.
    if (early_.size() > max_early)
      early_.erase(std::prev(early_.end()));
  }

  void take_early() {
    while (!early_.empty()) {
      auto next = early_.begin()->second;
      if (next->first > ring_.head() + 1)
        break;
      early_.erase(early_.begin());
      if (next->last > ring_.head())
        accept(*next);
    }
    if (!early_.empty())
      reaches_to(early_.rbegin()->second->last);
  }

  /// Takes what is new in a range that begins at or before the next seq.
  void accept(const log_range& range) {
    auto head = ring_.head();
    std::vector<event_ptr> events;
    events.reserve(range.events.size());
    for (const auto& ev : range.events)
      if (ev->seq > head) {
        log_event(*ctx_.log, ev->id, "offered to streams, seq {}", ev->seq);
        events.push_back(ev);
      }
    take_merges(events);
    ring_.append(events, range.last);
    matches_.append(events);
    matches_.trim(ring_.floor());
    latest_ = ctx_.time->now();
    ctx_.figures->set_head(range.last);
  }

  /// Before a merge is told, what is in memory is in the thread that stayed, as
  /// it is in the store: a reader gets the same from both.
  void take_merges(std::vector<event_ptr>& events) {
    const auto renames = learn_merges(events);
    if (renames.empty())
      return;
    for (auto& ev : events)
      if (auto now = renamed(ev, renames))
        ev = std::move(now);
    matches_.renamed(ring_.rename(renames));
  }

  /// Filters that ask for a thread that is no more go on with what it is part
  /// of.
  thread_renames learn_merges(const std::vector<event_ptr>& events) {
    thread_renames out;
    for (const auto& ev : events) {
      const auto merge = codec::merge_told_by(*ev);
      if (!merge)
        continue;
      const auto& [from, into] = *merge;
      names_.merged(from, into);
      for (auto& [id, now] : out)
        if (now == from)
          now = into;
      out.insert_or_assign(from, into);
    }
    return out;
  }

  /// `then` is called once it is known how the store calls the threads that
  /// filters ask for: what it just gave out may be in one that we have not been
  /// told of yet.
  template <class Then, class Failed>
  void with_names(const storage_reader_actor& store, Then then, Failed failed) {
    auto ids = names_.watched();
    if (ids.empty()) {
      then();
      return;
    }
    ask(self_, store, options_.store_timeout, find_atom_v, ids)
        .then(
            [this, ids, then](const std::vector<uuid>& present) mutable {
              names_.found(ids, present);
              then();
            },
            [failed](const caf::error&) mutable { failed(); });
  }

  /// The log is that long. What is between is most likely on its way: other
  /// nodes append as well, and their events come by another path than ours.
  void reaches_to(seq_t last) {
    if (!started_ || last <= ring_.head())
      return;
    expected_ = std::max(expected_, last);
    if (!std::exchange(in_grace_, true))
      run_after(self_, tell_grace, [this] {
        in_grace_ = false;
        fill_expected();
      });
  }

  /// What did not come by itself within the grace is read from the store.
  void fill_expected() {
    if (expected_ <= ring_.head())
      return;
    target_ = std::max(target_, expected_);
    fill();
  }

  /// Reads from the store what is between the ring's head and the target.
  void fill() {
    if (filling_ || ring_.head() >= target_)
      return;
    auto store = ctx_.peers->reader.get();
    if (!store) {
      fill_later();
      return;
    }
    filling_ = true;
    const auto after = ring_.head();
    const auto known = names_.news();
    page_request page{after, options_.page_events, options_.page_bytes};
    ask(self_, store, options_.store_timeout, page_atom_v, page)
        .then(
            [this, store, after, known](log_range& range) {
              with_names(
                  store,
                  [this, after, known, range = std::move(range)] {
                    if (names_.news() == known) {
                      filled(after, range);
                      return;
                    }
                    filling_ = false;
                    fill();
                  },
                  [this] { fill_later(); });
            },
            [this](const caf::error&) { fill_later(); });
  }

  /// The store's answer to what follows `after`.
  void filled(seq_t after, const log_range& range) {
    filling_ = false;
    if (range.last > ring_.head()) {
      ctx_.figures->hub_gap_filled(range.events.size());
      accept(range);
      take_early();
      pump_all();
    } else if (ring_.head() == after) {
      // Nothing there: what is told is not visible yet.
      fill_later();
      return;
    }
    // Also where what was missing came by itself meanwhile: the store is well,
    // and the next hole must not wait for a pause that this one grew.
    pauses_.reset();
    fill();
  }

  void fill_later() {
    filling_ = true;
    run_after(self_, pauses_.next(*ctx_.random), [this] {
      filling_ = false;
      if (ring_.head() >= target_)
        pauses_.reset();
      fill();
    });
  }

  // -- the slow look at the store --------------------------------------------

  void schedule_poll() {
    run_after(self_, options_.poll_interval, [this] {
      poll();
      schedule_poll();
    });
  }

  void poll() {
    auto store = ctx_.peers->reader.get();
    if (!started_ || polling_ || !store)
      return;
    polling_ = true;
    ask(self_, store, options_.store_timeout, head_atom_v)
        .then(
            [this](seq_t head) {
              polling_ = false;
              polled(head);
            },
            [this](const caf::error&) { polling_ = false; });
  }

  void polled(seq_t head) {
    reaches_to(head);
    // A cursor beyond the log's end is another log's: go on from our end.
    for (auto& [number, lane] : book_->lanes)
      for (auto& w : lane.waiting)
        if (w.request.cursor > std::max(head, target_))
          w.request.cursor = std::max(head, ring_.head());
    pump_all();
  }

  // -- lanes -----------------------------------------------------------------

  void pump_all() {
    for (auto& [number, lane] : book_->lanes)
      pump(lane);
  }

  void pump(lane_record& lane) {
    serve_waiting(lane);
    while (started_ && !lane.reading && lane.sent < ring_.head() &&
           lane.outstanding->load() < lane_window) {
      if (lane.sent < ring_.floor()) {
        read_for(lane);
        return;
      }
      auto last =
          ring_.reach(lane.sent, options_.batch_events, options_.batch_bytes);
      publish(lane,
              {lane.sent + 1, last,
               matches_.slices(lane.sent + 1, last, lane.group_ids)},
              latest_);
    }
  }

  void publish(lane_record& lane, lane_batch batch, timestamp since) {
    lane.sent = batch.last;
    lane.outstanding->fetch_add(1);
    lane.since.push_back(since);
    lane.port->publish(
        std::move(batch),
        [peers = ctx_.peers, number = lane.number, count = lane.outstanding] {
          count->fetch_sub(1);
          if (auto hub = peers->hub.get())
            tell_anon(hub, ready_atom_v, number);
        });
    serve_waiting(lane);
  }

  /// The lane fell behind the ring: its next batch comes from the store.
  void read_for(lane_record& lane) {
    lane.reading = true;
    auto number = lane.number;
    auto after = lane.sent;
    auto later = [this, number] {
      run_after(self_, lane_pauses_.next(*ctx_.random), [this, number] {
        if (auto* l = book_->find(number)) {
          l->reading = false;
          pump(*l);
        }
      });
    };
    auto store = ctx_.peers->reader.get();
    if (!store) {
      later();
      return;
    }
    const auto known = names_.news();
    page_request page{after, options_.batch_events, options_.batch_bytes};
    ask(self_, store, options_.store_timeout, page_atom_v, page)
        .then(
            [this, store, number, after, known, later](log_range& range) {
              with_names(
                  store,
                  [this, number, after, known, later,
                   range = std::move(range)] {
                    if (names_.news() == known)
                      read_lane(number, after, range, later);
                    else if (auto* l = book_->find(number)) {
                      l->reading = false;
                      pump(*l);
                    }
                  },
                  later);
            },
            [later](const caf::error&) { later(); });
  }

  /// The store's answer to what a lane needs after `after`.
  template <class Later>
  void read_lane(lane_number number, seq_t after, const log_range& range,
                 Later later) {
    auto* l = book_->find(number);
    if (!l || l->sent != after)
      return;
    auto last = std::min(range.last, ring_.head());
    if (last <= after) {
      later();
      return;
    }
    l->reading = false;
    lane_pauses_.reset();
    // Of those before a restart nobody else would tell.
    learn_merges(range.events);
    publish(*l,
            {after + 1, last,
             matches_.slices_of(range.events, after + 1, last, l->group_ids)},
            ctx_.time->now());
    pump(*l);
  }

  void ready(lane_number number) {
    auto* lane = book_->find(number);
    if (!lane)
      return;
    auto left = static_cast<size_t>(std::max(lane->outstanding->load(), 0));
    auto now = ctx_.time->now();
    while (lane->since.size() > left) {
      ctx_.figures->stage_took(stage::publish, now - lane->since.front());
      lane->since.pop_front();
    }
    pump(*lane);
  }

  // -- readers ---------------------------------------------------------------

  caf::result<join_answer> take_join(join_request r) {
    if (!r.lane)
      return to_caf(ec::internal, "a join without a lane");
    if (started_)
      return join(std::move(r));
    auto promise = self_->make_response_promise<join_answer>();
    early_joins_.emplace_back(std::move(r), promise);
    return promise;
  }

  join_answer join(join_request r) {
    // Whatever it was before, it is not live until it has joined again.
    auto& lane = book_->lane_of(r.lane, ring_.head());
    if (r.cursor < 0)
      r.cursor = ring_.head();
    codec::compiled_filter matcher{r.stream_filter, r.own_filter,
                                   r.forced_filter};
    auto oldest = ring_.floor();
    if (r.cursor > lane.sent) {
      auto beyond = r.cursor > ring_.head();
      forget(r.subscription);
      lane.waiting.push_back({std::move(r), std::move(matcher)});
      if (beyond)
        poll();
      return {true, oldest};
    }
    if (r.cursor < oldest && r.cursor < lane.sent) {
      forget(r.subscription);
      book_->prune(lane.number);
      return {false, oldest};
    }
    make_live(lane, r, matcher);
    book_->prune(lane.number);
    return {true, oldest};
  }

  /// Answers with the backlog up to where the lane is, or, if that is too much
  /// at once, with a page of it. The ring must hold it.
  void make_live(lane_record& lane, const join_request& r,
                 const codec::compiled_filter& matcher) {
    log_range backlog{r.cursor + 1, lane.sent, {}};
    uint64_t bytes = 0;
    for (auto i = ring_.after(r.cursor);
         i != ring_.end() && (*i)->seq <= lane.sent; ++i) {
      if (!matcher.matches(**i))
        continue;
      bytes += (*i)->footprint();
      if (!backlog.events.empty() &&
          (bytes > options_.batch_bytes ||
           backlog.events.size() >= options_.batch_events)) {
        backlog.last = (*i)->seq - 1;
        forget(r.subscription);
        lane.port->page(r.reader, r.epoch, std::move(backlog));
        return;
      }
      backlog.events.push_back(*i);
    }
    auto was = book_->members.find(r.subscription);
    if (was != book_->members.end() && was->second.key != matcher.key())
      forget(r.subscription);
    auto id = book_->enter(lane, r.subscription, matcher);
    matches_.add(id, matcher, ring_.head());
    matches_.cover(ring_, id, lane.sent);
    lane.port->join(r.reader, r.epoch, id, std::move(backlog));
  }

  void serve_waiting(lane_record& lane) {
    for (auto& w : std::exchange(lane.waiting, {})) {
      if (w.request.cursor > lane.sent) {
        lane.waiting.push_back(std::move(w));
      } else if (w.request.cursor >= ring_.floor() ||
                 w.request.cursor == lane.sent) {
        make_live(lane, w.request, w.matcher);
      } else {
        // The lane jumped over it with a page from the store: let it ask
        // again from where it is.
        const auto& r = w.request;
        lane.port->page(r.reader, r.epoch, {r.cursor + 1, r.cursor, {}});
      }
    }
  }

  void leave(subscription_id who) {
    std::erase_if(early_joins_,
                  [who](auto& x) { return x.first.subscription == who; });
    forget(who);
    prune_all();
  }

  /// Takes the subscription out of the books; its lane stays.
  void forget(subscription_id who) {
    group_id alone = 0;
    if (auto i = book_->members.find(who); i != book_->members.end())
      if (auto g = book_->group_ids.find(i->second.key);
          g != book_->group_ids.end() && g->second.second == 1)
        alone = g->second.first;
    book_->leave(who);
    if (alone != 0)
      matches_.remove(alone);
  }

  /// Drops the lanes that nobody uses.
  void prune_all() {
    std::vector<lane_number> all;
    for (const auto& [number, lane] : book_->lanes)
      all.push_back(number);
    for (auto number : all)
      book_->prune(number);
  }

  stream_hub_actor::pointer self_;
  actor_context ctx_;
  stream_hub_options options_;
  std::shared_ptr<live_lanes> book_;
  live_ring ring_;
  /// Of looking for the end of the log and reading up to it, and of reading
  /// for lanes.
  backoff pauses_;
  backoff lane_pauses_;
  live_matches matches_;
  codec::thread_names& names_ = codec::thread_names::shared();
  bool started_ = false;
  bool filling_ = false;
  bool polling_ = false;
  /// As far as the log is known to reach.
  seq_t target_ = 0;
  /// The same, but what is missing may still come by itself.
  seq_t expected_ = 0;
  bool in_grace_ = false;
  timestamp latest_{};
  std::map<seq_t, log_range_ptr> early_;
  /// What was asked before the end of the log was known.
  std::vector<caf::typed_response_promise<seq_t>> early_heads_;
  std::vector<std::pair<join_request, caf::typed_response_promise<join_answer>>>
      early_joins_;
};

} // namespace

stream_hub_actor spawn_stream_hub(caf::actor_system& sys, actor_context ctx,
                                  stream_hub_options options,
                                  std::shared_ptr<live_lanes> lanes) {
  using impl = caf::stateful_actor<stream_hub_state, stream_hub_actor::impl>;
  return sys.spawn<impl>(std::move(ctx), options, std::move(lanes));
}

} // namespace eventweft
