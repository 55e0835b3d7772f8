// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft {

/// A moment in UTC with the resolution that PostgreSQL's `timestamptz` has.
using timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// Where a component gets the time from. Injected, so that tests own the
/// clock. Thread-safe.
class clock {
 public:
  virtual ~clock() = default;
  virtual timestamp now() const = 0;
};

/// The machine's clock.
class system_clock final : public clock {
 public:
  timestamp now() const override;
};

/// A clock that stands still until told otherwise. For tests and replays.
/// Thread-safe.
class manual_clock final : public clock {
 public:
  explicit manual_clock(timestamp start);
  timestamp now() const override;
  void advance(std::chrono::microseconds by);

 private:
  std::atomic<int64_t> micros_;
};

/// "2026-01-31T12:00:00.000000Z", always with six fractional digits.
std::string to_rfc3339(timestamp t);

/// Appends the same to `out` without allocating a string of its own.
void append_rfc3339(std::string& out, timestamp t);

/// Reads an RFC 3339 date-time with 0 to 9 fractional digits and `Z` or a
/// numeric offset. Nothing else passes; digits past the sixth are cut. In UTC
/// it is within the years 1 to 9999, which is what can be written and stored.
std::optional<timestamp> parse_rfc3339(std::string_view text);

/// Reads a duration in seconds: a finite number that is 0 or more.
std::optional<double> parse_seconds(std::string_view text);

} // namespace eventweft
