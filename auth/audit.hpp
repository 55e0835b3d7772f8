// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace eventweft::auth {

/// One management call, whatever came of it.
struct audit_entry {
  /// Given by the store; grows.
  int64_t id = 0;
  timestamp at{};
  /// "api_key", "token", "anonymous" or "command line", and its id.
  std::string actor_kind;
  std::string actor;
  /// The method and the route: "DELETE /api/v1/keys/{id}".
  std::string action;
  /// What it was done to: the route's argument, or the id of what was made.
  std::string target;
  /// From where; empty for the command line.
  std::string address;
  /// The HTTP status, or what comes nearest to it.
  int status = 0;

  bool operator==(const audit_entry&) const = default;
};

struct audit_query {
  /// Entries with smaller ids; 0: from the newest.
  int64_t before = 0;
  size_t limit = 100;
  /// Empty: all of them.
  std::string actor;
  std::string action;
  std::string target;
  std::optional<timestamp> since;
  std::optional<timestamp> until;
};

} // namespace eventweft::auth
