// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/store_worker.hpp"
#include "messages/protocols.hpp"
#include "persistence/subscriptions.hpp"

#include <caf/fwd.hpp>

#include <memory>

namespace eventweft {

/// Spawns an actor around one connection, which it alone uses and which ends
/// with it. Its calls block, hence the thread of its own.
subscription_worker_actor
spawn_subscription_worker(caf::actor_system& sys,
                          std::unique_ptr<subscription_store> store,
                          worker_thread where = worker_thread::own);

} // namespace eventweft
