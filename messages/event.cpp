// SPDX-License-Identifier: Apache-2.0
#include "messages/event.hpp"

namespace eventweft {

std::string_view to_string(priority p) noexcept {
  switch (p) {
  case priority::low:
    return "low";
  case priority::normal:
    return "normal";
  case priority::high:
    return "high";
  case priority::critical:
    return "critical";
  }
  return "normal";
}

std::optional<priority> parse_priority(std::string_view text) noexcept {
  for (auto p :
       {priority::low, priority::normal, priority::high, priority::critical})
    if (text == to_string(p))
      return p;
  return std::nullopt;
}

event event::for_readers() const {
  return {.id = id,
          .seq = seq,
          .event_id = event_id,
          .platform = platform,
          .event_type = event_type,
          .source_id = source_id,
          .source_name = source_name,
          .actor_id = actor_id,
          .actor_name = actor_name,
          .priority = priority,
          .correlation_id = correlation_id,
          .parent_event_id = parent_event_id,
          .metadata = metadata,
          .created_at = created_at,
          .processed_at = processed_at,
          .processing_duration = processing_duration,
          .payload = payload,
          .payload_readable = payload_readable,
          .details = {},
          .keys = {}};
}

size_t event::footprint() const noexcept {
  size_t of_keys = keys.capacity() * sizeof(correlation_key);
  for (const auto& k : keys)
    of_keys += k.key.size() + k.matched.size() + k.field.size();
  return of_keys + sizeof(event) + event_id.size() + platform.size() +
         event_type.size() + source_id.size() + source_name.size() +
         actor_id.size() + actor_name.size() + metadata.size() +
         payload.size() + payload_readable.size();
}

} // namespace eventweft
