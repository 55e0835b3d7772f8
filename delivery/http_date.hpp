// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/time.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace eventweft::delivery {

/// Reads the three forms of RFC 9110's HTTP-date: `Sun, 06 Nov 1994 08:49:37
/// GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` (a two-digit year is at most 50
/// years after `now`) and `Sun Nov  6 08:49:37 1994`. The day's name is not
/// looked at.
std::optional<timestamp> parse_http_date(std::string_view text, timestamp now);

/// What `Retry-After` asks for, seconds or an HTTP-date; not negative. Nothing
/// if it can't be read.
std::optional<std::chrono::microseconds>
parse_retry_after(std::string_view text, timestamp now);

} // namespace eventweft::delivery
