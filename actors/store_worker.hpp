// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/protocols.hpp"
#include "persistence/store.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>

namespace eventweft {

/// Where an actor that blocks runs. Tests keep it on their own scheduler.
enum class worker_thread : uint8_t { own, shared };

/// Spawns an actor around one session, which it alone uses and which ends with
/// it. Its calls block, hence the thread of its own.
store_worker_actor spawn_store_worker(caf::actor_system& sys,
                                      std::unique_ptr<store_session> session,
                                      worker_thread where = worker_thread::own);

} // namespace eventweft
