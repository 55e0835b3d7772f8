// SPDX-License-Identifier: Apache-2.0
#include "persistence/processing_figures.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <string_view>
#include <tuple>

namespace eventweft {

std::vector<processing_figures>
figures_of(std::span<const processing::status_row> rows) {
  using processing::status;
  using key = std::tuple<std::chrono::sys_days, std::string_view,
                         std::string_view, std::string_view>;
  std::map<key, processing_figures> sums;
  for (const auto& row : rows) {
    if (row.status != status::completed && row.status != status::failed)
      continue;
    const auto& ev = *row.event;
    const auto day = std::chrono::floor<std::chrono::days>(ev.created_at);
    auto& sum = sums[{day, ev.platform, ev.event_type, ev.source_name}];
    if (row.status == status::failed) {
      ++sum.failed;
    } else {
      ++sum.completed;
      sum.total += row.duration.value_or(0);
      sum.longest = std::max(sum.longest, row.duration.value_or(0));
    }
  }
  std::vector<processing_figures> out;
  out.reserve(sums.size());
  for (auto& [k, sum] : sums) {
    sum.day = std::get<0>(k);
    sum.platform = std::get<1>(k);
    sum.event_type = std::get<2>(k);
    sum.source_name = std::get<3>(k);
    out.push_back(std::move(sum));
  }
  return out;
}

} // namespace eventweft
