// SPDX-License-Identifier: Apache-2.0
#include "actors/dead_letters.hpp"

#include "actors/backoff.hpp"
#include "actors/caf_compat.hpp"
#include "actors/retry_elsewhere.hpp"
#include "codec/event_json.hpp"
#include "codec/payload.hpp"
#include "correlation/engine.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

class dead_letters_state {
 public:
  static inline constexpr const char* name = "dead_letters";

  dead_letters_state(dead_letters_actor::pointer self, actor_context ctx,
                     dead_letters_options options)
      : self_(self),
        ctx_(std::move(ctx)),
        options_(options),
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
        [this](head_atom) { return retry_; },
        [this](stop_atom) {
          end_retry();
          return retry_;
        },
        [this](drop_atom, const dead_letter_query& q) { return drop_all(q); },
    };
  }

 private:
  struct waiting {
    dead_letter letter;
    caf::typed_response_promise<void> promise;
  };

  caf::result<void> take(const dead_letter& x) {
    ctx_.figures->dead_letter_added(x.origin);
    const auto said =
        fmt::format("dead letter {} from {} after {} attempts: {}",
                    to_string(x.id), x.origin, x.attempts, x.reason);
    if (x.event_id)
      log_event(*ctx_.log, spdlog::level::err, *x.event_id, "{}", said);
    else
      ctx_.log->error("{}", said);
    alert(x);
    if (queue_.size() >= options_.queue_max)
      return to_caf(ec::overloaded, "too many dead letters wait");
    auto promise = self_->make_response_promise<void>();
    queue_.push_back({x, promise});
    pump();
    return promise;
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
    ++since_alert_;
    const auto now = ctx_.time->now();
    if (!options_.alert ||
        (alerted_ != timestamp{} && now - alerted_ < options_.alert_window))
      return;
    alerted_ = now;
    options_.alert(x, std::exchange(since_alert_, 0) - 1);
  }

  // -- back to where they came from ------------------------------------------

  using ended = std::function<void(expected<void>)>;
  enum class asked_by : uint8_t { people, other_node };

  /// Nodes may have different processors.
  bool may_be_elsewhere(const error& why) const {
    return why.code == ec::not_owner ||
           (why.code == ec::not_found && ctx_.others->hears_replies());
  }

  caf::result<bool> retry_one(const uuid& id) {
    auto promise = self_->make_response_promise<bool>();
    const ended done = [promise](expected<void> r) mutable {
      if (r)
        promise.deliver(true);
      else
        promise.deliver(to_caf(r.error()));
    };
    find(id, [this, done](expected<dead_letter> found) {
      if (found)
        hand_back(*found, done);
      else
        done(fail(found.error()));
    });
    return promise;
  }

  // Notices come more than once.
  void retry_for_another(const uuid& id) {
    if (!for_others_.insert(id).second)
      return;
    const ended done = [this, id](const expected<void>& r) {
      for_others_.erase(id);
      if (r)
        ctx_.log->info("dead letter {} is retried for another node",
                       to_string(id));
    };
    find(id, [this, done](const expected<dead_letter>& found) {
      if (found)
        hand_back(*found, done, asked_by::other_node);
      else
        done(fail(found.error()));
    });
  }

  void find(const uuid& id, std::function<void(expected<dead_letter>)> then) {
    dead_letter_query q;
    q.id = id;
    q.limit = 1;
    list(q, [then](expected<std::vector<dead_letter>> found) {
      if (!found)
        then(fail(found.error()));
      else if (found->empty())
        then(fail(ec::not_found, "there is no such dead letter"));
      else
        then(std::move(found->front()));
    });
  }

  void list(const dead_letter_query& q,
            std::function<void(expected<std::vector<dead_letter>>)> then) {
    auto reader = ctx_.peers->reader.get();
    if (!reader) {
      then(fail(ec::overloaded, "the store's readers restart"));
      return;
    }
    ask(self_, reader, options_.timeout, list_atom_v, q)
        .then([then](std::vector<dead_letter>& x) { then(std::move(x)); },
              [then](const caf::error& e) { then(fail(from_caf(e))); });
  }

  void hand_back(const dead_letter& x, ended then,
                 asked_by who = asked_by::people) {
    const auto kind = origin_kind(x.origin);
    const auto forget = [this, id = x.id, then] { drop(id, then); };
    const auto failed = [this, id = x.id, then, who](const caf::error& e) {
      const auto why = from_caf(e);
      if (who == asked_by::people && may_be_elsewhere(why))
        retry_elsewhere(self_, ctx_, id, why, then);
      else
        then(fail(why));
    };
    if (auto taker = ctx_.peers->letter_taker(kind)) {
      ask(self_, taker, options_.timeout, retry_atom_v, x).then(forget, failed);
      return;
    }
    if (kind != "store" && kind != "spool") {
      then(fail(ec::unprocessable,
                "nobody here takes back dead letters of " + std::string{kind}));
      return;
    }
    auto ev = codec::parse_native(x.body);
    auto writer = ctx_.peers->writer.get();
    if (!ev || !writer) {
      then(ev ? fail(ec::overloaded, "the storage writer restarts")
              : fail(ec::unprocessable,
                     "the dead letter holds no event: " + ev.error().message));
      return;
    }
    ev->seq = 0;
    if (ctx_.rules) {
      codec::payload_reader payload;
      ev->keys = ctx_.rules->keys_of_late(*ev, payload);
    }
    ask(self_, writer, options_.timeout, append_atom_v,
        event_ptr{std::move(*ev)})
        .then([forget](const append_outcome&) { forget(); }, failed);
  }

  void drop(const uuid& id, ended then) {
    auto reader = ctx_.peers->reader.get();
    if (!reader) {
      then(fail(ec::overloaded, "the store's readers restart"));
      return;
    }
    ask(self_, reader, options_.timeout, drop_atom_v, id)
        .then([then](bool) { then({}); },
              [then](const caf::error& e) { then(fail(from_caf(e))); });
  }

  caf::result<dead_letter_retry> begin_retry(const dead_letter_query& q,
                                             double rate) {
    if (retry_.running)
      return to_caf(ec::conflict, "another retry of dead letters is under way");
    retry_ = {};
    retry_.running = true;
    retry_.started = ctx_.time->now();
    retry_.what = q;
    retry_.rate = rate;
    ++retry_epoch_;
    page_ = q;
    // What fails again comes back as a newer letter, which is not looked at.
    page_.limit = page_size;
    page_.bodies = false;
    next_page(retry_epoch_);
    return retry_;
  }

  void next_page(uint64_t epoch) {
    list(page_, [this, epoch](expected<std::vector<dead_letter>> found) {
      if (epoch != retry_epoch_ || !retry_.running)
        return;
      if (!found) {
        retry_.last_error = to_string(found.error());
        run_after(self_, options_.retry_max,
                  [this, epoch] { next_page(epoch); });
        return;
      }
      if (found->empty()) {
        end_retry();
        return;
      }
      page_.before = found->back().id;
      for (const auto& letter : *found)
        to_retry_.push_back(letter.id);
      next_letter(epoch);
    });
  }

  void next_letter(uint64_t epoch) {
    if (epoch != retry_epoch_ || !retry_.running)
      return;
    if (to_retry_.empty()) {
      next_page(epoch);
      return;
    }
    // One at a time: bodies may be large.
    find(to_retry_.front(), [this, epoch](expected<dead_letter> found) {
      if (epoch != retry_epoch_ || !retry_.running)
        return;
      if (!found && found.error().code != ec::not_found) {
        retry_.last_error = to_string(found.error());
        run_after(self_, options_.retry_max,
                  [this, epoch] { next_letter(epoch); });
        return;
      }
      to_retry_.pop_front();
      // Somebody else may have retried or dropped it by now.
      if (found)
        hand_back_next(*found, epoch);
      else
        next_letter(epoch);
    });
  }

  void hand_back_next(const dead_letter& letter, uint64_t epoch) {
    hand_back(letter, [this, epoch](const expected<void>& r) {
      if (epoch != retry_epoch_)
        return;
      if (r) {
        ++retry_.retried;
      } else {
        ++retry_.failed;
        retry_.last_error = to_string(r.error());
      }
      auto pause = std::chrono::milliseconds{0};
      // Rounded up: it is the most that there may be.
      if (retry_.rate > 0)
        pause = std::chrono::ceil<std::chrono::milliseconds>(
            std::chrono::duration<double>{1 / retry_.rate});
      // Whoever has too much to do gets some time.
      if (!r && r.error().code == ec::overloaded)
        pause = std::max(pause, options_.retry_min);
      if (pause.count() > 0)
        run_after(self_, pause, [this, epoch] { next_letter(epoch); });
      else
        next_letter(epoch);
    });
  }

  void end_retry() {
    if (!std::exchange(retry_.running, false))
      return;
    to_retry_.clear();
    ctx_.log->info("dead letters: {} retried, {} could not be", retry_.retried,
                   retry_.failed);
  }

  caf::result<uint64_t> drop_all(const dead_letter_query& q) {
    auto promise = self_->make_response_promise<uint64_t>();
    auto page = q;
    page.limit = page_size;
    page.bodies = false;
    drop_page(page, 0, promise);
    return promise;
  }

  void drop_page(const dead_letter_query& page, uint64_t dropped,
                 caf::typed_response_promise<uint64_t> promise) {
    list(page, [this, page, dropped,
                promise](expected<std::vector<dead_letter>> found) mutable {
      if (!found) {
        promise.deliver(to_caf(found.error()));
        return;
      }
      if (found->empty()) {
        promise.deliver(dropped);
        return;
      }
      auto next = page;
      next.before = found->back().id;
      auto missing = std::make_shared<size_t>(found->size());
      auto count = std::make_shared<uint64_t>(dropped);
      for (const auto& letter : *found)
        drop(letter.id, [this, next, missing, count,
                         promise](const expected<void>& r) mutable {
          if (*missing == 0)
            return;
          if (!r) {
            *missing = 0;
            promise.deliver(to_caf(r.error()));
            return;
          }
          ++*count;
          if (--*missing == 0)
            drop_page(next, *count, promise);
        });
    });
  }

  static constexpr size_t page_size = 100;

  dead_letters_actor::pointer self_;
  actor_context ctx_;
  dead_letters_options options_;
  backoff pauses_;
  std::shared_ptr<void> guard_;
  std::deque<waiting> queue_;
  bool busy_ = false;
  timestamp alerted_{};
  uint64_t since_alert_ = 0;
  dead_letter_retry retry_;
  uint64_t retry_epoch_ = 0;
  dead_letter_query page_;
  std::deque<uuid> to_retry_;
  /// Under way.
  std::set<uuid> for_others_;
};

} // namespace

dead_letter refused_letter(const actor_context& ctx, std::string origin,
                           const event& ev, const error& why) {
  dead_letter out;
  out.created_at = ctx.time->now();
  out.id = uuid::v7(out.created_at, *ctx.random);
  out.origin = std::move(origin);
  out.reason = to_string(why);
  out.history = {{out.created_at, out.reason}};
  out.event_id = ev.id;
  out.platform = ev.platform;
  out.event_type = ev.event_type;
  codec::append_native(out.body, ev);
  return out;
}

dead_letters_actor spawn_dead_letters(caf::actor_system& sys, actor_context ctx,
                                      dead_letters_options options) {
  using impl =
      caf::stateful_actor<dead_letters_state, dead_letters_actor::impl>;
  return sys.spawn<impl>(std::move(ctx), options);
}

} // namespace eventweft
