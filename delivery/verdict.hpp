// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/outgoing.hpp"
#include "messages/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft::delivery {

enum class outcome : uint8_t {
  /// 2xx
  delivered = 0,
  /// Tried again later: no answer, or 3xx, 4xx, 5xx.
  failed = 1,
  /// Likewise, and the endpoint as a whole is to be left in peace for a while:
  /// 429, 502, 503, 504.
  throttled = 2,
  /// 410: the endpoint wants nothing any more.
  gone = 3,
  /// It never left this hub (too much under way, stopping): no attempt.
  not_sent = 4,
};

/// "delivered", "failed", …
std::string_view to_string(outcome o) noexcept;

/// What an attempt's answer means.
struct verdict {
  delivery::outcome outcome = delivery::outcome::failed;
  /// 0 if there was no answer.
  int status = 0;
  /// What went wrong, for people; empty if nothing did.
  std::string reason;
  /// What the peer asked for, as it asked.
  std::optional<std::chrono::microseconds> retry_after;
};

verdict judge(const outgoing::result& answer, timestamp now);

} // namespace eventweft::delivery
