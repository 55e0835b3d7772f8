// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/processing.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace eventweft {

/// What a batch of status rows adds to one row of `event_metrics`.
struct processing_figures {
  /// Some moment of the day.
  timestamp day{};
  std::string platform;
  std::string event_type;
  std::string source_name;
  int32_t failed = 0;
  int32_t completed = 0;
  /// Seconds.
  double total = 0;
  double longest = 0;
};

/// By day, platform, type and source, in that order. Rows that are neither
/// completed nor failed count for nothing.
std::vector<processing_figures>
figures_of(std::span<const processing::status_row> rows);

} // namespace eventweft
