// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/subscription.hpp"
#include "persistence/subscriptions.hpp"

#include <iterator>
#include <span>
#include <utility>
#include <vector>

namespace eventweft {

inline error lost_to_another(const delivery_report& report) {
  return {ec::not_owner, report.proof.work + " is another node's by now"};
}

/// Saves all at once with `save_part`; if the engine refuses a row, report by
/// report, and the refused one without its attempts (retention may have taken
/// away what they hang on): progress must not stand still for a log line.
template <class Save>
expected<std::vector<std::optional<error>>>
save_isolating(std::span<const delivery_report> reports, Save save_part) {
  auto all = save_part(reports);
  if (all || all.error().code != ec::row_refused)
    return all;
  if (reports.size() == 1) {
    if (reports.front().attempts.empty())
      return std::vector<std::optional<error>>{all.error()};
    auto bare = reports.front();
    bare.attempts.clear();
    auto alone = save_part(std::span<const delivery_report>{&bare, 1});
    if (!alone && alone.error().code == ec::row_refused)
      return std::vector<std::optional<error>>{alone.error()};
    return alone;
  }
  std::vector<std::optional<error>> out;
  for (const auto& report : reports) {
    auto one =
        save_isolating(std::span<const delivery_report>{&report, 1}, save_part);
    if (!one)
      return one;
    out.push_back(std::move(one->front()));
  }
  return out;
}

} // namespace eventweft
