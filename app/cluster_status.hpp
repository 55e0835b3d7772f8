// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/cluster/mesh.hpp"
#include "persistence/nodes.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace eventweft {

/// What `/api/v1/cluster` shows.
struct cluster_view {
  node_record me;
  bool draining = false;
  bool left = false;
  /// Events that only this node has: they are in its spool.
  size_t spooled = 0;
  /// Whether the database wakes this node.
  bool hears = false;
  seq_t head = 0;
  /// Who appends where several nodes write; empty: nobody does for others.
  std::string appender;
  std::chrono::milliseconds dead_after{0};
  std::vector<node_record> nodes;
  /// All that the last heartbeat saw, and what this node itself works on.
  std::vector<lease_record> leases;
  std::vector<fence> held;
  std::chrono::nanoseconds since_beat{0};
  std::vector<link_view> links;
};

std::string status_json(const cluster_view& view);

} // namespace eventweft
