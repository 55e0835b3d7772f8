// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/store_worker.hpp"
#include "messages/flow.hpp"
#include "messages/protocols.hpp"

#include <caf/fwd.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace eventweft {

/// What the spool's actor needs of a spool. All calls block; one thread at a
/// time.
class spool_port {
 public:
  virtual ~spool_port() = default;

  /// Durable on return. `store_full` when it would go beyond its limit or the
  /// disk's; nothing of the batch is kept then. Gives the bytes that it holds
  /// now.
  virtual expected<uint64_t> append(std::span<const event_ptr> events) = 0;

  /// The oldest `max`, in order.
  virtual expected<std::vector<event_ptr>> peek(size_t max) = 0;

  /// Forgets the oldest `count`. Gives the bytes that are left.
  virtual expected<uint64_t> drop(size_t count) = 0;

  /// With `held`.
  virtual expected<spool_state> state() = 0;
};

/// Spawns an actor around a spool that it alone uses.
spool_worker_actor spawn_spool_worker(caf::actor_system& sys,
                                      std::unique_ptr<spool_port> spool,
                                      worker_thread where = worker_thread::own);

} // namespace eventweft
