// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/correlation_key.hpp"

#include <functional>
#include <map>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft::correlation {

/// What this process knows of the facts that events taught: which team keys
/// Linear has, which team a Slack channel belongs to, which hosts are a GitHub.
/// A cache of the store's facts: filled from them at start and after each
/// append; what it does not know yet, the append transaction finds out (see
/// `joiner.hpp`), so a node that is behind gives the same threads. Commits'
/// pull requests are left to the store: they are many, and each is of use for a
/// day. Thread-safe.
class vocabulary {
 public:
  /// Most facts kept; others are looked up in the store only.
  static constexpr size_t max_facts = 200'000;

  void learn(std::string_view fact, std::string_view value);
  void learn_team(std::string_view team);

  bool knows(std::string_view fact) const;
  std::optional<std::string> value_of(std::string_view fact) const;

  bool knows_team(std::string_view team) const;

  size_t size() const;
  std::vector<std::pair<std::string, std::string>> all() const;

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::string, std::less<>> facts_;
};

} // namespace eventweft::correlation
