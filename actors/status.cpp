// SPDX-License-Identifier: Apache-2.0
#include "actors/status.hpp"

#include <algorithm>

namespace eventweft {

std::string_view to_string(health h) noexcept {
  switch (h) {
  case health::ok:
    return "ok";
  case health::degraded:
    return "degraded";
  case health::down:
    return "down";
  }
  return "down";
}

bool status_board::set(std::string_view name, health state,
                       std::string detail) {
  std::lock_guard guard{mutex_};
  auto [i, is_new] = parts_.try_emplace(std::string{name});
  auto changed = is_new || i->second.state != state;
  i->second = part{std::string{name}, state, std::move(detail)};
  return changed;
}

std::vector<status_board::part> status_board::parts() const {
  std::lock_guard guard{mutex_};
  std::vector<part> out;
  out.reserve(parts_.size());
  for (const auto& [name, p] : parts_)
    out.push_back(p);
  return out;
}

health status_board::overall() const {
  std::lock_guard guard{mutex_};
  auto worst = health::ok;
  for (const auto& [name, p] : parts_)
    worst = std::max(worst, p.state);
  return worst;
}

} // namespace eventweft
