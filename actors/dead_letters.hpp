// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "messages/dead_letter.hpp"
#include "messages/protocols.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace eventweft {

struct dead_letters_options {
  /// Letters that may wait for the store; beyond that: `overloaded`.
  uint32_t queue_max = 10'000;
  std::chrono::milliseconds retry_min{100};
  std::chrono::milliseconds retry_max{5'000};
  std::chrono::milliseconds timeout{60'000};
  /// Called with the first letter of each window. One that is not told opens
  /// no window and counts for the next one. May be empty.
  dead_letter_alert alert;
  std::chrono::milliseconds alert_window{300'000};
  /// After an alert that was not told.
  std::chrono::milliseconds alert_pause{5'000};
};

/// How an event came to be given up on; the members are those of `dead_letter`.
struct giving_up {
  std::string origin;
  std::string reason;
  uint32_t attempts = 1;
  /// All of them: a letter takes the last ones.
  std::vector<failed_attempt> history;
};

/// A letter, with an id of its own, from which `ev` can be tried again.
dead_letter letter_of(const actor_context& ctx, const event& ev, giving_up how);

/// Of an event that the store will never take: by `origin` ("store", "spool").
dead_letter refused_letter(const actor_context& ctx, std::string origin,
                           const event& ev, const error& why);

/// Spawns the keeper of what was given up on. Each letter is logged and
/// counted when it first comes in and stored one after the other; while the
/// store is away they wait. Who sent one learns when it is stored, and may send
/// it again if that takes too long or there was no room: one with the same id
/// is the same. A retry hands a letter back to whoever takes those of its
/// origin (`directory`), or appends its event to the log, and forgets it only
/// after that: what is interrupted can be done again.
dead_letters_actor spawn_dead_letters(caf::actor_system& sys, actor_context ctx,
                                      dead_letters_options options);

} // namespace eventweft
