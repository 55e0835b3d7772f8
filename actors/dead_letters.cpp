// SPDX-License-Identifier: Apache-2.0
#include "actors/dead_letters.hpp"

#include "actors/bulk_retry.hpp"
#include "actors/caf_compat.hpp"
#include "actors/letter_returns.hpp"
#include "actors/retry_elsewhere.hpp"
#include "actors/retry_notices.hpp"
#include "actors/stored_letters.hpp"
#include "codec/event_json.hpp"
#include "messages/backoff.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <set>
#include <utility>

namespace eventweft {

namespace {

/// Letters that were refused and are known to have been told of.
constexpr size_t most_told = 100'000;

class dead_letters_state {
 public:
  static inline constexpr const char* name = "dead_letters";

  dead_letters_state(dead_letters_actor::pointer self, actor_context ctx,
                     dead_letters_options options)
      : self_(self),
        ctx_(std::move(ctx)),
        options_(options),
        letters_(self, ctx_, options.timeout),
        returns_(self, ctx_, letters_, options.timeout),
        notices_(ctx_),
        many_(self, ctx_, letters_, returns_, notices_,
              {options.retry_min, options.retry_max}),
        pauses_(options.retry_min, options.retry_max),
        guard_(retry_for_others(ctx_)) {}

  dead_letters_actor::behavior_type make_behavior() {
    return {
        [this](dead_letter_atom, const dead_letter& x) { return take(x); },
        [this](retry_atom, const uuid& id) { return retry_one(id); },
        [this](put_atom, const uuid& id) { retry_for_another(id); },
        [this](retry_atom, const dead_letter_query& q, double rate) {
          return begin_retry(q, rate);
        },
        [this](head_atom) { return last_retry(); },
        [this](stop_atom) { return stop_retry(); },
        [this](drop_atom, const dead_letter_query& q) { return drop_all(q); },
        [this](dead_letter_atom, uint64_t number, uint64_t letters) {
          alert_failed(number, letters);
        },
    };
  }

 private:
  struct waiting {
    dead_letter letter;
    caf::typed_response_promise<void> promise;
  };

  caf::result<void> take(const dead_letter& x) {
    // Whoever lost patience while the store was away gives it once more.
    const auto same = std::ranges::find_if(
        queue_, [&x](const waiting& w) { return w.letter.id == x.id; });
    if (same != queue_.end()) {
      same->promise = self_->make_response_promise<void>();
      return same->promise;
    }
    const bool full = queue_.size() >= options_.queue_max;
    // One that is refused comes again, perhaps for hours.
    if (told_.erase(x.id) == 0)
      tell_of(x);
    if (full) {
      if (told_.size() >= most_told)
        told_.erase(told_.begin());
      told_.insert(x.id);
      return to_caf(ec::overloaded, "too many dead letters wait");
    }
    auto promise = self_->make_response_promise<void>();
    queue_.push_back({x, promise});
    pump();
    return promise;
  }

  void tell_of(const dead_letter& x) {
    ctx_.figures->dead_letter_added(x.origin);
    const auto said =
        fmt::format("dead letter {} from {} after {} attempts: {}",
                    to_string(x.id), x.origin, x.attempts, x.reason);
    if (x.event_id)
      log_event(*ctx_.log, spdlog::level::err, *x.event_id, "{}", said);
    else
      ctx_.log->error("{}", said);
    alert(x);
  }

  void pump() {
    if (busy_ || queue_.empty())
      return;
    busy_ = true;
    auto store = ctx_.peers->reader.get();
    if (!store) {
      later();
      return;
    }
    ask(self_, store, options_.timeout, dead_letter_atom_v,
        queue_.front().letter)
        .then(
            [this] {
              pauses_.reset();
              auto done = std::move(queue_.front());
              queue_.pop_front();
              busy_ = false;
              done.promise.deliver();
              pump();
            },
            [this](const caf::error& e) {
              auto why = from_caf(e);
              if (why.code != ec::row_refused) {
                later();
                return;
              }
              ctx_.log->critical("the store refuses dead letter {}: {}",
                                 to_string(queue_.front().letter.id),
                                 to_string(why));
              auto lost = std::move(queue_.front());
              queue_.pop_front();
              busy_ = false;
              lost.promise.deliver(to_caf(why));
              pump();
            });
  }

  void later() {
    run_after(self_, pauses_.next(*ctx_.random), [this] {
      busy_ = false;
      pump();
    });
  }

  void alert(const dead_letter& x) {
    const auto now = ctx_.time->now();
    if (!options_.alert || now < alert_after_) {
      ++not_told_;
      return;
    }
    // As if it were told: only what was not is heard of.
    alert_after_ = now + options_.alert_window;
    const auto before = std::exchange(not_told_, 0);
    options_.alert(x, before,
                   [peers = ctx_.peers, number = ++alerts_,
                    letters = before + 1](bool told) {
                     if (told)
                       return;
                     if (auto keeper = peers->dead_letters.get())
                       tell_anon(keeper, dead_letter_atom_v, number, letters);
                   });
  }

  void alert_failed(uint64_t number, uint64_t letters) {
    not_told_ += letters;
    // A later one has a window of its own.
    if (number == alerts_)
      alert_after_ =
          std::min(alert_after_, ctx_.time->now() + options_.alert_pause);
  }

  // -- back to where they came from ------------------------------------------

  caf::result<bool> retry_one(const uuid& id) {
    auto promise = self_->make_response_promise<bool>();
    const auto then = [promise](const expected<void>& r) mutable {
      if (r)
        promise.deliver(true);
      else
        promise.deliver(to_caf(r.error()));
    };
    returns_.retry(id, letter_returns::asked_by::people, then, then);
    return promise;
  }

  void retry_for_another(const uuid& id) {
    returns_.retry(
        id, letter_returns::asked_by::other_node, [](const expected<void>&) {},
        [this, id](const expected<void>& r) {
          if (r)
            ctx_.log->info("dead letter {} is retried for another node",
                           to_string(id));
        });
  }

  caf::result<dead_letter_retry> begin_retry(const dead_letter_query& q,
                                             double rate) {
    if (const auto other = notices_.theirs(); other && other->running)
      return to_caf(ec::conflict,
                    "another retry of dead letters is under way, at another "
                    "node");
    if (auto begun = many_.begin(q, rate); !begun)
      return to_caf(begun.error());
    return many_.state();
  }

  /// Of this node or of another one: the one under way, else the latest.
  dead_letter_retry last_retry() const {
    const auto& mine = many_.state();
    const auto other = notices_.theirs();
    const bool later = other && !mine.running &&
                       (other->running || other->started > mine.started);
    return later ? *other : mine;
  }

  dead_letter_retry stop_retry() {
    if (const auto other = notices_.theirs();
        other && other->running && !many_.state().running)
      notices_.stop_theirs();
    many_.stop();
    return last_retry();
  }

  caf::result<uint64_t> drop_all(const dead_letter_query& q) {
    auto promise = self_->make_response_promise<uint64_t>();
    letters_.drop_all(q, [promise](const expected<uint64_t>& dropped) mutable {
      if (dropped)
        promise.deliver(*dropped);
      else
        promise.deliver(to_caf(dropped.error()));
    });
    return promise;
  }

  dead_letters_actor::pointer self_;
  actor_context ctx_;
  dead_letters_options options_;
  stored_letters letters_;
  letter_returns returns_;
  retry_notices notices_;
  bulk_retry many_;
  backoff pauses_;
  std::shared_ptr<void> guard_;
  std::deque<waiting> queue_;
  /// Logged, counted, and then refused for want of room. By age, as ids are.
  std::set<uuid> told_;
  bool busy_ = false;
  timestamp alert_after_{};
  uint64_t alerts_ = 0;
  uint64_t not_told_ = 0;
};

} // namespace

dead_letter letter_of(const actor_context& ctx, const event& ev,
                      giving_up how) {
  auto& history = how.history;
  if (history.size() > dead_letter_history)
    history.erase(history.begin(), history.end() - static_cast<std::ptrdiff_t>(
                                                       dead_letter_history));
  dead_letter out;
  out.created_at = ctx.time->now();
  out.id = uuid::v7(out.created_at, *ctx.random);
  out.origin = std::move(how.origin);
  out.reason = std::move(how.reason);
  out.attempts = how.attempts;
  out.history = std::move(history);
  out.event_id = ev.id;
  out.event_seq = ev.seq;
  out.platform = ev.platform;
  out.event_type = ev.event_type;
  codec::append_native(out.body, ev);
  return out;
}

dead_letter refused_letter(const actor_context& ctx, std::string origin,
                           const event& ev, const error& why) {
  const auto reason = to_string(why);
  return letter_of(ctx, ev,
                   {std::move(origin), reason, 1, {{ctx.time->now(), reason}}});
}

dead_letters_actor spawn_dead_letters(caf::actor_system& sys, actor_context ctx,
                                      dead_letters_options options) {
  using impl =
      caf::stateful_actor<dead_letters_state, dead_letters_actor::impl>;
  return sys.spawn<impl>(std::move(ctx), options);
}

} // namespace eventweft
