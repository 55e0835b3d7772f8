// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/letter_returns.hpp"
#include "actors/retry_notices.hpp"
#include "actors/stored_letters.hpp"
#include "messages/errors.hpp"
#include "messages/protocols.hpp"
#include "messages/uuid.hpp"

#include <chrono>
#include <cstdint>
#include <deque>

namespace eventweft {

/// The retry of many dead letters: one after the other, newest first, each
/// once. Part of the keeper's state.
class bulk_retry {
 public:
  struct pauses {
    /// Before the next letter, after one that nobody had room for.
    std::chrono::milliseconds overloaded;
    /// Before the store is asked again that did not answer.
    std::chrono::milliseconds no_store;
  };

  /// `ctx`, `letters`, `returns` and `notices`, which is told how far this is,
  /// outlive it.
  bulk_retry(dead_letters_actor::pointer self, const actor_context& ctx,
             stored_letters& letters, letter_returns& returns,
             retry_notices& notices, pauses waits);

  /// `rate`: letters a second at most; 0: no limit. `conflict` if one is under
  /// way.
  expected<void> begin(const dead_letter_query& q, double rate);
  /// Of the one under way, or of the last one.
  const dead_letter_retry& state() const noexcept { return state_; }
  /// Ends it before it is through; does nothing if none is under way. A letter
  /// that is on its way back is still counted.
  void stop();

 private:
  void end();
  void next_page(uint64_t epoch);
  void next_letter(uint64_t epoch);
  void unread(const uuid& id, const expected<void>& r, uint64_t epoch);
  void handed_back(const expected<void>& r, uint64_t epoch);

  dead_letters_actor::pointer self_;
  const actor_context& ctx_;
  stored_letters& letters_;
  letter_returns& returns_;
  retry_notices& notices_;
  pauses waits_;
  dead_letter_retry state_;
  /// Tells answers to this retry from those to an earlier one.
  uint64_t epoch_ = 0;
  dead_letter_query page_;
  std::deque<uuid> ids_;
};

} // namespace eventweft
