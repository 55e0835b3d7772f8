// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "messages/errors.hpp"
#include "messages/protocols.hpp"
#include "messages/uuid.hpp"

#include <functional>
#include <memory>

namespace eventweft {

/// Asks the other nodes to retry a dead letter that is not this node's to
/// retry, and looks whether it is gone from the store after that. If it still
/// is there after a few seconds, `then` gets `refusal`.
void retry_elsewhere(dead_letters_actor::pointer self, const actor_context& ctx,
                     const uuid& letter, const error& refusal,
                     std::function<void(expected<void>)> then);

/// Has this node's keeper of dead letters do what other nodes ask for, as long
/// as the guard is there.
[[nodiscard]] std::shared_ptr<void> retry_for_others(const actor_context& ctx);

} // namespace eventweft
