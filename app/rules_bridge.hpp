// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/control_bus.hpp"
#include "correlation/engine.hpp"
#include "net/ports/rules.hpp"
#include "persistence/correlation_rules.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace eventweft {

/// What `rules_bridge` works with. No pointer is null but `books`.
struct rules_bridge_parts {
  /// Null: the store keeps no rules.
  std::unique_ptr<correlation_rule_store> books;
  std::shared_ptr<correlation::engine> rules;
  std::shared_ptr<control_bus> control;
  std::shared_ptr<metrics> figures;
  logger_ptr log;
  /// When the store is read again if nobody said that it should be.
  std::chrono::milliseconds interval{2'000};
};

/// Keeps the store's rules in force on this node, and changes them. What is
/// changed goes to the store first, then into the engine, then `control_bus`
/// tells the others. Rules that can't be read leave those in force that are.
/// Everything that blocks is done on a thread and a connection of its own.
/// Thread-safe.
class rules_bridge final : public net::rules_port {
 public:
  explicit rules_bridge(rules_bridge_parts parts);
  ~rules_bridge() override;
  rules_bridge(const rules_bridge&) = delete;
  rules_bridge& operator=(const rules_bridge&) = delete;

  /// Reads the store on this thread, so that its rules are in force before
  /// anything comes in. Before `start` only.
  void read_first();
  /// Keeps them up to date from now on.
  void start();

  std::vector<correlation::rule_state> rules() const override;
  void set(correlation::declarative_rule rule,
           net::reply_to<net::set_rule> reply) override;
  void drop(std::string name, net::reply_to<bool> reply) override;

 private:
  using job = std::function<void()>;
  struct inbox;

  void run(const std::stop_token& stop);
  void read();
  bool put(job work);
  expected<net::set_rule> set_now(const correlation::declarative_rule& rule);
  expected<bool> drop_now(const std::string& name);
  /// After something was committed here.
  void changed(const std::string& name);
  std::optional<correlation::rule_state> find(const std::string& name) const;

  rules_bridge_parts parts_;
  /// As the store had them when they were last taken on.
  std::optional<std::vector<correlation::declarative_rule>> known_;
  bool failing_ = false;
  /// Outlives us where the bus is just calling.
  std::shared_ptr<inbox> inbox_;
  std::shared_ptr<void> told_;
  /// Last: it uses all of the above.
  std::jthread thread_;
};

} // namespace eventweft
