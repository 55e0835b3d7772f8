// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/platforms/platform.hpp"
#include "messages/protocols.hpp"
#include "processing/registry.hpp"

#include <caf/fwd.hpp>

namespace eventweft {

/// Spawns one worker for `platform`: it proves and reads a webhook, has its
/// events' correlation keys read, has them
/// stored, and answers when all of them have their outcome. It keeps
/// nothing between webhooks. While the writer restarts, events are offered
/// again with the same id, so that one that was stored already is not taken
/// for a duplicate. Where one of `processors` answers, the reply of its handler
/// becomes the answer, if it comes in time and all events are durable; in a
/// batch it goes into the result of its item.
platform_actor
spawn_platform_worker(caf::actor_system& sys, actor_context ctx,
                      platforms::platform_ptr platform,
                      processing::registry_ptr processors = nullptr);

} // namespace eventweft
