// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft {

enum class health : uint8_t { ok, degraded, down };

std::string_view to_string(health h) noexcept;

/// How each part of the program is. Actors write it, `/readyz` reads it.
/// Thread-safe.
class status_board {
 public:
  struct part {
    std::string name;
    health state = health::ok;
    /// For people without credentials; empty when there is nothing to say.
    std::string detail;
  };

  /// True if this changed the part's state.
  bool set(std::string_view name, health state, std::string detail = {});

  /// By name.
  std::vector<part> parts() const;

  /// The worst of all parts.
  health overall() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, part, std::less<>> parts_;
};

} // namespace eventweft
