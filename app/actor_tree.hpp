// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/supervisor.hpp"
#include "app/actor_host.hpp"

#include <caf/fwd.hpp>

#include <vector>

namespace eventweft {

/// All actors below the supervisor, in the order in which they are to be
/// started. `where` is for those that block.
std::vector<child_spec> actor_tree(caf::actor_system& sys,
                                   const actor_context& context,
                                   const actor_host_parts& parts,
                                   worker_thread where = worker_thread::own);

} // namespace eventweft
