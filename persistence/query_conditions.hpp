// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"
#include "messages/filter.hpp"

#include <fmt/format.h>

#include <string>

namespace eventweft {

/// The conditions of a query that read the same in the SQL of both engines:
/// what the envelope has once. `b` takes them by `require` and gives each value
/// its place by `bind`; `text_of` writes a time as the engine compares it.
template <class Builder, class TimeText>
void require_envelope(Builder& b, const event_query& q, TimeText text_of) {
  if (q.correlation_id)
    b.require("correlation_id = " + b.bind(to_string(*q.correlation_id)));
  if (q.parent_event_id)
    b.require("parent_event_id = " + b.bind(to_string(*q.parent_event_id)));
  if (q.processed)
    b.require(*q.processed ? "processed_at IS NOT NULL"
                           : "processed_at IS NULL");
  const auto limit = [&](const char* condition, const auto& value, auto text) {
    if (value)
      b.require(condition + b.bind(text(*value)));
  };
  const auto number = [](double seconds) { return fmt::format("{}", seconds); };
  limit("processed_at >= ", q.processed_since, text_of);
  limit("processed_at < ", q.processed_until, text_of);
  limit("processing_duration >= ", q.min_duration, number);
  limit("processing_duration <= ", q.max_duration, number);
  limit("created_at >= ", q.since, text_of);
  limit("created_at < ", q.until, text_of);
  b.require_any(q.priorities, [&](auto level) {
    return "priority = '" + std::string{to_string(level)} + "'";
  });
}

} // namespace eventweft
