// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/ownership.hpp"
#include "messages/change_listeners.hpp"
#include "messages/errors.hpp"
#include "persistence/nodes.hpp"
#include "persistence/store.hpp"
#include "telemetry/log.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

namespace eventweft {

struct lone_owner_options {
  /// What the lease is held as; as `node_record::owner`, another one for each
  /// start.
  std::string me;
  /// Between two looks at the store.
  std::chrono::milliseconds pause{2'000};
  /// Called once, on any thread, when there is a cluster: the process should
  /// end with this sentence.
  std::function<void(std::string)> fatal;
};

/// How a server alone and the nodes of a cluster learn of each other. One
/// thread at a time; blocks as `store_nodes` does.
class lone_watch {
 public:
  lone_watch(std::unique_ptr<store_nodes> nodes, std::string me);

  /// Says on the store, for a while, that a server alone is at work there, then
  /// looks whether it is: as `check_alone`.
  expected<void> look();
  /// Says so no longer.
  void end();

 private:
  std::unique_ptr<store_nodes> nodes_;
  std::string me_;
  bool said_ = false;
};

/// For a node alone on a store that several processes can share: owns
/// everything once that says that no cluster's nodes are alive there, and
/// nothing any more once one is. That one waits for the end of this node.
class lone_owner final : public ownership {
 public:
  /// `alone`: the store has said just now that it is.
  lone_owner(lone_watch watch, bool alone, lone_owner_options options,
             logger_ptr log);
  /// Ends after the statement that runs, and one more.
  ~lone_owner() override;
  lone_owner(const lone_owner&) = delete;
  lone_owner& operator=(const lone_owner&) = delete;

  // -- ownership -------------------------------------------------------------
  std::optional<fence> held(const std::string& work) override;
  std::string holder(const std::string& work) const override;
  std::shared_ptr<void> on_change(std::function<void()> changed) override;

 private:
  void run(const std::stop_token& stop);
  /// There is a cluster.
  void stand_back(const std::string& why, const std::stop_token& stop);

  lone_watch watch_;
  lone_owner_options options_;
  logger_ptr log_;
  std::atomic<bool> alone_;
  change_listeners listeners_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  /// Last: it uses all of the above.
  std::jthread thread_;
};

/// The owner for a node alone on `there`, which was there a moment ago or not:
/// `bad_configuration` if a cluster's nodes are alive on it.
expected<std::shared_ptr<ownership>> own_alone(store& there, bool answers,
                                               lone_owner_options options,
                                               const logger_ptr& log);

} // namespace eventweft
