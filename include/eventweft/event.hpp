// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <eventweft/export.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft {

namespace embed {
struct access;
} // namespace embed

enum class Priority : uint8_t { low = 0, normal = 1, high = 2, critical = 3 };

/// "low", "normal", "high", "critical".
EVENTWEFT_EXPORT std::string_view to_string(Priority p) noexcept;

/// One immutable thing that happened on a platform. A handle that is cheap to
/// copy and may be kept; views into it live as long as one of its copies does.
/// All calls are thread-safe.
class EVENTWEFT_EXPORT Event {
 public:
  /// Ours: a UUIDv7 with hyphens. The same for ever.
  std::string_view id() const noexcept;
  /// Its place in the log, from 1 on, without holes.
  int64_t seq() const noexcept;
  /// The platform's own delivery id, unique with the platform.
  std::string_view event_id() const noexcept;
  /// "github", "slack", "internal", …
  std::string_view platform() const noexcept;
  /// "pull_request:opened"
  std::string_view event_type() const noexcept;
  /// What it happened to: a repository, a team, a channel. May be empty.
  std::string_view source_id() const noexcept;
  std::string_view source_name() const noexcept;
  /// Who did it. May be empty.
  std::string_view actor_id() const noexcept;
  std::string_view actor_name() const noexcept;
  Priority priority() const noexcept;
  /// The thread it belongs to; empty if none was found.
  std::string_view correlation_id() const noexcept;
  /// A JSON object's text.
  std::string_view metadata() const noexcept;
  std::chrono::system_clock::time_point created_at() const noexcept;

  /// The JSON text that was sent, byte for byte.
  std::string_view payload() const noexcept;

  /// The text, number or boolean in the payload at a path such as
  /// "pull_request.title" or "commits.0.id"; nothing if it is not there, null,
  /// an object or an array. Parses the payload on each call: where a handler
  /// needs more than a few members, it should read `payload` with a JSON
  /// library of its own.
  std::optional<std::string> text(std::string_view path) const;

  /// The event as streams and the API have it, JSON.
  std::string_view json() const;

 private:
  friend struct embed::access;
  struct Record;
  explicit Event(std::shared_ptr<const Record> record) noexcept
      : record_(std::move(record)) {}

  std::shared_ptr<const Record> record_;
};

} // namespace eventweft
