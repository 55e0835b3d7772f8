// SPDX-License-Identifier: Apache-2.0
#include "correlation/vocabulary.hpp"

#include "correlation/keys.hpp"

#include <mutex>

namespace eventweft::correlation {

void vocabulary::learn(std::string_view fact, std::string_view value) {
  if (is_pr_of_commit(fact))
    return;
  const std::unique_lock lock{mutex_};
  if (facts_.size() < max_facts)
    facts_.try_emplace(std::string{fact}, value);
}

void vocabulary::learn_team(std::string_view team) {
  learn(team_fact(team), {});
}

bool vocabulary::knows(std::string_view fact) const {
  const std::shared_lock lock{mutex_};
  return facts_.find(fact) != facts_.end();
}

std::optional<std::string> vocabulary::value_of(std::string_view fact) const {
  const std::shared_lock lock{mutex_};
  const auto found = facts_.find(fact);
  if (found == facts_.end())
    return std::nullopt;
  return found->second;
}

bool vocabulary::knows_team(std::string_view team) const {
  return knows(team_fact(team));
}

size_t vocabulary::size() const {
  const std::shared_lock lock{mutex_};
  return facts_.size();
}

std::vector<std::pair<std::string, std::string>> vocabulary::all() const {
  const std::shared_lock lock{mutex_};
  return {facts_.begin(), facts_.end()};
}

} // namespace eventweft::correlation
