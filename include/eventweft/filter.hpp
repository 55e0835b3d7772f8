// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <eventweft/event.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft {

/// Which events. All members that are given must match; within one member any
/// value will do; an empty one lets everything through.
struct Filter {
  std::vector<std::string> platforms{};
  /// Exact, or with `*` anywhere; "Issue" also matches "Issue:create".
  std::vector<std::string> event_types{};
  std::vector<std::string> source_ids{};
  /// Exact, or with `*` anywhere.
  std::vector<std::string> source_names{};
  std::vector<std::string> actor_ids{};
  std::vector<std::string> correlation_ids{};
  std::optional<Priority> min_priority{};
  /// A path such as "payload.pull_request.base.ref" and the JSON text of what
  /// must be there: {"payload.action", "\"opened\""}, {"payload.number", "7"}.
  std::map<std::string, std::string> custom_filters{};
};

/// Reads a filter as the HTTP API takes it. Throws `Error`: `malformed`, or
/// `unprocessable` for an unknown key or a value of the wrong type.
EVENTWEFT_EXPORT Filter parse_filter(std::string_view json);

/// Where a reader of the log starts.
class Since {
 public:
  /// With what comes from now on.
  static Since now() { return {}; }
  /// With the first event that is still there.
  static Since earliest() { return after(0); }
  /// With what follows the event that has this `seq`.
  static Since after(int64_t seq) {
    Since out;
    out.kind_ = Kind::seq;
    out.seq_ = seq;
    return out;
  }
  /// With the first event that came in at or after this time.
  static Since time(std::chrono::system_clock::time_point t) {
    Since out;
    out.kind_ = Kind::time;
    out.time_ = t;
    return out;
  }

 private:
  friend struct embed::access;
  enum class Kind : uint8_t { now, seq, time };

  Kind kind_ = Kind::now;
  int64_t seq_ = 0;
  std::chrono::system_clock::time_point time_{};
};

} // namespace eventweft
