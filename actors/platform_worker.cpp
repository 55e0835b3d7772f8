// SPDX-License-Identifier: Apache-2.0
#include "actors/platform_worker.hpp"

#include "actors/caf_compat.hpp"
#include "actors/dead_letters.hpp"
#include "codec/payload.hpp"
#include "correlation/engine.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

/// How often and how far apart the writer is tried while it restarts.
constexpr unsigned writer_attempts = 40;
constexpr std::chrono::milliseconds writer_pause{50};
constexpr std::chrono::milliseconds letter_timeout{60'000};

/// A webhook whose events are on their way to the log.
struct job {
  platforms::acceptance accepted;
  std::vector<event_ptr> events;
  std::vector<platforms::event_outcome> outcomes;
  size_t missing = 0;
  /// For each event whether a handler's reply is waited for; that counts among
  /// the missing. What came is in `accepted.replies`.
  std::vector<bool> awaiting;
  caf::typed_response_promise<webhook_answer> promise;
};

using job_ptr = std::shared_ptr<job>;

class platform_worker_state {
 public:
  static inline constexpr const char* name = "platform_worker";

  platform_worker_state(platform_actor::pointer self, actor_context ctx,
                        platforms::platform_ptr platform,
                        processing::registry_ptr processors)
      : self_(self),
        ctx_(std::move(ctx)),
        platform_(std::move(platform)),
        processors_(std::move(processors)) {}

  platform_actor::behavior_type make_behavior() {
    return {
        [this](const webhook_ptr& w) -> caf::result<webhook_answer> {
          return take(*w);
        },
    };
  }

 private:
  caf::result<webhook_answer> take(const webhook& w) {
    auto& figures = *ctx_.figures;
    auto begin = ctx_.time->now();
    auto accepted = platform_->accept(w);
    figures.stage_took(stage::verify_and_parse, ctx_.time->now() - begin);
    if (!accepted) {
      figures.event_received(platform_->name());
      figures.event_failed(platform_->name(), accepted.error().code);
      return to_caf(accepted.error());
    }
    if (accepted->answer)
      return std::move(*accepted->answer);
    auto work = std::make_shared<job>();
    work->accepted = std::move(*accepted);
    work->missing = work->accepted.events.size();
    if (work->missing == 0)
      return platform_->answer(work->accepted, {});
    work->promise = self_->make_response_promise<webhook_answer>();
    work->outcomes.resize(work->missing, fail(ec::internal, "no outcome"));
    work->events.reserve(work->missing);
    for (auto& ev : work->accepted.events) {
      figures.event_received(ev.platform);
      if (ctx_.rules)
        read_keys(ev);
      log_event(*ctx_.log, ev.id, "read: {} {}, delivery {}", ev.platform,
                ev.event_type, ev.event_id);
      work->events.emplace_back(std::move(ev));
    }
    // Before anything is stored: a handler may be quicker than we are.
    await_replies(work, w.received_at);
    for (size_t i = 0; i < work->events.size(); ++i)
      store(work, i, 1);
    return work->promise;
  }

  void read_keys(event& ev) {
    auto begin = ctx_.time->now();
    ev.keys = ctx_.rules->keys(ev, codec::thread_payload_reader());
    ctx_.figures->stage_took(stage::correlate, ctx_.time->now() - begin);
  }

  // -- a handler's reply -----------------------------------------------------

  void await_replies(const job_ptr& work, timestamp received) {
    work->awaiting.resize(work->events.size());
    work->accepted.replies.resize(work->events.size());
    if (!processors_)
      return;
    const auto engine = ctx_.peers->engine.get();
    const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(
        ctx_.time->now() - received);
    const auto limit = platform_->reply_within() - waited;
    if (!engine || limit.count() <= 0)
      return;
    for (size_t i = 0; i < work->events.size(); ++i) {
      const auto& ev = work->events[i];
      if (!processors_->answers(*ev))
        continue;
      work->awaiting[i] = true;
      ++work->missing;
      ask(self_, engine, limit, answer_atom_v, ev)
          .then(
              [this, work, i](processing::reply& r) {
                if (work->awaiting[i])
                  work->accepted.replies[i] =
                      webhook_answer{r.status,
                                     std::move(r.content_type),
                                     {},
                                     std::move(r.body)};
                replied(work, i, "replied");
              },
              [this, work, i](const caf::error& e) {
                const bool late = from_caf(e).code == ec::timed_out;
                replied(work, i, late ? "late" : "silent");
              });
      // One webhook has one answer, the items of a batch have one each.
      if (!work->accepted.batch)
        return;
    }
  }

  void replied(const job_ptr& work, size_t index, std::string_view result) {
    if (!work->awaiting[index])
      return;
    work->awaiting[index] = false;
    ctx_.figures->answer_awaited(platform_->name(), result);
    finish_one(work);
  }

  // -- storing ---------------------------------------------------------------

  void store(const job_ptr& work, size_t index, unsigned attempt) {
    auto writer = ctx_.peers->writer.get();
    if (!writer) {
      store_later(work, index, attempt);
      return;
    }
    // The bridge keeps the deadline of the whole webhook.
    ask_untimed(self_, writer, append_atom_v, work->events[index])
        .then(
            [this, work, index](const append_outcome& outcome) {
              settle(work, index, outcome);
            },
            [this, work, index, attempt](const caf::error& e) {
              if (is_actor_gone(e))
                store_later(work, index, attempt);
              else
                settle(work, index, tl::unexpected{from_caf(e)});
            });
  }

  void store_later(const job_ptr& work, size_t index, unsigned attempt) {
    if (attempt >= writer_attempts) {
      settle(work, index,
             fail(ec::overloaded, "the storage writer is restarting"));
      return;
    }
    run_after(self_, writer_pause, [this, work, index, attempt] {
      store(work, index, attempt + 1);
    });
  }

  void settle(const job_ptr& work, size_t index,
              platforms::event_outcome outcome) {
    if (!outcome) {
      ctx_.figures->event_failed(work->events[index]->platform,
                                 outcome.error().code);
      if (outcome.error().code == ec::row_refused)
        keep_refused(*work->events[index], outcome.error());
    }
    // Nobody will handle it now: it was handled before, will be when it is in
    // the log, or is not there.
    if (!outcome || outcome->duplicate || outcome->spooled)
      replied(work, index, "silent");
    if (outcome)
      log_event(*ctx_.log, work->events[index]->id, "{} as {}, seq {}",
                outcome->duplicate ? "known" : "acknowledged",
                to_string(outcome->id), outcome->seq);
    else
      log_event(*ctx_.log, work->events[index]->id, "not stored: {}",
                to_string(outcome.error()));
    work->outcomes[index] = std::move(outcome);
    finish_one(work);
  }

  // The sender is told; but whoever sends webhooks seldom looks at that.
  void keep_refused(const event& ev, const error& why) {
    auto keeper = ctx_.peers->dead_letters.get();
    if (!keeper) {
      log_event(*ctx_.log, spdlog::level::err, ev.id,
                "refused by the store, and not kept: the keeper of dead "
                "letters restarts");
      return;
    }
    ask(self_, keeper, letter_timeout, dead_letter_atom_v,
        refused_letter(ctx_, "store", ev, why))
        .then([] {},
              [log = ctx_.log, id = ev.id](const caf::error& e) {
                log_event(*log, spdlog::level::err, id,
                          "refused by the store, and not kept: {}",
                          to_string(from_caf(e)));
              });
  }

  void finish_one(const job_ptr& work) {
    if (--work->missing > 0)
      return;
    const bool stored = std::all_of(
        work->outcomes.begin(), work->outcomes.end(),
        [](const platforms::event_outcome& o) { return o.has_value(); });
    auto& replies = work->accepted.replies;
    const auto reply = std::ranges::find_if(
        replies, [](const auto& r) { return r.has_value(); });
    if (!work->accepted.batch && stored && reply != replies.end())
      work->promise.deliver(std::move(**reply));
    else
      work->promise.deliver(platform_->answer(work->accepted, work->outcomes));
  }

  platform_actor::pointer self_;
  actor_context ctx_;
  platforms::platform_ptr platform_;
  processing::registry_ptr processors_;
};

} // namespace

platform_actor spawn_platform_worker(caf::actor_system& sys, actor_context ctx,
                                     platforms::platform_ptr platform,
                                     processing::registry_ptr processors) {
  using impl = caf::stateful_actor<platform_worker_state, platform_actor::impl>;
  return sys.spawn<impl>(std::move(ctx), std::move(platform),
                         std::move(processors));
}

} // namespace eventweft
