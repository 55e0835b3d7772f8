// SPDX-License-Identifier: Apache-2.0
#include "actors/supervisor.hpp"

#include "actors/caf_compat.hpp"
#include "messages/backoff.hpp"

#include <algorithm>
#include <deque>
#include <utility>

namespace eventweft {

namespace {

class supervisor_state {
 public:
  static inline constexpr const char* name = "supervisor";

  supervisor_state(supervisor_actor::pointer self, actor_context ctx,
                   supervisor_options options, std::vector<child_spec> children)
      : self_(self), ctx_(std::move(ctx)), options_(std::move(options)) {
    if (!options_.board)
      options_.board = std::make_shared<actor_board>();
    for (auto& spec : children)
      add(std::move(spec));
  }

  supervisor_actor::behavior_type make_behavior() {
    on_down(self_, [this](const caf::actor_addr& who, const caf::error& why) {
      lost(who, why);
    });
    for (auto& c : children_)
      start(c);
    return {
        [](ready_atom) {},
        [this](put_atom, const child_spec_ptr& spec) { put(*spec); },
        [this](stop_atom, uint32_t deadline) { return stop(deadline); },
    };
  }

 private:
  struct child {
    child_spec spec;
    caf::actor handle;
    timestamp restarted{};
    backoff pauses;
  };

  child& add(child_spec spec) {
    options_.board->add(spec.name, std::string{to_string(spec.phase)});
    children_.push_back({std::move(spec),
                         {},
                         {},
                         backoff{options_.restart_min, options_.restart_max}});
    return children_.back();
  }

  void put(const child_spec& spec) {
    if (!stopping_ && !escalated_ && wanted(spec))
      start(add(spec));
  }

  static bool wanted(const child_spec& spec) {
    return !spec.wanted || spec.wanted();
  }

  void start(child& c) {
    c.handle = c.spec.start();
    self_->monitor(c.handle);
    options_.board->running(number_of(c), ctx_.time->now());
  }

  size_t number_of(const child& c) const noexcept {
    return static_cast<size_t>(&c - children_.data());
  }

  void lost(const caf::actor_addr& who, const caf::error& why) {
    auto i = std::find_if(children_.begin(), children_.end(),
                          [&who](const child& c) {
                            return c.handle && c.handle.address() == who;
                          });
    if (i == children_.end())
      return;
    i->handle = nullptr;
    i->spec.gone();
    if (stopping_ || !wanted(i->spec)) {
      options_.board->ended(number_of(*i), ctx_.time->now());
      if (stopping_)
        continue_stop();
      return;
    }
    if (escalated_)
      return;
    options_.board->restarting(number_of(*i), caf::to_string(why),
                               ctx_.time->now());
    ctx_.log->error("actor {} ended: {}", i->spec.name, caf::to_string(why));
    if (too_many()) {
      escalated_ = true;
      auto text = "actors were restarted " +
                  std::to_string(options_.max_restarts) +
                  " times in a short while, the last one is " + i->spec.name +
                  ": giving up";
      ctx_.log->critical("{}", text);
      if (options_.escalate)
        options_.escalate(std::move(text));
      return;
    }
    auto now = ctx_.time->now();
    if (now - i->restarted > options_.restart_window)
      i->pauses.reset();
    i->restarted = now;
    auto index = static_cast<size_t>(i - children_.begin());
    run_after(self_, i->pauses.next(*ctx_.random), [this, index] {
      if (stopping_)
        return;
      auto& c = children_[index];
      if (!wanted(c.spec)) {
        options_.board->ended(number_of(c), ctx_.time->now());
        return;
      }
      ctx_.figures->actor_restarted(c.spec.name);
      ctx_.log->warn("actor {} restarts", c.spec.name);
      start(c);
    });
  }

  bool too_many() {
    auto now = ctx_.time->now();
    restarts_.push_back(now);
    while (now - restarts_.front() > options_.restart_window)
      restarts_.pop_front();
    return restarts_.size() > options_.max_restarts;
  }

  // -- the end ---------------------------------------------------------------

  caf::result<void> stop(uint32_t deadline) {
    auto promise = self_->make_response_promise<void>();
    stopped_.push_back(promise);
    if (std::exchange(stopping_, true))
      return promise;
    run_after(self_, std::chrono::milliseconds{deadline}, [this] {
      ctx_.log->warn("not all parts ended in time");
      for (auto& c : children_)
        if (c.handle)
          end_actor(c.handle, caf::exit_reason::kill);
      finish();
    });
    third_ = std::chrono::milliseconds{std::max(deadline / 3, 1u)};
    stop_by_ = ctx_.time->now() + std::chrono::milliseconds{deadline};
    enter_phase();
    return promise;
  }

  void enter_phase() {
    if (phase_ >= stop_phase_count) {
      finish();
      return;
    }
    auto phase = static_cast<stop_phase>(phase_);
    if (phase == stop_phase::streams && options_.end_subscriptions)
      options_.end_subscriptions();
    if (phase == stop_phase::writer &&
        flush(ctx_.peers->writer.get(), third_, flush_atom_v))
      return;
    if (phase == stop_phase::processors) {
      // Handlers may take what the writer left; a third is for what follows.
      const auto left = std::chrono::floor<std::chrono::milliseconds>(
          stop_by_ - ctx_.time->now());
      const auto within = std::max(left - third_, std::chrono::milliseconds{1});
      if (flush(ctx_.peers->engine.get(), within, flush_atom_v,
                static_cast<uint32_t>(within.count())))
        return;
    }
    end_phase();
  }

  /// Ends the phase once `who` has flushed; false if there is nobody.
  template <class Handle, class... Ts>
  bool flush(const Handle& who, std::chrono::milliseconds within,
             const Ts&... xs) {
    if (!who)
      return false;
    flushing_ = true;
    auto go_on = [this] {
      flushing_ = false;
      end_phase();
    };
    ask(self_, who, within, xs...)
        .then(go_on, [this, go_on](const caf::error& e) {
          ctx_.log->warn("a flush failed: {}", to_string(from_caf(e)));
          go_on();
        });
    return true;
  }

  void end_phase() {
    for (auto& c : children_)
      if (in_phase(c) && c.handle)
        end_actor(c.handle, caf::exit_reason::user_shutdown);
    continue_stop();
  }

  void continue_stop() {
    if (finished_ || flushing_)
      return;
    if (std::any_of(children_.begin(), children_.end(),
                    [this](const child& c) { return in_phase(c) && c.handle; }))
      return;
    ++phase_;
    enter_phase();
  }

  bool in_phase(const child& c) const noexcept {
    return static_cast<size_t>(c.spec.phase) == phase_;
  }

  void finish() {
    if (std::exchange(finished_, true))
      return;
    ctx_.peers->clear();
    for (auto& promise : stopped_)
      promise.deliver();
    self_->quit();
  }

  supervisor_actor::pointer self_;
  actor_context ctx_;
  supervisor_options options_;
  std::vector<child> children_;
  std::deque<timestamp> restarts_;
  bool escalated_ = false;

  bool stopping_ = false;
  bool flushing_ = false;
  bool finished_ = false;
  size_t phase_ = 0;
  /// Of the time that there was for everything.
  std::chrono::milliseconds third_{};
  timestamp stop_by_{};
  std::vector<caf::typed_response_promise<void>> stopped_;
};

} // namespace

std::string_view to_string(stop_phase p) noexcept {
  switch (p) {
  case stop_phase::edges:
    return "edges";
  case stop_phase::writer:
    return "writer";
  case stop_phase::processors:
    return "processors";
  case stop_phase::streams:
    return "streams";
  case stop_phase::readers:
    return "readers";
  case stop_phase::workers:
    return "workers";
  default:
    return "other";
  }
}

supervisor_actor spawn_supervisor(caf::actor_system& sys, actor_context ctx,
                                  supervisor_options options,
                                  std::vector<child_spec> children) {
  using impl = caf::stateful_actor<supervisor_state, supervisor_actor::impl>;
  return sys.spawn<impl>(std::move(ctx), std::move(options),
                         std::move(children));
}

} // namespace eventweft
