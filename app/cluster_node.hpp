// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/cluster/membership.hpp"
#include "actors/control_bus.hpp"
#include "actors/fanout.hpp"
#include "actors/ownership.hpp"
#include "config/settings.hpp"
#include "messages/uuid.hpp"
#include "net/ports/cluster.hpp"
#include "persistence/store.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace eventweft {

class actor_host;

struct cluster_node_parts {
  config::cluster_settings settings;
  /// `node_record::runs`: it is given no other work, processors aside.
  std::vector<std::string> runs;
  store_ptr store;
  std::shared_ptr<metrics> figures;
  logger_ptr log;
  std::shared_ptr<random_source> random;
  /// Called once, on any thread, when this node can't be part of the cluster.
  std::function<void(std::string)> fatal;
};

/// This node's part in a cluster: its heartbeats and leases on a thread of
/// their own, the bell that others ring on another one, the links to its
/// peers, and draining. Thread-safe but for start, detach and leave, which
/// belong to one thread and come in this order.
class cluster_node final : public net::cluster_port {
 public:
  /// Connects to nothing yet. `bad_configuration` if it can't work.
  static expected<std::unique_ptr<cluster_node>> make(cluster_node_parts parts);
  ~cluster_node() override;
  cluster_node(const cluster_node&) = delete;
  cluster_node& operator=(const cluster_node&) = delete;

  std::shared_ptr<ownership> owner() const;
  std::shared_ptr<control_bus> control() const;
  std::shared_ptr<fanout> others() const;

  /// Loads what the links need into the actors' configuration.
  std::function<void(caf::actor_system_config&)> preparation() const;

  /// Beats and listens from now on. `actors` must live until `detach`.
  expected<void> start(actor_host& actors, const std::string& http);

  /// Lets go of the actors: no links, no wake-ups. Heartbeats go on.
  void detach();

  /// Gives back what is owned and marks the node as gone. Blocks for a few
  /// seconds at most.
  void leave();

  // -- net::cluster_port -----------------------------------------------------
  void status(reply answer) override;
  void drain(reply answer) override;
  void set_log_level(const std::string& level, reply answer) override;

 private:
  struct state;
  explicit cluster_node(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

} // namespace eventweft
