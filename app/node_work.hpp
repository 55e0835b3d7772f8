// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/outgoing/subscriptions.hpp"
#include "persistence/maintenance.hpp"

#include <string>
#include <vector>

namespace eventweft {

/// `node_record::runs` of a node with these: what it asks `ownership` for.
std::vector<std::string> work_of_node(const subscriptions_options& delivering,
                                      const retention_policy& policy);

} // namespace eventweft
