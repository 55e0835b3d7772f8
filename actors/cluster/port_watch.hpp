// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/cluster/mesh_core.hpp"

#include <caf/event_based_actor.hpp>

#include <memory>

namespace eventweft {

/// As long as `self` lives, ends the connections to the mesh's port that do not
/// become links, on CAF's thread for connections.
void watch_port(caf::event_based_actor* self,
                const std::shared_ptr<mesh_core>& core);

} // namespace eventweft
