// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "messages/event.hpp"
#include "messages/filter.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace eventweft {

/// What a follower lets through: events that match both.
struct followed_events {
  filter stream{};
  filter own{};
};

struct follower_options {
  /// For metrics and logs: "processors", "webhooks".
  std::string name = "follower";
  /// The most that one piece holds.
  uint32_t max_events = 500;
  uint64_t max_bytes = 1ull << 20;
  /// A piece without events is handed over only when it is that long or that
  /// old, so that who waits for something rare is not woken by each commit.
  uint32_t quiet_events = 1'000;
  std::chrono::milliseconds quiet_time{2'000};
};

/// Follows the log for a part of this process, at that part's pace: what its
/// filters let through, in order, without gap or double, from a cursor on. As
/// long as it is live, an event is tried once for all that follow the same.
/// What is new comes out of memory, what is older from the store; while the
/// store is away it waits. Holds two pieces at most, or what the hub gave it of
/// its memory at once; beyond that it leaves live mode and reads the log when
/// asked to.
///
/// Thread-safe. Must go before the actor system does.
class log_follower {
 public:
  /// Takes one piece for each `want`: the matching events, and in `last` how
  /// far the log was looked at. Called on any thread, possibly from within
  /// `want`; must return at once and not destroy the follower. Usually tells
  /// an actor.
  using sink = std::function<void(log_range_ptr)>;

  /// From what comes after `after`; negative: from the log's present end.
  log_follower(caf::actor_system& sys, actor_context ctx, followed_events what,
               seq_t after, follower_options options, sink deliver);
  ~log_follower();
  log_follower(const log_follower&) = delete;
  log_follower& operator=(const log_follower&) = delete;

  /// Asks for one further piece. Calls before that has come count once.
  void want();

  /// The stream's filter is another one, for what was found and not handed over
  /// yet, and for what comes after that.
  void change_stream(filter stream);

  /// How far the log was looked at without finding anything, if nothing that
  /// was found waits and no piece is on its way: to whoever asked for the next
  /// one, the same as a piece without events up to there. What then comes may
  /// begin further down.
  std::optional<seq_t> seen() const;

 private:
  class inner;
  std::shared_ptr<inner> inner_;
};

/// What all followers of a process share towards the hub; see
/// `actor_context::followers`.
class follower_lane;
std::shared_ptr<follower_lane> make_follower_lane();

} // namespace eventweft
