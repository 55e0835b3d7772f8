// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/commands.hpp"

#include <functional>
#include <memory>

namespace CLI {
class App;
} // namespace CLI

namespace eventweft::cli {

struct cluster_options {
  connection server;
  bool json = false;
  /// Seconds that a drain may take; 0: does not wait.
  double wait = 60;
  std::string level;
};

/// Shows nodes, links and who owns what.
int cluster_status(const cluster_options& options, console& io);

/// Has the server's node hand over all that it does, and waits for that.
int cluster_drain(const cluster_options& options, console& io);

/// Sets the log level of all nodes, until they are started again.
int cluster_log_level(const cluster_options& options, console& io);

/// `eventweft cluster …`; what is chosen goes into `action`.
void add_cluster(CLI::App& app, std::function<int(console&)>& action);

} // namespace eventweft::cli
