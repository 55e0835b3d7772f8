// SPDX-License-Identifier: Apache-2.0
#include "persistence/reports.hpp"

#include "codec/json_text.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace eventweft {

namespace {

#define EVENTWEFT_SUMS                                                         \
  "sum(event_count) AS n, sum(error_count), sum(processed_count), "            \
  "sum(total_processing_time) / "                                              \
  "nullif(sum(processed_count - untimed_count), 0), "                          \
  "max(max_processing_time) FROM event_metrics WHERE day >= "

void number(std::string& out, std::string_view name, double value) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":{:.6f}", name,
                 std::isfinite(value) ? value : 0.0);
}

void text(std::string& out, std::string_view name, std::string_view value) {
  out += out.back() == '{' ? "\"" : ",\"";
  out.append(name).append("\":");
  codec::append_quoted(out, value);
}

void append(std::string& out, const event_figures& f) {
  out += '{';
  if (!f.day.empty())
    text(out, "day", f.day);
  text(out, "platform", f.platform);
  if (!f.event_type.empty())
    text(out, "event_type", f.event_type);
  if (!f.source_name.empty())
    text(out, "source_name", f.source_name);
  fmt::format_to(std::back_inserter(out),
                 R"(,"events":{},"errors":{},"processed":{})", f.events,
                 f.errors, f.processed);
  if (f.average_processing_time)
    number(out, "average_processing_time", *f.average_processing_time);
  else
    out += R"(,"average_processing_time":null)";
  number(out, "maximum_processing_time", f.maximum_processing_time);
  out += '}';
}

void append(std::string& out, const stage_figures& f) {
  out += '{';
  text(out, "stage", f.stage);
  out += ",\"samples\":" + std::to_string(f.samples);
  number(out, "average", f.average);
  number(out, "median", f.median);
  number(out, "percentile_95", f.percentile_95);
  number(out, "maximum", f.maximum);
  out += '}';
}

template <class Rows>
void list(std::string& out, std::string_view name, const Rows& rows) {
  out.append(",\"").append(name).append("\":[");
  for (const auto& row : rows) {
    if (out.back() != '[')
      out += ',';
    append(out, row);
  }
  out += ']';
}

} // namespace

std::string report_json(const store_report& r, timestamp as_of) {
  std::string out = "{";
  text(out, "as_of", to_rfc3339(as_of));
  list(out, "days", r.days);
  list(out, "types", r.types);
  list(out, "sources", r.sources);
  list(out, "stages", r.stages);
  return out + "}";
}

namespace reports_sql {

// The first four columns are day, platform, event_type and source_name.
const char* const days =
    "SELECT CAST(day AS text), platform, '', ''," EVENTWEFT_SUMS
    "$1 GROUP BY day, platform ORDER BY day DESC, n DESC, platform LIMIT 1000";

const char* const types = "SELECT '', platform, event_type, ''," EVENTWEFT_SUMS
                          "$1 GROUP BY platform, event_type "
                          "ORDER BY n DESC, platform, event_type LIMIT 20";

const char* const sources =
    "SELECT '', platform, '', source_name," EVENTWEFT_SUMS
    "$1 AND source_name <> '' GROUP BY platform, source_name "
    "ORDER BY n DESC, platform, source_name LIMIT 20";

const char* const stages =
    "SELECT stage, count(*), avg(duration), "
    "max(CASE WHEN place = (size + 1) / 2 THEN duration END), "
    "max(CASE WHEN place = (size * 95 + 99) / 100 THEN duration END), "
    "max(duration) FROM ("
    "SELECT stage, duration, "
    "row_number() OVER (PARTITION BY stage ORDER BY duration) AS place, "
    "count(*) OVER (PARTITION BY stage) AS size FROM ("
    "SELECT stage, duration FROM event_performance WHERE recorded_at >= $1 "
    "ORDER BY recorded_at DESC LIMIT 20000) AS latest) AS placed "
    "GROUP BY stage ORDER BY stage";

} // namespace reports_sql

#undef EVENTWEFT_SUMS

} // namespace eventweft
