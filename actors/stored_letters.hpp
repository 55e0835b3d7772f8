// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "messages/errors.hpp"
#include "messages/protocols.hpp"
#include "messages/uuid.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

namespace eventweft {

/// The dead letters in the store, as their keeper finds and drops them. Part of
/// the keeper's state; each `then` is called in it, perhaps before the call
/// returns.
class stored_letters {
 public:
  /// `ctx` outlives it.
  stored_letters(dead_letters_actor::pointer self, const actor_context& ctx,
                 std::chrono::milliseconds timeout);

  /// The next few that `q` selects, without their bodies; the ones after these
  /// have `before` at the last one's id.
  void list(dead_letter_query q,
            std::function<void(expected<std::vector<dead_letter>>)> then);
  /// The whole letter, or `not_found`.
  void find(const uuid& id, std::function<void(expected<dead_letter>)> then);
  /// One that is not there counts as dropped.
  void drop(const uuid& id, std::function<void(expected<void>)> then);
  /// All that `q` selects, page by page: says how many.
  void drop_all(const dead_letter_query& q,
                std::function<void(expected<uint64_t>)> then);

 private:
  void ask_for(const dead_letter_query& q,
               std::function<void(expected<std::vector<dead_letter>>)> then);
  void drop_page(const dead_letter_query& page, uint64_t dropped,
                 std::function<void(expected<uint64_t>)> then);

  dead_letters_actor::pointer self_;
  const actor_context& ctx_;
  std::chrono::milliseconds timeout_;
};

} // namespace eventweft
