// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/caf_compat.hpp"
#include "actors/context.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>

namespace eventweft::testing {

/// Types for CAF, made known before any system of it exists.
struct known_types {
  known_types() { init_message_types(); }
};

/// What arrived for somebody who asked.
template <class T>
struct asked {
  std::optional<T> value;
  std::optional<eventweft::error> failed;

  bool pending() const noexcept { return !value && !failed; }
};

template <>
struct asked<void> {
  bool value = false;
  std::optional<eventweft::error> failed;

  bool pending() const noexcept { return !value && !failed; }
};

/// An actor system that runs one message at a time, in the test's own thread,
/// when the test says so, with a clock that the test moves. Actors that are
/// meant to block are to be spawned on it as shared ones.
class deterministic : public ::testing::Test, private known_types {
 protected:
  struct config : caf::actor_system_config {
    config() { set("caf.scheduler.policy", "testing"); }
  };

  deterministic()
      : system(cfg),
        sched(dynamic_cast<caf::scheduler::test_coordinator&>(
            system.scheduler())) {
    ctx.peers = std::make_shared<directory>();
    ctx.status = std::make_shared<status_board>();
    ctx.figures = std::make_shared<metrics>();
    ctx.log = null_logger();
    ctx.time = time;
    ctx.random = std::make_shared<seeded_random>(1);
  }

  // Before the members of the test itself go, which actors may refer to.
  void TearDown() override {
    for (auto& h : spawned_)
      caf::anon_send_exit(h, caf::exit_reason::kill);
    spawned_.clear();
    ctx.peers->clear();
    // Whoever still waits for an answer is told by its time-out.
    do {
      run();
    } while (sched.trigger_timeout());
  }

  /// Remembers it, to end it with the test.
  template <class Handle>
  Handle keep(Handle h) {
    spawned_.push_back(caf::actor_cast<caf::actor>(h));
    return h;
  }

  /// Until nobody has anything to do without time passing.
  void run() {
    while (sched.try_run_once())
      ;
  }

  /// Lets time pass, step by step, so that what is due runs when it is due.
  void advance(std::chrono::milliseconds by) {
    auto step = std::chrono::milliseconds{5};
    run();
    while (by.count() > 0) {
      auto now = std::min(step, by);
      time->advance(now);
      sched.advance_time(now);
      run();
      by -= now;
    }
  }

  /// Asks, without running anything yet.
  template <class T, class Handle, class... Ts>
  std::shared_ptr<asked<T>> request(const Handle& to, Ts... xs) {
    auto out = std::make_shared<asked<T>>();
    auto run_it = [=](caf::event_based_actor* self) {
      auto pending = self->request(to, caf::infinite, xs...);
      auto failed = [out](const caf::error& e) { out->failed = from_caf(e); };
      if constexpr (std::is_void_v<T>)
        pending.then([out] { out->value = true; }, failed);
      else
        pending.then([out](T& x) { out->value = std::move(x); }, failed);
    };
    system.spawn(run_it);
    return out;
  }

  /// Ends an actor as if it had failed.
  template <class Handle>
  void crash(const Handle& who) {
    caf::anon_send(caf::actor_cast<caf::actor>(who),
                   caf::exit_msg{{}, to_caf(ec::internal, "a test's crash")});
  }

  std::shared_ptr<manual_clock> time = std::make_shared<manual_clock>(
      timestamp{std::chrono::seconds{1'800'000'000}});
  config cfg;
  caf::actor_system system;
  caf::scheduler::test_coordinator& sched;
  actor_context ctx;

 private:
  std::vector<caf::actor> spawned_;
};

} // namespace eventweft::testing
