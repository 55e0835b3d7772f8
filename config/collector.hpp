// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/keys.hpp"
#include "config/loader.hpp"
#include "config/value.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::config {

/// Sources by strength.
enum class rank : uint8_t { none, file, env, flag };

struct source {
  rank strength = rank::none;
  /// "eventweft.toml:3", "DB_HOST", "--listen".
  std::string label;
  /// What relative paths in the value are relative to.
  std::filesystem::path base;
};

/// Collects values by strength and faults by sentence. Sources come in the
/// order of their strength, the weakest first (`config/sources.hpp`).
class collector {
 public:
  /// `name` is the platform's or the processor's; faults begin with `where`.
  void set(const key& k, const std::string& name, const raw_value& raw,
           const source& from, const std::string& where);

  void fault(std::string sentence);
  /// About a source of which nothing can be read.
  void unreadable(std::string sentence);
  /// About the value of a key, wherever that is from:
  /// "eventweft.toml:3: [server] listen: " and `what`.
  void fault_at(std::string_view section, std::string_view key,
                const std::string& what) {
    fault_at(section, {}, key, what);
  }
  void fault_at(std::string_view section, std::string_view name,
                std::string_view key, const std::string& what);

  /// Of what has set the key; `path` is as in `effective::origins`.
  rank strength(const std::string& path) const;

  /// What has been collected so far.
  effective& result() noexcept { return result_; }

  reading take(std::optional<std::filesystem::path> path) &&;

 private:
  effective result_;
  std::map<std::string, rank> ranks_;
  std::vector<std::string> faults_;
  bool all_read_ = true;
};

} // namespace eventweft::config
