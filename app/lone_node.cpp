// SPDX-License-Identifier: Apache-2.0
#include "app/lone_node.hpp"

#include <algorithm>
#include <chrono>

namespace eventweft {

using std::chrono::milliseconds;

expected<void> check_alone(store_nodes& nodes) {
  const auto all = nodes.all();
  if (!all)
    return fail(all.error());
  // Nodes that do not tell have the default lease, of which this is seven
  // tenths.
  constexpr milliseconds usual{7'000};
  std::string alive;
  milliseconds longest{0};
  for (const auto& n : *all) {
    if (!n.alive(usual))
      continue;
    alive += (alive.empty() ? "" : ", ") + n.name +
             (n.http.empty() ? "" : " (" + n.http + ")");
    longest = std::max(longest, n.dead_after.value_or(usual));
  }
  if (alive.empty())
    return {};
  return fail(
      ec::bad_configuration,
      "[cluster] enabled: is false, but nodes of a cluster are alive on this "
      "database: " +
          alive +
          ". A process beside them would do all of their work a second time, "
          "webhooks included: set [cluster] enabled = true and a name of its "
          "own, or stop these nodes (one that has crashed counts as dead "
          "after " +
          std::to_string(
              std::chrono::ceil<std::chrono::seconds>(longest).count()) +
          " s)");
}

std::string idle_cluster(const config::cluster_settings& settings) {
  if (settings.enabled || settings == config::cluster_settings{})
    return {};
  return "[cluster] says how this node is part of a cluster, but not "
         "enabled = true: it is none, and what is said there has no effect";
}

} // namespace eventweft
