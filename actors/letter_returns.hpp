// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/stored_letters.hpp"
#include "messages/errors.hpp"
#include "messages/protocols.hpp"
#include "messages/uuid.hpp"

#include <chrono>
#include <cstdint>
#include <functional>

namespace eventweft {

/// How a dead letter goes back to where it came from: to whoever takes those of
/// its origin (`directory`), or its event to the log. It is forgotten only
/// after that. Part of the keeper's state; each `then` is called in it, perhaps
/// before the call returns.
class letter_returns {
 public:
  /// Another node that asks is not asked in turn.
  enum class asked_by : uint8_t { people, other_node };
  using ended = std::function<void(expected<void>)>;

  /// `ctx` and `letters` outlive it.
  letter_returns(dead_letters_actor::pointer self, const actor_context& ctx,
                 stored_letters& letters, std::chrono::milliseconds timeout);

  void retry(const uuid& id, asked_by who, ended then);
  /// `x` with its body.
  void hand_back(const dead_letter& x, asked_by who, ended then);

 private:
  bool may_be_elsewhere(const error& why) const;

  dead_letters_actor::pointer self_;
  const actor_context& ctx_;
  stored_letters& letters_;
  std::chrono::milliseconds timeout_;
};

} // namespace eventweft
