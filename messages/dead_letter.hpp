// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft {

/// One try that failed.
struct failed_attempt {
  timestamp at{};
  /// What was said; for people.
  std::string error;

  bool operator==(const failed_attempt&) const = default;
};

/// A given-up item. `id` and `created_at` are the dead letter's own.
struct dead_letter {
  uuid id;
  timestamp created_at{};
  /// Who gave up, as `KIND` or `KIND:NAME`: "processor:notify",
  /// "subscription:<uuid>" (of a webhook or a queue), "store", "spool". A retry
  /// goes back there.
  std::string origin;
  std::string reason;
  uint32_t attempts = 1;
  /// The attempts, oldest first; of very many the last ones. May be empty
  /// where attempts are not told apart.
  std::vector<failed_attempt> history;
  /// The event, as far as it is known. A `seq` of 0: it is not in the log.
  std::optional<uuid> event_id;
  seq_t event_seq = 0;
  std::string platform;
  std::string event_type;
  /// What is needed to try again: the event's native JSON, or raw bytes.
  std::string body;
  /// Its size where it was left out.
  uint64_t body_bytes = 0;

  bool operator==(const dead_letter&) const = default;
};

/// How many attempts `dead_letter::history` has at most.
inline constexpr size_t dead_letter_history = 50;

/// "processor" for "processor:notify".
inline std::string_view origin_kind(std::string_view origin) noexcept {
  return origin.substr(0, origin.find(':'));
}

/// "notify" for "processor:notify"; empty if there is no name.
inline std::string_view origin_name(std::string_view origin) noexcept {
  const auto colon = origin.find(':');
  return colon == std::string_view::npos ? std::string_view{}
                                         : origin.substr(colon + 1);
}

/// Which dead letters. All members that are given must match.
struct dead_letter_query {
  std::optional<uuid> id;
  /// A whole origin, or a kind, which stands for all origins of that kind.
  std::string origin;
  /// Any of them; none: of whatever there is.
  std::vector<std::string> platforms;
  /// As `event_query` has them: `t` is also every `t:…`, `*` any text.
  std::vector<std::string> event_types;
  std::optional<uuid> event_id;
  std::optional<timestamp> since; ///< created_at ≥ since
  std::optional<timestamp> until; ///< created_at < until
  /// Those before this id; nil: from the newest on.
  uuid before;
  size_t limit = 100;
  /// Without it letters come without their bodies, which may be large.
  bool bodies = true;

  bool operator==(const dead_letter_query&) const = default;
};

/// A retry of many dead letters, under way or over.
struct dead_letter_retry {
  bool running = false;
  /// It ended before it was through: somebody ended it, or its node is gone.
  bool stopped = false;
  timestamp started{};
  /// Which ones.
  dead_letter_query what;
  /// A second; 0: as fast as it goes.
  double rate = 0;
  uint64_t retried = 0;
  /// Still there: they could not be handed back.
  uint64_t failed = 0;
  std::string last_error;

  bool operator==(const dead_letter_retry&) const = default;
};

/// Tells of a letter, and of how many before it nobody was told of. Must return
/// at once. Calls `ended` once, on any thread, with whether it was told.
using dead_letter_alert = std::function<void(
    const dead_letter&, uint64_t not_told, std::function<void(bool)> ended)>;

} // namespace eventweft
