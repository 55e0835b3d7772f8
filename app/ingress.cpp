// SPDX-License-Identifier: Apache-2.0
#include "app/ingress.hpp"

#include "actors/asker.hpp"
#include "actors/caf_compat.hpp"
#include "app/question.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

constexpr std::chrono::milliseconds tick_interval{100};
/// How often and how far apart a platform's worker is looked for while all of
/// them restart.
constexpr unsigned worker_attempts = 100;
constexpr std::chrono::milliseconds worker_pause{50};

} // namespace

/// One webhook on its way. Owned by the messages and handlers that will answer
/// it; if the last of them goes without an answer, their actor died.
class ingress_call final : public ask_job {
 public:
  ingress_call(std::shared_ptr<ingress> gate, uint64_t id, webhook_ptr w,
               net::reply_to<webhook_answer> reply, timestamp since,
               unsigned attempt)
      : gate_(std::move(gate)),
        id_(id),
        webhook_(std::move(w)),
        platform_(webhook_->platform),
        reply_(std::move(reply)),
        since_(since),
        attempt_(attempt) {}

  ~ingress_call() override {
    if (!finished_.load())
      lost();
  }

  void run(asker_actor::pointer self) override {
    auto me = std::static_pointer_cast<ingress_call>(shared_from_this());
    auto worker = gate_->ctx_.peers->platform(webhook_->platform);
    if (!worker) {
      if (++looked_ < worker_attempts && !finished_.load())
        run_after(self, worker_pause, [me, self] { me->run(self); });
      else
        finish(fail(ec::overloaded, "the platform's workers are restarting"));
      return;
    }
    // The gate's sweep is this request's deadline.
    ask_untimed(self, worker, webhook_)
        .then([me](webhook_answer& a) { me->finish(std::move(a)); },
              [me, self](const caf::error& e) {
                if (is_actor_gone(e))
                  me->again(self);
                else
                  me->finish(tl::unexpected{from_caf(e)});
              });
  }

  /// The first outcome is the one.
  void finish(expected<webhook_answer> outcome) {
    if (finished_.exchange(true))
      return;
    auto& figures = *gate_->ctx_.figures;
    if (outcome)
      figures.stage_took(stage::ingest, gate_->ctx_.time->now() - since_);
    else if (outcome.error().code == ec::unauthorized)
      gate_->refusals_.refused(platform_, outcome.error());
    gate_->done(id_);
    std::exchange(reply_, nullptr)(std::move(outcome));
  }

  timestamp since() const noexcept { return since_; }
  const std::string& platform() const noexcept { return platform_; }

 private:
  /// The worker died under it: once more, when there may be another one.
  void again(asker_actor::pointer self) {
    if (attempt_++ > 1) {
      finish(fail(ec::overloaded, "an inner part is restarting"));
      return;
    }
    auto me = std::static_pointer_cast<ingress_call>(shared_from_this());
    run_after(self, restart_pause, [me, self] { me->run(self); });
  }

  /// The asker died under it: to another one, if it was the first time.
  void lost() {
    if (attempt_ > 1) {
      finish(fail(ec::overloaded, "an inner part is restarting"));
      return;
    }
    if (finished_.exchange(true))
      return;
    gate_->again({std::move(webhook_), std::exchange(reply_, nullptr), since_});
    gate_->done(id_);
  }

  std::shared_ptr<ingress> gate_;
  uint64_t id_;
  webhook_ptr webhook_;
  // Outlives the webhook, which is handed on when the asker dies.
  std::string platform_;
  net::reply_to<webhook_answer> reply_;
  timestamp since_;
  unsigned attempt_;
  unsigned looked_ = 0;
  std::atomic<bool> finished_ = false;
};

/// Keeps the deadlines while there is anything to keep them for.
class ingress_tick final : public ask_job {
 public:
  explicit ingress_tick(std::shared_ptr<ingress> gate)
      : gate_(std::move(gate)) {}

  // Also when its asker died: the next webhook starts another one.
  ~ingress_tick() override {
    if (ended_)
      return;
    std::lock_guard guard{gate_->mutex_};
    gate_->ticking_ = false;
  }

  void run(asker_actor::pointer self) override {
    auto me = std::static_pointer_cast<ingress_tick>(shared_from_this());
    run_after(self, tick_interval, [me, self] {
      me->gate_->sweep();
      me->ended_ = me->gate_->stop_ticking_if_idle();
      if (!me->ended_)
        me->run(self);
    });
  }

 private:
  std::shared_ptr<ingress> gate_;
  bool ended_ = false;
};

ingress::ingress(actor_context ctx, ingress_options options)
    : ctx_(std::move(ctx)),
      options_(std::move(options)),
      refusals_(ctx_.log, ctx_.time) {}

void ingress::accept(webhook_ptr w, net::reply_to<webhook_answer> reply) {
  waiter x{std::move(w), std::move(reply), ctx_.time->now()};
  std::unique_lock guard{mutex_};
  if (refusing_) {
    guard.unlock();
    x.reply(fail(ec::shutting_down, "the server is stopping"));
  } else if (waiting_.empty() && running_.size() < options_.max_in_flight) {
    const auto call = enter(std::move(x), 1);
    guard.unlock();
    launch(call);
  } else if (waiting_.size() < options_.max_waiting) {
    waiting_.push_back(std::move(x));
  } else {
    guard.unlock();
    x.reply(fail(ec::overloaded, "too many webhooks wait"));
  }
}

ingress::call_ptr ingress::enter(waiter w, unsigned attempt) {
  auto id = ++last_id_;
  auto call = std::make_shared<ingress_call>(
      shared_from_this(), id, std::move(w.request), std::move(w.reply), w.since,
      attempt);
  running_.emplace(id, call);
  ctx_.figures->set_ingest_in_flight(running_.size());
  return call;
}

void ingress::launch(const call_ptr& call) {
  if (auto asker = ctx_.peers->askers.next())
    tell_anon(asker, ask_job_ptr{call});
  else
    call->finish(fail(ec::overloaded, "an inner part is restarting"));
  keep_ticking();
}

void ingress::again(waiter w) {
  call_ptr call;
  {
    std::lock_guard guard{mutex_};
    call = enter(std::move(w), 2);
  }
  launch(call);
}

void ingress::done(uint64_t id) {
  call_ptr next;
  {
    std::lock_guard guard{mutex_};
    running_.erase(id);
    if (!waiting_.empty() && running_.size() < options_.max_in_flight) {
      next = enter(std::move(waiting_.front()), 1);
      waiting_.pop_front();
    } else {
      ctx_.figures->set_ingest_in_flight(running_.size());
    }
  }
  if (next)
    launch(next);
}

void ingress::sweep() {
  auto now = ctx_.time->now();
  std::vector<waiter> late;
  std::vector<std::shared_ptr<ingress_call>> stuck;
  {
    std::lock_guard guard{mutex_};
    // Not only the first ones: who came later may have less time.
    const auto is_late = [&](const waiter& w) {
      return now - w.since >=
             std::min(options_.max_wait, limit_of(w.request->platform));
    };
    for (auto& w : waiting_)
      if (is_late(w))
        late.push_back(std::move(w));
    std::erase_if(waiting_, [](const waiter& w) { return !w.request; });
    for (const auto& [id, weak] : running_)
      if (auto call = weak.lock();
          call && now - call->since() >= limit_of(call->platform()))
        stuck.push_back(std::move(call));
  }
  for (auto& w : late)
    w.reply(fail(ec::overloaded, "too many webhooks are in flight"));
  for (auto& call : stuck)
    call->finish(fail(ec::overloaded,
                      "storing took longer than the sender waits; the event "
                      "may be stored, and a redelivery is safe"));
}

std::chrono::milliseconds ingress::limit_of(std::string_view platform) const {
  auto found = options_.answer_within.find(platform);
  if (found == options_.answer_within.end())
    return options_.timeout;
  return std::min(options_.timeout,
                  std::max(found->second - tick_interval, tick_interval));
}

void ingress::keep_ticking() {
  {
    std::lock_guard guard{mutex_};
    if (std::exchange(ticking_, true))
      return;
  }
  auto tick = std::make_shared<ingress_tick>(shared_from_this());
  if (auto asker = ctx_.peers->askers.next())
    tell_anon(asker, ask_job_ptr{tick});
}

bool ingress::stop_ticking_if_idle() {
  std::lock_guard guard{mutex_};
  if (!running_.empty() || !waiting_.empty())
    return false;
  ticking_ = false;
  return true;
}

void ingress::refuse() {
  std::lock_guard guard{mutex_};
  refusing_ = true;
}

size_t ingress::size() const {
  std::lock_guard guard{mutex_};
  return running_.size() + waiting_.size();
}

} // namespace eventweft
