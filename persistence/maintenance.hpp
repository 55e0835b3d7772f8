// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

/// What keeps a store in shape and what can be counted in it. Beside the hot
/// path: a timer, `eventweft retention`, `eventweft stats`.
namespace eventweft {

/// How long events are kept; nothing stands for "for ever".
struct retention_policy {
  std::optional<std::chrono::seconds> keep;
  /// Platforms that have a time of their own.
  std::map<std::string, std::chrono::seconds> platforms;

  /// A time for all platforms but some: those of custom events, whose names
  /// nobody knows before.
  struct others_rule {
    std::chrono::seconds keep{};
    /// These have their own time, or `retention_policy::keep`.
    std::set<std::string> but;
  };
  std::optional<others_rule> others;

  /// Whether everything stays for ever.
  bool keeps_all() const { return !keep && platforms.empty() && !others; }
};

/// One thing that retention did, would do, or could not do.
struct retention_item {
  enum class kind : uint8_t {
    drop_week,     ///< all events of a week at once
    keep_week,     ///< past its time but still needed, see `reason`
    delete_events, ///< single events of one platform
    keep_events,   ///< the same, still needed, see `reason`
  };
  kind action = kind::delete_events;
  /// The first day of the week, or the platform.
  std::string what;
  timestamp until{};
  int64_t events = 0;
  /// On disk for a week, of payload for single events.
  int64_t bytes = 0;
  std::string reason;
};

std::string_view to_string(retention_item::kind k) noexcept;

/// Whether that is of what must stay.
constexpr bool stays(retention_item::kind k) noexcept {
  return k == retention_item::kind::keep_week ||
         k == retention_item::kind::keep_events;
}

/// A row of `event_metrics`.
struct metrics_row {
  /// "2026-01-31", UTC.
  std::string day;
  std::string platform;
  std::string event_type;
  std::string source_name;
  int64_t events = 0;
  int64_t errors = 0;
  int64_t processed = 0;
  /// Seconds; absent while nothing is processed.
  std::optional<double> average_processing_time;
  double maximum_processing_time = 0;
};

struct metrics_query {
  /// Days, "2026-01-31"; empty: no limit.
  std::string from;
  std::string to;
  /// Empty: all.
  std::string platform;
  size_t limit = 1000;
};

/// A row of `event_performance`. The caller does the sampling.
struct performance_sample {
  timestamp recorded_at{};
  /// "queue", "commit", "ingest".
  std::string stage;
  std::string platform;
  std::string event_type;
  std::optional<uuid> event_id;
  std::chrono::microseconds duration{};
  std::optional<int64_t> queue_depth;
};

/// Most events that one `roll_up_metrics` counts, so that it never holds the
/// store for long.
inline constexpr int64_t metrics_at_once = 100'000;

/// A connection of its own for maintenance, used by one thread at a time.
/// Blocks and fails as `store_session` does.
class store_maintenance {
 public:
  virtual ~store_maintenance() = default;

  /// Makes ready for the weeks around `now`; returns how many tables were
  /// made. Call it at start and then at least once a week.
  virtual expected<int> prepare_partitions(timestamp now) = 0;

  /// Counts what was stored since the last call into `event_metrics`; returns
  /// how many events that were. Cheap when called often. If these were
  /// `metrics_at_once`, there may be more.
  virtual expected<int64_t> roll_up_metrics() = 0;

  /// Lets go of what is past its time and needed by nobody: no active
  /// subscription's cursor, no dead letter, no unfinished processor. Deletes
  /// at most `limit` single events; call it again while it finds some. A dry
  /// run changes nothing, and tells of all that goes and all that must stay;
  /// of the latter a real run may tell less, and says it anew each time.
  virtual expected<std::vector<retention_item>>
  apply_retention(const retention_policy& policy, timestamp now, bool dry_run,
                  size_t limit = 10'000) = 0;

  /// Newest day first.
  virtual expected<std::vector<metrics_row>>
  metrics(const metrics_query& q) = 0;

  virtual expected<void>
  record_performance(std::span<const performance_sample> samples) = 0;
};

} // namespace eventweft
