// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/cluster/membership.hpp"
#include "messages/uuid.hpp"
#include "persistence/nodes.hpp"
#include "telemetry/log.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

namespace eventweft {

/// The thread that speaks to the database for a `membership`: its turns and the
/// bell.
class node_keeper {
 public:
  struct hooks {
    /// After each turn that worked.
    std::function<void(store_nodes&)> turned;
    /// Another node has had this one's name for too long.
    std::function<void(std::string)> fatal;
  };

  node_keeper(std::shared_ptr<membership> members,
              std::unique_ptr<store_nodes> store, hooks h, logger_ptr log);
  /// Ends after the statement that runs.
  ~node_keeper();
  node_keeper(const node_keeper&) = delete;
  node_keeper& operator=(const node_keeper&) = delete;

  /// Rings the others' bell. What can't be rung in time is made up for by one
  /// general ring.
  void ring(std::string text);

  /// Gives everything back and beats no more. Waits for that.
  void leave();
  bool left() const;

 private:
  void run(const std::stop_token& stop);
  void turn();
  void ring_all();

  std::shared_ptr<membership> members_;
  std::unique_ptr<store_nodes> store_;
  hooks hooks_;
  logger_ptr log_;

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::string> rings_;
  bool hurry_ = false;
  bool leaving_ = false;
  bool left_ = false;
  /// Last: it uses all of the above.
  std::jthread thread_;
};

/// Waits for the bell on a thread and a connection of its own. `connected` says
/// whether it would hear it.
class bell_listener {
 public:
  bell_listener(std::unique_ptr<store_listener> store,
                std::function<void(const store_bell&)> heard,
                std::atomic<bool>& connected,
                std::shared_ptr<random_source> random, logger_ptr log);
  ~bell_listener();
  bell_listener(const bell_listener&) = delete;
  bell_listener& operator=(const bell_listener&) = delete;

 private:
  void run(const std::stop_token& stop);

  std::unique_ptr<store_listener> store_;
  std::function<void(const store_bell&)> heard_;
  std::atomic<bool>& connected_;
  std::shared_ptr<random_source> random_;
  logger_ptr log_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  /// Last: it uses all of the above.
  std::jthread thread_;
};

} // namespace eventweft
