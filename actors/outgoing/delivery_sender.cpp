// SPDX-License-Identifier: Apache-2.0
#include "actors/outgoing/delivery_sender.hpp"

#include "actors/backoff.hpp"
#include "actors/caf_compat.hpp"
#include "actors/log_follower.hpp"
#include "actors/outgoing/sender_parts.hpp"
#include "codec/filter.hpp"
#include "codec/subscription_json.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

using delivery::decision;
using delivery::delivery_queue;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr milliseconds lookup_again{5'000};
// A dry run looks at so much of the log, then says what it found so far.
constexpr int64_t most_counted = 1'000'000;

class delivery_sender_state {
 public:
  static inline constexpr const char* name = "delivery_sender";

  delivery_sender_state(delivery_sender_actor::pointer self, actor_context ctx,
                        delivery_tools tools, delivery_sender_options options,
                        delivery_order order)
      : self_(self),
        ctx_(std::move(ctx)),
        tools_(std::move(tools)),
        options_(std::move(options)),
        order_(std::move(order)),
        work_(work_of(order_.what)),
        pauses_(options_.retry_min, options_.retry_max) {
    prepare();
    ctx_.figures->reader_opened(order_.what.stream, reader_kind::webhook);
  }

  ~delivery_sender_state() {
    ctx_.figures->reader_closed(order_.what.stream, reader_kind::webhook);
  }

  delivery_sender_actor::behavior_type make_behavior() {
    look();
    return {
        [this](put_atom, const delivery_order& order) { change(order); },
        [this](page_atom, uint64_t follower, const log_range_ptr& range) {
          if (follower == following_)
            take_page(range);
        },
        [this](done_atom, const delivery_end_ptr& end) {
          if (end)
            ended(*end);
        },
        [this](tick_atom) { look(); },
        [this](test_atom) { return test(); },
        [this](replay_atom, const replay_request& r) { return replay(r); },
        [this](flush_atom) { return flush(); },
    };
  }

 private:
  struct lost_event {
    uint32_t attempts;
    std::string reason;
    bool under_way = false;
  };

  // -- whether to work -------------------------------------------------------

  void prepare() {
    endpoint_ = endpoint_of(order_.what, options_.request_timeout);
    matcher_ = codec::compiled_filter{order_.stream_filter, order_.what.filter};
  }

  /// Starts or stops, as ownership has it.
  void look() {
    auto proof = ctx_.owner->held(work_);
    if (!proof) {
      stop_work("elsewhere");
      return;
    }
    const bool same = proof_ && proof_->token == proof->token;
    proof_ = std::move(proof);
    if (queue_ && same) {
      pump();
      return;
    }
    stop_work("starting");
    load();
  }

  /// Forgets everything that the store has; what is under way ends unheard.
  void stop_work(const char* state) {
    ++life_;
    loading_ = false;
    queue_.reset();
    follower_.reset();
    rest_.reset();
    events_.clear();
    cached_bytes_ = 0;
    created_.clear();
    failures_.clear();
    lost_.clear();
    attempts_.clear();
    once_saved_.clear();
    replay_.reset();
    scanning_ = saving_ = dirty_ = false;
    state_ = state;
    show();
    finish_flush();
  }

  void load() {
    if (std::exchange(loading_, true))
      return;
    auto worker = ctx_.peers->subscription_worker.get();
    if (!worker) {
      load_later();
      return;
    }
    ask(self_, worker, options_.store_timeout, find_atom_v, order_.what.id)
        .then(
            [this, life = life_](const subscription_record& r) {
              if (life != life_)
                return;
              loading_ = false;
              begin(r.progress);
            },
            [this, life = life_](const caf::error& e) {
              if (life != life_)
                return;
              auto why = from_caf(e);
              // Deleted: whoever did that ends this actor too.
              if (why.code == ec::not_found) {
                loading_ = false;
                return;
              }
              ctx_.log->warn("{}: its progress can't be read: {}", work_,
                             to_string(why));
              load_later();
            });
  }

  void load_later() {
    run_after(self_, pauses_.next(*ctx_.random), [this, life = life_] {
      if (life != life_)
        return;
      loading_ = false;
      look();
    });
  }

  void begin(const subscription_progress& p) {
    pauses_.reset();
    progress_ = p;
    delivery::progress_mark from{p.done_until, {}};
    if (!p.mark.empty()) {
      if (auto read = delivery::parse_mark(p.mark))
        from = std::move(*read);
      else
        ctx_.log->error("{}: {}; it goes on after seq {}", work_,
                        read.error().message, p.done_until);
    }
    if (!p.replay.empty()) {
      if (auto read = codec::parse_replay(p.replay))
        replay_ = std::move(*read);
      else
        ctx_.log->error("{}: {}", work_, read.error().message);
    }
    start_queue(std::move(from));
  }

  void start_queue(delivery::progress_mark from) {
    queue_.emplace(queue_options_of(order_.what, options_.queue),
                   std::move(from), *ctx_.random);
    if (!order_.what.active)
      queue_->disable();
    follow();
    scan();
    pump();
  }

  /// From where the queue is, if anything is to be delivered at all.
  void follow() {
    ++following_;
    follower_.reset();
    rest_.reset();
    if (!queue_ || !order_.what.active)
      return;
    follower_options f;
    f.name = order_.what.stream;
    f.max_events = options_.page_events;
    f.max_bytes = options_.page_bytes;
    // The hub does one of the two for all who have the same.
    const auto& narrow =
        order_.what.filter.empty() ? order_.stream_filter : order_.what.filter;
    auto me = delivery_sender_actor{self_};
    follower_ = std::make_unique<log_follower>(
        self_->system(), ctx_, narrow, queue_->cursor(), f,
        [me, number = following_](log_range_ptr piece) {
          tell_anon(me, page_atom_v, number, std::move(piece));
        });
    follower_->want();
  }

  void change(const delivery_order& order) {
    const auto before = std::exchange(order_, order);
    if (before == order_)
      return;
    prepare();
    if (before.what.stream != order_.what.stream) {
      ctx_.figures->reader_closed(before.what.stream, reader_kind::webhook);
      ctx_.figures->reader_opened(order_.what.stream, reader_kind::webhook);
    }
    if (!queue_) {
      look();
      return;
    }
    const auto& a = before.what;
    const auto& b = order_.what;
    if (a.ordered != b.ordered || a.max_concurrent != b.max_concurrent ||
        a.rate_per_second != b.rate_per_second) {
      // What is under way ends unheard and is sent again.
      auto mark = full_mark();
      lost_.clear();
      start_queue(std::move(mark));
      return;
    }
    if (a.active != b.active || a.url != b.url) {
      if (b.active) {
        queue_->enable();
        queue_->renew(ctx_.time->now());
      } else {
        queue_->disable();
      }
    }
    if (a.active != b.active || a.filter != b.filter ||
        before.stream_filter != order_.stream_filter)
      follow();
    scan();
    pump();
  }

  // -- from the log ----------------------------------------------------------

  void take_page(const log_range_ptr& range) {
    if (!queue_ || !follower_)
      return;
    rest_ = range;
    rest_next_ = 0;
    accept_rest();
    pump();
  }

  /// As much of the piece at hand as there is room for, then asks for more.
  void accept_rest() {
    if (!rest_ || flushing_)
      return;
    const auto now = ctx_.time->now();
    size_t taken = 0;
    for (; rest_next_ < rest_->events.size(); ++rest_next_) {
      const auto& ev = rest_->events[rest_next_];
      if (ev->seq <= queue_->cursor() || !matcher_.matches(*ev))
        continue;
      if (!queue_->has_room())
        break;
      if (queue_->accept(ev->seq, now)) {
        ++taken;
        created_.emplace(ev->seq, ev->created_at);
        keep(ev);
      }
    }
    if (taken != 0) {
      progress_.matched += static_cast<int64_t>(taken);
      ctx_.figures->events_matched(order_.what.stream, taken);
    }
    dirty_ = true;
    if (rest_next_ < rest_->events.size())
      return;
    queue_->pass_over(rest_->last);
    rest_.reset();
    if (follower_)
      follower_->want();
  }

  void keep(const event_ptr& ev) {
    const auto size = ev->footprint();
    if (cached_bytes_ + size > options_.cached_bytes)
      return;
    if (events_.emplace(ev->seq, ev).second)
      cached_bytes_ += size;
  }

  void drop_event(seq_t seq) {
    if (auto i = events_.find(seq); i != events_.end()) {
      cached_bytes_ -= i->second->footprint();
      events_.erase(i);
    }
    created_.erase(seq);
    failures_.erase(seq);
  }

  /// `then(event_ptr)`, null if the log does not have it any more, or
  /// `else_(error)`.
  template <class Then, class Else>
  void with_event(seq_t seq, Then then, Else otherwise) {
    if (auto i = events_.find(seq); i != events_.end()) {
      then(event_ptr{i->second});
      return;
    }
    auto store = ctx_.peers->reader.get();
    if (!store) {
      otherwise(error{ec::overloaded, "the store's part restarts"});
      return;
    }
    ask(self_, store, options_.store_timeout, page_atom_v,
        page_request{seq - 1, 1, std::numeric_limits<uint32_t>::max()})
        .then(
            [this, life = life_, seq, then](const log_range& found) {
              if (life != life_)
                return;
              const bool there =
                  !found.events.empty() && found.events.front()->seq == seq;
              then(there ? found.events.front() : event_ptr{});
            },
            [this, life = life_, otherwise](const caf::error& e) {
              if (life == life_)
                otherwise(from_caf(e));
            });
  }

  // -- to the wire -----------------------------------------------------------

  /// Does what is due and sees to it that it is called when more is.
  void pump() {
    if (!queue_)
      return;
    if (!ctx_.owner->held(work_)) {
      stop_work("elsewhere");
      return;
    }
    const auto now = ctx_.time->now();
    if (queue_->has_room())
      accept_rest();
    if (!queue_->is_disabled())
      for (const auto& u : queue_->give_up_overdue(now))
        give_up(u.seq, u.attempts, "it waited too long for an attempt");
    if (!flushing_ && attempts_.size() < options_.max_unsaved)
      for (const auto& a : queue_->take(now))
        send(a.seq, a.number);
    if (queue_)
      wake(now);
    save();
    show();
    finish_flush();
  }

  void wake(timestamp now) {
    // Then it is the end of something else that wakes.
    if (queue_->is_disabled() || flushing_ ||
        attempts_.size() >= options_.max_unsaved)
      return;
    const auto at = queue_->wake_at(now);
    if (!at || (wake_due_ && *wake_due_ <= *at && *wake_due_ > now))
      return;
    wake_due_ = *at;
    const auto pause =
        std::clamp(std::chrono::ceil<milliseconds>(*at - now), milliseconds{1},
                   milliseconds{std::chrono::hours{24}});
    run_after(self_, pause, [this, number = ++wakes_] {
      if (number != wakes_)
        return;
      wake_due_.reset();
      pump();
    });
  }

  void send(seq_t seq, uint32_t number) {
    with_event(
        seq,
        [this, seq, number](const event_ptr& ev) {
          if (!queue_)
            return;
          if (!ev) {
            ctx_.log->warn("{}: event {} is not in the log any more", work_,
                           seq);
            queue_->forget(seq);
            drop_event(seq);
            dirty_ = true;
            pump_soon();
            return;
          }
          post(ev, number);
        },
        [this, seq](const error& why) {
          if (!queue_)
            return;
          ctx_.log->warn("{}: event {} can't be read: {}", work_, seq,
                         to_string(why));
          delivery::verdict v;
          v.outcome = delivery::outcome::not_sent;
          queue_->finish(seq, v, ctx_.time->now());
          pump_soon();
        });
  }

  /// Not at once: this may be called from within `pump`.
  void pump_soon() {
    if (!std::exchange(soon_, true))
      run_after(self_, milliseconds{1}, [this] {
        soon_ = false;
        pump();
      });
  }

  void post(const event_ptr& ev, uint32_t number) {
    const auto now = ctx_.time->now();
    flights_[ev->seq] = ev;
    auto me = delivery_sender_actor{self_};
    tools_.poster->post(
        request_for(order_.what, endpoint_, ev, now),
        [me, seq = ev->seq, number, now](outgoing::result r) {
          tell_anon(me, done_atom_v,
                    delivery_end_ptr{std::make_shared<const delivery_end>(
                        delivery_end{seq, number, now, std::move(r)})});
        });
  }

  void ended(const delivery_end& end) {
    if (end.seq < 0) {
      tested(end);
      return;
    }
    auto flight = flights_.extract(end.seq);
    if (!queue_ || !flight)
      return;
    const auto now = ctx_.time->now();
    const auto v = delivery::judge(end.outcome, now);
    const auto before = queue_->breaker_state(now);
    const auto d = queue_->finish(end.seq, v, now);
    if (d.what == decision::kind::put_back) {
      pump();
      return;
    }
    const auto& ev = *flight.mapped();
    auto row = attempt_row(order_.what, ev, end, v, options_.kept_answer_bytes,
                           uuid::v7(now, *ctx_.random));
    const auto took =
        end.outcome ? end.outcome->duration : end.outcome.error().duration;
    ctx_.figures->delivery_ended(order_.what.stream,
                                 delivery::to_string(v.outcome), took);
    if (v.outcome != delivery::outcome::delivered) {
      ++progress_.failed;
      last_error_ = row.error_message;
      failures_[end.seq].push_back({end.started, row.error_message});
      if (before != delivery::breaker::state::open &&
          queue_->breaker_state(now) == delivery::breaker::state::open) {
        ctx_.figures->breaker_opened(order_.what.stream);
        ctx_.log->warn("{}: its endpoint is down ({}); only probes go out",
                       work_, row.error_message);
      }
    }
    switch (d.what) {
    case decision::kind::done:
      row.status = delivery_attempt::state::delivered;
      ++progress_.delivered;
      progress_.last_seq = std::max(progress_.last_seq, end.seq);
      progress_.last_delivery_at = now;
      ctx_.figures->events_sent(order_.what.stream, 1, ev.payload.size(),
                                end.seq);
      drop_event(end.seq);
      break;
    case decision::kind::retry:
      row.next_attempt_at = d.due;
      break;
    case decision::kind::give_up:
      row.status = delivery_attempt::state::failed;
      give_up(end.seq, d.attempts, row.error_message);
      break;
    case decision::kind::disabled:
      switch_off(row.error_message);
      break;
    case decision::kind::put_back:
      break;
    }
    attempts_.push_back(std::move(row));
    dirty_ = true;
    pump();
  }

  /// The endpoint said that it wants nothing any more.
  void switch_off(const std::string& reason) {
    ctx_.log->warn("{}: switched off: {}", work_, reason);
    disabled_reason_ = reason;
    order_.what.active = false;
    order_.what.disabled_reason = reason;
    follower_.reset();
    rest_.reset();
    if (auto all = ctx_.peers->subscriptions.get())
      tell(self_, all, disabled_atom_v, order_.what.id, reason);
  }

  // -- what is given up ------------------------------------------------------

  /// Stays in the mark until the dead letter is stored.
  void give_up(seq_t seq, uint32_t attempts, const std::string& reason) {
    lost_.insert_or_assign(seq, lost_event{attempts, reason});
    ++progress_.given_up;
    dirty_ = true;
    bury(seq);
  }

  void bury(seq_t seq) {
    const auto found = lost_.find(seq);
    if (found == lost_.end() || std::exchange(found->second.under_way, true))
      return;
    with_event(
        seq,
        [this, seq](const event_ptr& ev) {
          const auto i = lost_.find(seq);
          if (i == lost_.end())
            return;
          if (!ev) {
            buried(seq);
            return;
          }
          auto history = failures_[seq];
          if (history.size() > dead_letter_history)
            history.erase(history.begin(),
                          history.end() -
                              static_cast<std::ptrdiff_t>(dead_letter_history));
          auto keeper = ctx_.peers->dead_letters.get();
          if (!keeper) {
            bury_later(seq);
            return;
          }
          ask(self_, keeper, options_.store_timeout, dead_letter_atom_v,
              letter_of(order_.what, *ev, i->second.attempts, i->second.reason,
                        std::move(history), ctx_.time->now(), *ctx_.random))
              .then(
                  [this, life = life_, seq] {
                    if (life == life_)
                      buried(seq);
                  },
                  [this, life = life_, seq](const caf::error&) {
                    if (life == life_)
                      bury_later(seq);
                  });
        },
        [this, seq](const error&) { bury_later(seq); });
  }

  void buried(seq_t seq) {
    lost_.erase(seq);
    drop_event(seq);
    dirty_ = true;
    pump_soon();
  }

  void bury_later(seq_t seq) {
    run_after(self_, lookup_again, [this, life = life_, seq] {
      if (life != life_)
        return;
      if (auto i = lost_.find(seq); i != lost_.end())
        i->second.under_way = false;
      bury(seq);
    });
  }

  // -- what is written down --------------------------------------------------

  delivery::progress_mark full_mark() const {
    auto mark = queue_->mark();
    for (const auto& [seq, lost] : lost_)
      mark.open.push_back({seq, lost.attempts, {}, ctx_.time->now()});
    std::sort(mark.open.begin(), mark.open.end(),
              [](const auto& a, const auto& b) { return a.seq < b.seq; });
    return mark;
  }

  void save() {
    if (!queue_ || !dirty_ || saving_ || resting_)
      return;
    // Progress alone is not worth a transaction each time.
    if (attempts_.empty() && disabled_reason_.empty() && once_saved_.empty() &&
        !flushing_) {
      if (!std::exchange(idle_save_due_, true))
        run_after(self_, options_.idle_save, [this] {
          idle_save_due_ = false;
          save_now();
        });
      return;
    }
    save_now();
  }

  void save_now() {
    if (!queue_ || !dirty_ || saving_ || resting_)
      return;
    auto recorder = ctx_.peers->delivery_recorder.get();
    if (!recorder || !proof_) {
      save_later();
      return;
    }
    delivery_report report;
    report.subscription_id = order_.what.id;
    report.proof = *proof_;
    const auto mark = full_mark();
    progress_.mark = delivery::mark_json(mark);
    progress_.done_until =
        mark.open.empty() ? mark.cursor : mark.open.front().seq - 1;
    progress_.replay = replay_ ? codec::replay_json(*replay_) : std::string{};
    report.progress = progress_;
    report.attempts = std::exchange(attempts_, {});
    report.disabled_reason = disabled_reason_;
    saving_ = true;
    dirty_ = false;
    auto sent = std::make_shared<delivery_report>(report);
    auto waiting = std::make_shared<std::vector<std::function<void()>>>(
        std::exchange(once_saved_, {}));
    ask(self_, recorder, options_.store_timeout, save_atom_v, std::move(report))
        .then(
            [this, life = life_, sent, waiting] {
              if (life != life_)
                return;
              saving_ = false;
              pauses_.reset();
              for (auto& tell_it : *waiting)
                tell_it();
              if (disabled_reason_ == sent->disabled_reason)
                disabled_reason_.clear();
              pump();
            },
            [this, life = life_, sent, waiting](const caf::error& e) {
              if (life != life_)
                return;
              saving_ = false;
              once_saved_.insert(once_saved_.begin(),
                                 std::make_move_iterator(waiting->begin()),
                                 std::make_move_iterator(waiting->end()));
              not_saved(from_caf(e), *sent);
            });
  }

  void not_saved(const error& why, delivery_report& sent) {
    if (why.code == ec::not_owner) {
      ctx_.log->info("{}: another node delivers it now", work_);
      stop_work("elsewhere");
      run_after(self_, lookup_again, [this] { look(); });
      return;
    }
    ctx_.log->warn("{}: what was delivered can't be written down: {}", work_,
                   to_string(why));
    dirty_ = true;
    attempts_.insert(attempts_.begin(),
                     std::make_move_iterator(sent.attempts.begin()),
                     std::make_move_iterator(sent.attempts.end()));
    // What the store refuses for what it is would be refused for ever.
    if (why.code == ec::row_refused)
      attempts_.clear();
    save_later();
  }

  void save_later() {
    resting_ = true;
    run_after(self_, pauses_.next(*ctx_.random), [this] {
      resting_ = false;
      pump();
    });
  }

  // -- once more -------------------------------------------------------------

  caf::result<replay_answer> replay(const replay_request& r) {
    if (!queue_)
      return to_caf(ec::overloaded, "the subscription is not ready");
    auto promise = self_->make_response_promise<replay_answer>();
    auto store = ctx_.peers->reader.get();
    if (!store) {
      promise.deliver(to_caf(ec::overloaded, "the store's part restarts"));
      return promise;
    }
    auto failed = [promise](const caf::error& e) mutable {
      promise.deliver(e);
    };
    if (r.event_id) {
      ask(self_, store, options_.store_timeout, find_atom_v, *r.event_id)
          .then(
              [this, promise, dry = r.dry_run](const event_ptr& ev) mutable {
                replay_one(ev, dry, promise);
              },
              failed);
      return promise;
    }
    if (replay_ && !r.dry_run) {
      promise.deliver(
          to_caf(ec::conflict, "a replay is under way; let it end first"));
      return promise;
    }
    // Both ends as numbers first.
    auto with_end = [this, promise, r, store, failed](seq_t after) mutable {
      auto go = [this, promise, r, after](seq_t until) mutable {
        begin_replay({after, until, r.filter}, r.dry_run, promise);
      };
      if (r.until)
        ask(self_, store, options_.store_timeout, seek_atom_v, *r.until)
            .then(go, failed);
      else
        ask(self_, store, options_.store_timeout, head_atom_v).then(go, failed);
    };
    switch (r.since.from) {
    case start_point::kind::after_seq:
      with_end(std::max<seq_t>(r.since.seq, 0));
      break;
    case start_point::kind::at_time:
      ask(self_, store, options_.store_timeout, seek_atom_v, r.since.time)
          .then(with_end, failed);
      break;
    case start_point::kind::now:
      ask(self_, store, options_.store_timeout, head_atom_v)
          .then(with_end, failed);
      break;
    }
    return promise;
  }

  void replay_one(const event_ptr& ev, bool dry,
                  caf::typed_response_promise<replay_answer>& promise) {
    if (!ev) {
      promise.deliver(to_caf(ec::not_found, "no event has this id"));
      return;
    }
    if (!queue_) {
      promise.deliver(to_caf(ec::overloaded, "the subscription is not ready"));
      return;
    }
    replay_answer out{ev->seq - 1, ev->seq, 1};
    if (dry) {
      promise.deliver(out);
      return;
    }
    if (ev->seq > queue_->cursor()) {
      promise.deliver(to_caf(
          ec::conflict, "the event has not had its turn yet; it will come"));
      return;
    }
    if (!queue_->accept_again(ev->seq, ctx_.time->now()) &&
        queue_->find(ev->seq) == nullptr) {
      promise.deliver(
          to_caf(ec::too_many_requests, "too much waits to be delivered"));
      return;
    }
    dirty_ = true;
    keep(ev);
    once_saved_.push_back([promise, out]() mutable { promise.deliver(out); });
    pump();
  }

  void begin_replay(codec::replay_state what, bool dry,
                    caf::typed_response_promise<replay_answer> promise) {
    if (!queue_) {
      promise.deliver(to_caf(ec::overloaded, "the subscription is not ready"));
      return;
    }
    // What has not had its turn yet needs no second one.
    what.until = std::min(what.until, queue_->cursor());
    what.after = std::min(what.after, what.until);
    if (dry) {
      count(std::make_shared<counting>(counting{what, what, 0, promise}));
      return;
    }
    if (replay_) {
      promise.deliver(
          to_caf(ec::conflict, "a replay is under way; let it end first"));
      return;
    }
    replay_ = what;
    dirty_ = true;
    once_saved_.push_back([promise, what]() mutable {
      promise.deliver(replay_answer{what.after, what.until, std::nullopt});
    });
    scan();
    pump();
  }

  bool wanted(const codec::compiled_filter& extra, const event& ev) const {
    return matcher_.matches(ev) && extra.matches(ev);
  }

  /// One page of what is to be replayed, if there is room for it.
  void scan() {
    if (!replay_ || scanning_ || !queue_ || flushing_)
      return;
    if (replay_->after >= replay_->until) {
      replay_.reset();
      dirty_ = true;
      pump_soon();
      return;
    }
    auto store = ctx_.peers->reader.get();
    if (!store || !queue_->has_room() || !order_.what.active) {
      scan_later(lookup_again);
      return;
    }
    scanning_ = true;
    ask(self_, store, options_.store_timeout, page_atom_v,
        page_request{replay_->after, options_.page_events, options_.page_bytes})
        .then(
            [this, life = life_](const log_range& found) {
              if (life != life_ || !replay_)
                return;
              scanning_ = false;
              take_again(found);
            },
            [this, life = life_](const caf::error&) {
              if (life != life_)
                return;
              scanning_ = false;
              scan_later(lookup_again);
            });
  }

  void take_again(const log_range& found) {
    const codec::compiled_filter extra{replay_->filter};
    const auto now = ctx_.time->now();
    bool through = found.events.empty();
    for (const auto& ev : found.events) {
      through = ev->seq > replay_->until;
      if (through)
        break;
      if (wanted(extra, *ev)) {
        if (!queue_->has_room()) {
          dirty_ = true;
          pump();
          scan_later(milliseconds{100});
          return;
        }
        if (queue_->accept_again(ev->seq, now))
          keep(ev);
      }
      replay_->after = ev->seq;
    }
    if (through)
      replay_->after = replay_->until;
    dirty_ = true;
    pump();
    scan();
  }

  void scan_later(milliseconds pause) {
    if (std::exchange(scan_due_, true))
      return;
    run_after(self_, pause, [this] {
      scan_due_ = false;
      scan();
    });
  }

  struct counting {
    codec::replay_state left;
    codec::replay_state whole;
    int64_t found;
    caf::typed_response_promise<replay_answer> promise;
  };

  /// For a dry run.
  void count(const std::shared_ptr<counting>& c) {
    auto store = ctx_.peers->reader.get();
    if (!store) {
      c->promise.deliver(to_caf(ec::overloaded, "the store's part restarts"));
      return;
    }
    if (c->left.after >= c->left.until ||
        c->left.after - c->whole.after >= most_counted) {
      c->promise.deliver(
          replay_answer{c->whole.after, c->left.after, c->found});
      return;
    }
    ask(self_, store, options_.store_timeout, page_atom_v,
        page_request{c->left.after, 1'000, 8u << 20})
        .then(
            [this, c](const log_range& page) {
              const codec::compiled_filter extra{c->left.filter};
              for (const auto& ev : page.events)
                if (ev->seq <= c->left.until && wanted(extra, *ev))
                  ++c->found;
              c->left.after = page.events.empty()
                                  ? c->left.until
                                  : std::min(page.last, c->left.until);
              count(c);
            },
            [c](const caf::error& e) { c->promise.deliver(e); });
  }

  caf::result<delivery_test> test() {
    auto promise = self_->make_response_promise<delivery_test>();
    const auto now = ctx_.time->now();
    const auto ev = test_event(order_.what, now, *ctx_.random);
    auto me = delivery_sender_actor{self_};
    const auto number = ++tests_;
    testing_.emplace(number, promise);
    tools_.poster->post(
        request_for(order_.what, endpoint_, ev, now),
        [me, number](outgoing::result r) {
          // Tests are below zero, where no event is.
          tell_anon(me, done_atom_v,
                    delivery_end_ptr{std::make_shared<const delivery_end>(
                        delivery_end{-number, 1, {}, std::move(r)})});
        });
    return promise;
  }

  void tested(const delivery_end& end) {
    auto asked = testing_.extract(-end.seq);
    if (!asked)
      return;
    const auto v = delivery::judge(end.outcome, ctx_.time->now());
    const auto row = attempt_row(order_.what, event{}, end, v,
                                 options_.kept_answer_bytes, uuid{});
    delivery_test out;
    out.delivered = v.outcome == delivery::outcome::delivered;
    out.response_status = row.response_status;
    out.response_body = row.response_body;
    out.error_message = row.error_message;
    out.duration = row.duration;
    asked.mapped().deliver(std::move(out));
  }

  // -- to be told ------------------------------------------------------------

  void show() {
    subscription_figures f;
    const auto now = ctx_.time->now();
    f.state = state_;
    f.matched = progress_.matched;
    f.delivered = progress_.delivered;
    f.failed = progress_.failed;
    f.given_up = progress_.given_up;
    f.last_seq = progress_.last_seq;
    f.last_delivery_at = progress_.last_delivery_at;
    f.last_error = last_error_;
    f.replaying = replay_.has_value();
    if (queue_) {
      f.state = order_.what.active                    ? "delivering"
                : order_.what.disabled_reason.empty() ? "paused"
                                                      : "disabled";
      f.under_way = static_cast<int64_t>(queue_->under_way());
      f.open = f.under_way + static_cast<int64_t>(queue_->waiting());
      f.breaker = delivery::to_string(queue_->breaker_state(now));
      f.cursor = queue_->cursor();
      f.lag_events = f.open;
      if (rest_)
        f.lag_events += rest_->last - queue_->cursor();
      if (const auto* first = queue_->oldest()) {
        const auto made = created_.find(first->seq);
        const auto since = made == created_.end() ? first->since : made->second;
        f.lag_seconds =
            std::max(0.0, std::chrono::duration<double>(now - since).count());
      }
    }
    tools_.board->set(order_.what.id, std::move(f));
  }

  caf::result<void> flush() {
    auto promise = self_->make_response_promise<void>();
    flushing_ = true;
    flushed_.push_back(promise);
    follower_.reset();
    pump();
    finish_flush();
    return promise;
  }

  void finish_flush() {
    if (!flushing_ || flushed_.empty())
      return;
    if (queue_ && (!flights_.empty() || saving_ || dirty_))
      return;
    for (auto& promise : std::exchange(flushed_, {}))
      promise.deliver();
  }

  delivery_sender_actor::pointer self_;
  actor_context ctx_;
  delivery_tools tools_;
  delivery_sender_options options_;
  delivery_order order_;
  std::string work_;
  delivery::endpoint endpoint_;
  codec::compiled_filter matcher_;
  backoff pauses_;

  /// One for each time that the work is taken up; what belongs to an earlier
  /// one is ignored.
  uint64_t life_ = 0;
  std::optional<fence> proof_;
  bool loading_ = false;
  const char* state_ = "starting";
  subscription_progress progress_;
  std::optional<delivery_queue> queue_;

  // From the log.
  std::unique_ptr<log_follower> follower_;
  uint64_t following_ = 0;
  log_range_ptr rest_;
  size_t rest_next_ = 0;
  std::map<seq_t, event_ptr> events_;
  size_t cached_bytes_ = 0;
  std::map<seq_t, timestamp> created_;

  // To the wire.
  std::map<seq_t, event_ptr> flights_;
  std::map<seq_t, std::vector<failed_attempt>> failures_;
  std::map<seq_t, lost_event> lost_;
  std::string last_error_;
  std::optional<timestamp> wake_due_;
  uint64_t wakes_ = 0;
  bool soon_ = false;
  int64_t tests_ = 0;
  std::map<int64_t, caf::typed_response_promise<delivery_test>> testing_;

  // To the store.
  std::vector<delivery_attempt> attempts_;
  std::string disabled_reason_;
  /// Who is to be told once what is so now is written down.
  std::vector<std::function<void()>> once_saved_;
  bool dirty_ = false;
  bool saving_ = false;
  bool resting_ = false;
  bool idle_save_due_ = false;

  std::optional<codec::replay_state> replay_;
  bool scanning_ = false;
  bool scan_due_ = false;

  bool flushing_ = false;
  std::vector<caf::typed_response_promise<void>> flushed_;
};

} // namespace

delivery_sender_actor spawn_delivery_sender(caf::actor_system& sys,
                                            actor_context ctx,
                                            delivery_tools tools,
                                            delivery_sender_options options,
                                            delivery_order order) {
  using impl =
      caf::stateful_actor<delivery_sender_state, delivery_sender_actor::impl>;
  return sys.spawn<impl>(std::move(ctx), std::move(tools), std::move(options),
                         std::move(order));
}

} // namespace eventweft
