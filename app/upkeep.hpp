// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/ownership.hpp"
#include "messages/time.hpp"
#include "persistence/maintenance.hpp"
#include "persistence/store.hpp"
#include "telemetry/log.hpp"
#include "telemetry/store_figures.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

namespace eventweft {

struct upkeep_options {
  retention_policy retention;
  /// How often figures are rolled up.
  std::chrono::milliseconds interval{10'000};
  /// How often partitions are made ahead and retention runs.
  std::chrono::milliseconds slow_interval{600'000};
  /// The same after it could not be done, for want of a lock, say.
  std::chrono::milliseconds slow_retry{60'000};
  /// Its samples are stored and a report is put into it; may be null.
  std::shared_ptr<store_figures> stored;
};

/// Keeps the store in shape on a thread and a connection of its own: makes
/// partitions ahead, rolls figures up, keeps samples, reports, lets go of what
/// is past its time. What fails is logged once and tried again later; nothing
/// waits for it, and the other parts go on. Of several nodes one at a time
/// rolls up and one retains: the owner of `metrics` and of `retention`; the
/// latter is asked for only where something is to go.
class upkeep {
 public:
  upkeep(store_ptr store, upkeep_options options,
         std::shared_ptr<const clock> time, logger_ptr log,
         std::shared_ptr<ownership> owner = std::make_shared<sole_owner>());
  /// Ends after the statement that runs.
  ~upkeep();
  upkeep(const upkeep&) = delete;
  upkeep& operator=(const upkeep&) = delete;

 private:
  void run(const std::stop_token& stop);
  /// Each is true if it worked.
  bool prepare();
  bool roll_up(const std::stop_token& stop);
  bool retain(const std::stop_token& stop);
  void keep_samples();
  void write_report();
  /// Logs the first failure in a row of each part.
  bool worked(const char* what, const error* failure);

  upkeep_options options_;
  std::shared_ptr<const clock> time_;
  logger_ptr log_;
  std::shared_ptr<ownership> owner_;
  std::unique_ptr<store_maintenance> session_;
  std::unique_ptr<store_reports> reports_;
  std::set<std::string> failing_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  /// Last: it uses all of the above.
  std::jthread thread_;
};

} // namespace eventweft
