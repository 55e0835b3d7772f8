// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/store_worker.hpp"
#include "messages/protocols.hpp"
#include "persistence/processing.hpp"

#include <caf/fwd.hpp>

#include <memory>

namespace eventweft {

/// Spawns an actor around what processors remember, which it alone uses. Its
/// calls block, hence the thread of its own.
processing_journal_actor
spawn_processing_journal(caf::actor_system& sys,
                         std::unique_ptr<processing_store> store,
                         worker_thread where = worker_thread::own);

} // namespace eventweft
