// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/supervisor.hpp"
#include "app/actor_host.hpp"

#include <caf/fwd.hpp>

#include <cstdint>
#include <vector>

namespace eventweft {

/// Events that may wait for the storage writer.
uint64_t writer_queue_limit(const config::settings& s);

/// All actors below the supervisor, in the order in which they are to be
/// started. `where` is for those that block;
/// without `streams` nobody looks after streams and subscriptions.
std::vector<child_spec>
actor_tree(caf::actor_system& sys, const actor_context& context,
           const actor_host_parts& parts,
           worker_thread where = worker_thread::own,
           std::shared_ptr<stream_catalogue> streams = nullptr);

} // namespace eventweft
