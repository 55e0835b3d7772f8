// SPDX-License-Identifier: Apache-2.0
#include "telemetry/refusal_log.hpp"

#include <chrono>
#include <utility>

namespace eventweft {

namespace {

constexpr std::chrono::minutes told_every{1};

/// Reasons that are told apart; what comes after these has one line a minute
/// for all.
constexpr size_t max_reasons = 256;

} // namespace

refusal_log::refusal_log(logger_ptr log, std::shared_ptr<const clock> time)
    : log_(std::move(log)), time_(std::move(time)) {}

void refusal_log::refused(std::string_view platform, const error& why) {
  std::string which{platform};
  which.append(": ").append(why.message);
  const auto now = time_->now();
  uint64_t count = 1;
  {
    const std::lock_guard lock{mutex_};
    if (entries_.size() >= max_reasons && !entries_.contains(which))
      which.clear();
    auto& e = entries_[which];
    if (e.told_at != timestamp{} && now - e.told_at < told_every) {
      ++e.untold;
      return;
    }
    count += std::exchange(e.untold, 0);
    e.told_at = now;
  }
  std::string many;
  if (count > 1)
    many = " (" + std::to_string(count) + " times since the last such line)";
  log_->warn("a webhook of {} was refused: {}{}; what proves them is "
             "[platforms.{}] secrets and tokens",
             platform, why.message, many, platform);
}

} // namespace eventweft
