// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What can be told of the store's figures, for `eventweft stats` and
/// `/api/v1/metrics`. Reads `event_metrics` and `event_performance`, never
/// `events`.
namespace eventweft {

/// Sums of `event_metrics`; members that the sum is not by are empty.
struct event_figures {
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

/// Seconds that sampled events took in one stage.
struct stage_figures {
  std::string stage;
  int64_t samples = 0;
  double average = 0;
  double median = 0;
  double percentile_95 = 0;
  double maximum = 0;
};

struct store_report {
  /// By day and platform, the newest day first: the last 30 days with today, in
  /// UTC, and at most 1,000 rows.
  std::vector<event_figures> days;
  /// By platform and type, and by platform and source that has a name: the 20
  /// with the most events in the last 7 days with today.
  std::vector<event_figures> types;
  std::vector<event_figures> sources;
  /// Of the last hour's samples.
  std::vector<stage_figures> stages;
};

/// A connection of its own for reports, used by one thread at a time. Blocks
/// and fails as `store_session` does.
class store_reports {
 public:
  virtual ~store_reports() = default;

  virtual expected<store_report> read(timestamp now) = 0;

  /// Deletes samples that are older; returns how many.
  virtual expected<int64_t> forget_samples(timestamp before) = 0;
};

/// One line of JSON, with the time at which it was read.
std::string report_json(const store_report& r, timestamp as_of);

/// The SQL that both engines run; `$1` is a day or a time as text.
namespace reports_sql {
extern const char* const days;
extern const char* const types;
extern const char* const sources;
extern const char* const stages;
} // namespace reports_sql

} // namespace eventweft
