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
  /// Between two questions while the store does not answer.
  std::chrono::milliseconds pause{2'000};
  /// Called once, on any thread, when there is a cluster: the process should
  /// end with this sentence.
  std::function<void(std::string)> fatal;
};

/// For a node alone that was started while its store was away: owns nothing
/// until the store says that no cluster's nodes are alive there, and everything
/// from then on.
class lone_owner final : public ownership {
 public:
  lone_owner(std::unique_ptr<store_nodes> nodes, lone_owner_options options,
             logger_ptr log);
  /// Ends after the statement that runs.
  ~lone_owner() override;
  lone_owner(const lone_owner&) = delete;
  lone_owner& operator=(const lone_owner&) = delete;

  // -- ownership -------------------------------------------------------------
  std::optional<fence> held(const std::string& work) override;
  std::string holder(const std::string& work) const override;
  std::shared_ptr<void> on_change(std::function<void()> changed) override;

 private:
  void run(const std::stop_token& stop);

  std::unique_ptr<store_nodes> nodes_;
  lone_owner_options options_;
  logger_ptr log_;
  std::atomic<bool> alone_ = false;
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
