// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace eventweft {

/// A given-up item. `id` and `created_at` are the dead letter's own.
struct dead_letter {
  uuid id;
  timestamp created_at{};
  /// The component that gave up: "spool", "processor:NAME", …
  std::string origin;
  std::string reason;
  uint32_t attempts = 1;
  /// The event, as far as it is known.
  std::optional<uuid> event_id;
  std::string platform;
  /// What is needed to try again: the event's native JSON, or raw bytes.
  std::string body;

  bool operator==(const dead_letter&) const = default;
};

} // namespace eventweft
