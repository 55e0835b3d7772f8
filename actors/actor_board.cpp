// SPDX-License-Identifier: Apache-2.0
#include "actors/actor_board.hpp"

#include <utility>

namespace eventweft {

size_t actor_board::add(std::string name, std::string phase) {
  std::lock_guard guard{mutex_};
  entries_.push_back(
      {std::move(name), std::move(phase), "starting", 0, {}, {}});
  return entries_.size() - 1;
}

void actor_board::running(size_t number, timestamp now) {
  std::lock_guard guard{mutex_};
  auto& e = entries_.at(number);
  if (e.state == "restarting")
    ++e.restarts;
  e.state = "running";
  e.since = now;
}

void actor_board::restarting(size_t number, std::string why, timestamp now) {
  std::lock_guard guard{mutex_};
  auto& e = entries_.at(number);
  e.state = "restarting";
  e.last_error = std::move(why);
  e.since = now;
}

void actor_board::ended(size_t number, timestamp now) {
  std::lock_guard guard{mutex_};
  auto& e = entries_.at(number);
  e.state = "ended";
  e.since = now;
}

std::vector<actor_board::entry> actor_board::list() const {
  std::lock_guard guard{mutex_};
  return entries_;
}

} // namespace eventweft
