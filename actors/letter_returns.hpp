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
#include <map>
#include <vector>

namespace eventweft {

/// How a dead letter goes back to where it came from: to whoever takes those of
/// its origin (`directory`), or its event to the log. It is forgotten only
/// after that, and until then nobody else hands it back: who asks for a letter
/// that is on its way hears how that ends. Part of the keeper's state; whoever
/// asks is called in it, perhaps before the call returns.
class letter_returns {
 public:
  /// Another node that asks is not asked in turn.
  enum class asked_by : uint8_t { people, other_node };
  using ended = std::function<void(expected<void>)>;

  /// `ctx` and `letters` outlive it.
  letter_returns(dead_letters_actor::pointer self, const actor_context& ctx,
                 stored_letters& letters, std::chrono::milliseconds timeout);

  /// `unread` is called in place of `then` if the letter can't be read:
  /// `not_found` if there is none any more. A notice of another node, which
  /// nobody waits for, comes to nothing while the letter is on its way.
  void retry(const uuid& id, asked_by who, ended unread, ended then);

 private:
  struct asker {
    asked_by who;
    ended unread;
    ended then;
  };

  bool may_be_elsewhere(const error& why) const;
  void hand_back(const dead_letter& x);
  /// It is not on its way any more. Those who asked for it.
  std::vector<asker> arrived(const uuid& id);
  void tell_all(const uuid& id, const expected<void>& how);

  dead_letters_actor::pointer self_;
  const actor_context& ctx_;
  stored_letters& letters_;
  std::chrono::milliseconds timeout_;
  std::map<uuid, std::vector<asker>> under_way_;
};

} // namespace eventweft
