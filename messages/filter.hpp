// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace eventweft {

/// What a reader wants to see. All members that are given must match; within
/// one member any value will do; empty means "not given". `codec/filter.hpp`
/// reads, writes and evaluates it.
struct filter {
  std::vector<std::string> platforms;
  /// Exact, or with `*` anywhere; `Issue` also matches `Issue:create`.
  std::vector<std::string> event_types;
  std::vector<std::string> source_ids;
  /// Exact, or with `*` anywhere.
  std::vector<std::string> source_names;
  std::vector<std::string> actor_ids;
  std::vector<std::string> correlation_ids;
  std::optional<priority> min_priority;
  /// A path such as `payload.pull_request.base.ref` or `metadata.source`, and
  /// the JSON text of the scalar that must be there (`"\"main\""`, `"12"`).
  std::map<std::string, std::string> custom_filters;

  bool empty() const noexcept {
    return platforms.empty() && event_types.empty() && source_ids.empty() &&
           source_names.empty() && actor_ids.empty() &&
           correlation_ids.empty() && !min_priority && custom_filters.empty();
  }

  bool operator==(const filter&) const = default;
};

/// Where a reader starts: after `seq`, or at the first event that came in at
/// or after `time`, or at the end of the log.
struct start_point {
  enum class kind : uint8_t { now = 0, after_seq = 1, at_time = 2 };
  kind from = kind::now;
  seq_t seq = 0;
  timestamp time{};

  static start_point end() { return {}; }
  static start_point after(seq_t s) { return {kind::after_seq, s, {}}; }
  static start_point at(timestamp t) { return {kind::at_time, 0, t}; }

  bool operator==(const start_point&) const = default;
};

/// A question to the stored log, one page at a time. All members that are given
/// must match; within a list any value will do.
struct event_query {
  std::optional<uuid> id;
  /// The platforms' own delivery ids; found by index if `platforms` is given.
  std::vector<std::string> event_ids;
  std::vector<std::string> platforms;
  /// As in `filter`.
  std::vector<std::string> event_types;
  std::vector<std::string> source_ids;
  /// As in `filter`.
  std::vector<std::string> source_names;
  /// Matches `actor_id` or `actor_name`.
  std::vector<std::string> actors;
  std::vector<std::string> actor_ids;
  std::vector<std::string> actor_names;
  std::vector<priority> priorities;
  std::optional<uuid> correlation_id;
  std::optional<uuid> parent_event_id;
  /// Whether `processed_at` is set.
  std::optional<bool> processed;
  std::optional<timestamp> processed_since; ///< processed_at ≥ that
  std::optional<timestamp> processed_until; ///< processed_at < that
  /// Seconds; an event without a `processing_duration` is within no limit.
  std::optional<double> min_duration; ///< processing_duration ≥ that
  std::optional<double> max_duration; ///< processing_duration ≤ that
  /// A path such as `payload.pull_request.base.ref` or `metadata.source.0`, and
  /// what must stand there: a string's own text, `12`, `true`. A number in a
  /// path is an index where there is an array. No quotes in paths.
  std::map<std::string, std::string> conditions;
  std::optional<seq_t> after;     ///< seq > after
  std::optional<timestamp> since; ///< created_at ≥ since
  std::optional<timestamp> until; ///< created_at < until
  /// The last seq of the page before; 0 for the first page.
  seq_t cursor = 0;
  /// 1 … 1000.
  size_t limit = 100;
  /// Once the payloads of a page come to so many bytes it takes no more events.
  uint64_t max_bytes = 64ull << 20;
  bool ascending = false;

  bool operator==(const event_query&) const = default;
};

struct event_page {
  std::vector<event_ptr> events;
  /// To be handed in as `cursor` for the next page; absent on the last one.
  std::optional<seq_t> next_cursor;
};

} // namespace eventweft
