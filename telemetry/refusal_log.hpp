// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/time.hpp"
#include "telemetry/log.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace eventweft {

/// Tells the log why webhooks were refused. Anybody can send them, so each
/// reason of a platform has a line the first time and then at most one a
/// minute, which says how many they were. Bounded. Thread-safe.
class refusal_log {
 public:
  refusal_log(logger_ptr log, std::shared_ptr<const clock> time);

  void refused(std::string_view platform, const error& why);

 private:
  struct entry {
    timestamp told_at{};
    /// Since then.
    uint64_t untold = 0;
  };

  logger_ptr log_;
  std::shared_ptr<const clock> time_;
  std::mutex mutex_;
  std::map<std::string, entry> entries_; // by platform and reason
};

} // namespace eventweft
