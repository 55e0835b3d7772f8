// SPDX-License-Identifier: Apache-2.0
#include "actors/subscription.hpp"

#include "actors/caf_compat.hpp"
#include "codec/filter.hpp"
#include "codec/thread_names.hpp"
#include "messages/backoff.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

/// Whether the error may pass by itself.
bool may_pass(ec code) noexcept {
  return code == ec::store_unavailable || code == ec::overloaded ||
         code == ec::timed_out || code == ec::store_full;
}

class subscription_state {
 public:
  static inline constexpr const char* name = "subscription";

  subscription_state(subscription_actor::pointer self, actor_context ctx,
                     subscription_options options, subscription_spec spec)
      : self_(self),
        ctx_(std::move(ctx)),
        options_(options),
        id_(spec.id),
        request_(std::move(spec.request)),
        stream_filter_(std::move(spec.stream_filter)),
        own_filter_(request_.filter),
        pauses_(options.retry_min, options.retry_max) {
    match();
    self_->attach_functor(
        [peers = ctx_.peers, id = spec.id, lane = request_.lane,
         reader = request_.id,
         on_end = std::move(spec.on_end)](const caf::error& reason) {
          if (auto hub = peers->hub.get())
            tell_anon(hub, leave_atom_v, id);
          if (reason == ec::shutting_down)
            lane->end(reader, reader_end::restarting,
                      "this node stops; come back to any with your cursor");
          else if (reason && reason != caf::exit_reason::user_shutdown)
            lane->end(reader, reader_end::going_away,
                      "the subscription restarts; come back with your cursor");
          if (on_end)
            on_end();
        });
  }

  subscription_actor::behavior_type make_behavior() {
    return {
        [this](next_atom, uint32_t epoch, seq_t cursor) {
          ++round_;
          epoch_ = epoch;
          pauses_.reset();
          if (cursor < 0)
            begin();
          else
            serve(cursor);
        },
        [this](filter_atom, const filter& f) {
          own_filter_ = f;
          match();
        },
        [this](put_atom, const filter& f) {
          stream_filter_ = f;
          match();
          request_.lane->restart(request_.id);
        },
    };
  }

 private:
  /// Whatever changes, what the credentials let it see stays in force.
  void match() {
    matcher_ =
        codec::compiled_filter{stream_filter_, own_filter_, request_.forced};
    threads_.clear();
    for (const auto* f : {&stream_filter_, &own_filter_, &request_.forced})
      for (const auto& text : f->correlation_ids)
        if (const auto id = uuid::parse(text))
          threads_.push_back(*id);
    threads_known_ = threads_.empty();
  }

  /// `then` is called once it is known where the threads went that the filters
  /// ask for.
  template <class Then>
  void look_up_threads(Then then) {
    auto round = round_;
    auto again = [this, then] { look_up_threads(then); };
    auto store = ctx_.peers->reader.get();
    if (!store) {
      later(round, again);
      return;
    }
    ask(self_, store, options_.timeout, find_atom_v, threads_)
        .then(
            [this, round, ids = threads_,
             then](const std::vector<uuid>& present) mutable {
              names_.found(ids, present);
              if (round == round_)
                then();
            },
            [this, round, again](const caf::error& e) {
              failed(round, e, again);
            });
  }

  /// What the hub has in memory it hands out by the names that it knows.
  template <class Then>
  void with_threads(Then then) {
    if (threads_known_)
      then();
    else
      look_up_threads([this, then] {
        threads_known_ = true;
        then();
      });
  }

  /// From the start point of the request.
  void begin() {
    switch (request_.start.from) {
    case start_point::kind::now:
      with_threads([this] { join(-1); });
      break;
    case start_point::kind::after_seq:
      serve(std::max<seq_t>(request_.start.seq, 0));
      break;
    case start_point::kind::at_time:
      seek();
      break;
    }
  }

  void seek() {
    auto round = round_;
    auto store = ctx_.peers->reader.get();
    if (!store) {
      later(round, [this] { seek(); });
      return;
    }
    ask(self_, store, options_.timeout, seek_atom_v, request_.start.time)
        .then(
            [this, round](seq_t before) {
              if (round != round_)
                return;
              // Known from now on, should the reader ask again.
              request_.start = start_point::after(before);
              serve(before);
            },
            [this, round](const caf::error& e) {
              failed(round, e, [this] { seek(); });
            });
  }

  /// What comes after `cursor`: live if it can be.
  void serve(seq_t cursor) {
    if (cursor < oldest_)
      page(cursor);
    else
      with_threads([this, cursor] { join(cursor); });
  }

  void join(seq_t cursor) {
    auto round = round_;
    auto hub = ctx_.peers->hub.get();
    if (!hub) {
      later(round, [this, cursor] { join(cursor); });
      return;
    }
    join_request r;
    r.subscription = id_;
    r.reader = request_.id;
    r.epoch = epoch_;
    r.lane = request_.lane;
    r.stream_filter = stream_filter_;
    r.own_filter = own_filter_;
    r.forced_filter = request_.forced;
    r.cursor = cursor;
    ask(self_, hub, options_.timeout, join_atom_v, std::move(r))
        .then(
            [this, round, cursor](const join_answer& answer) {
              oldest_ = std::max(oldest_, answer.oldest);
              if (round != round_ || answer.accepted)
                return;
              if (answer.recent)
                arrived(*answer.recent, answer.recent_news);
              else
                page(cursor);
            },
            [this, round, cursor](const caf::error& e) {
              failed(round, e, [this, cursor] { join(cursor); });
            });
  }

  void page(seq_t cursor) {
    if (ahead_ && ahead_->first == cursor + 1) {
      auto range = std::move(*ahead_);
      ahead_.reset();
      arrived(std::move(range), ahead_news_);
      return;
    }
    ahead_.reset();
    wanted_ = cursor;
    wanted_round_ = round_;
    // It may be on its way already.
    if (!reading_ || reading_after_ != cursor)
      read(cursor);
  }

  void read(seq_t cursor) {
    auto store = ctx_.peers->reader.get();
    if (!store) {
      reading_ = false;
      // Read ahead for nobody: it is read once it is asked for.
      if (wanted_ == cursor && wanted_round_ == round_)
        later(round_, [this, cursor] { page(cursor); });
      return;
    }
    reading_ = true;
    reading_after_ = cursor;
    auto number = ++reads_;
    auto news = names_.news();
    page_request p{cursor, options_.page_events, options_.page_bytes};
    ask(self_, store, options_.timeout, page_atom_v, p)
        .then(
            [this, number, cursor, news](log_range& range) {
              if (number != reads_)
                return;
              reading_ = false;
              range.first = cursor + 1;
              if (wanted_ == cursor && wanted_round_ == round_) {
                arrived(std::move(range), news);
              } else if (range.last > cursor) {
                ahead_ = std::move(range);
                ahead_news_ = news;
              }
            },
            [this, number, cursor](const caf::error& e) {
              if (number != reads_)
                return;
              reading_ = false;
              if (wanted_ == cursor && wanted_round_ == round_)
                failed(round_, e, [this, cursor] { page(cursor); });
            });
  }

  /// A page that was read when the names of threads had that news. Where the
  /// store has merged threads since, it is read again.
  void arrived(log_range range, uint64_t news) {
    if (threads_.empty()) {
      deliver(std::move(range));
      return;
    }
    look_up_threads([this, range = std::move(range), news] {
      threads_known_ = true;
      if (names_.news() == news)
        deliver(range);
      else
        page(range.first - 1);
    });
  }

  void deliver(log_range range) {
    wanted_.reset();
    auto next = range.last;
    auto more = range.last >= range.first;
    if (!more) {
      // The log ends here, so the hub must have it, as soon as it knows.
      auto round = round_;
      oldest_ = std::min(oldest_, next);
      later(round, [this, next] { join(next); });
      return;
    }
    pauses_.reset();
    ctx_.figures->catch_up_page(request_.stream, range.events.size());
    ctx_.figures->filters_tried(
        ctx_.matches->keep_matching(matcher_, range.events));
    request_.lane->page(request_.id, epoch_, std::move(range));
    if (next < oldest_)
      read(next);
  }

  template <class F>
  void failed(uint64_t round, const caf::error& e, F again) {
    if (round != round_)
      return;
    auto why = from_caf(e);
    if (may_pass(why.code)) {
      later(round, std::move(again));
      return;
    }
    ctx_.log->error("a reader of {} can't go on: {}", request_.stream,
                    to_string(why));
    request_.lane->end(request_.id, reader_end::failed, to_string(why));
    self_->quit();
  }

  template <class F>
  void later(uint64_t round, F again) {
    run_after(self_, pauses_.next(*ctx_.random),
              [this, round, again = std::move(again)]() mutable {
                if (round == round_)
                  again();
              });
  }

  subscription_actor::pointer self_;
  actor_context ctx_;
  subscription_options options_;
  subscription_id id_;
  reader_request request_;
  filter stream_filter_;
  filter own_filter_;
  codec::compiled_filter matcher_;
  /// The threads that the filters ask for, and whether it was asked where they
  /// went.
  std::vector<uuid> threads_;
  bool threads_known_ = true;
  codec::thread_names& names_ = codec::thread_names::shared();
  backoff pauses_;
  uint32_t epoch_ = 0;
  /// One for each `next`; what belongs to an older one is ignored.
  uint64_t round_ = 0;
  /// The lowest cursor that the hub is known to be able to join.
  seq_t oldest_ = 0;

  // Reading ahead: the unfiltered page after the last one that was delivered.
  std::optional<log_range> ahead_;
  uint64_t ahead_news_ = 0;
  std::optional<seq_t> wanted_;
  uint64_t wanted_round_ = 0;
  bool reading_ = false;
  seq_t reading_after_ = 0;
  uint64_t reads_ = 0;
};

} // namespace

subscription_actor spawn_subscription(caf::actor_system& sys, actor_context ctx,
                                      subscription_options options,
                                      subscription_spec spec) {
  using impl =
      caf::stateful_actor<subscription_state, subscription_actor::impl>;
  // Whoever follows or reads is served on its own thread.
  no_logger_left on_this_thread;
  return sys.spawn<impl>(std::move(ctx), options, std::move(spec));
}

} // namespace eventweft
