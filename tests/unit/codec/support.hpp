// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace eventweft::codec {

/// An event with a different value in every member.
inline event full_event() {
  event ev;
  ev.id = *uuid::parse("01970000-0000-7000-8000-000000000001");
  ev.seq = 1042;
  ev.event_id = "72d3162e-cc78-11e3-81ab-4c9367dc0958";
  ev.platform = "github";
  ev.event_type = "pull_request:opened";
  ev.source_id = "186853002";
  ev.source_name = "octo/repo";
  ev.actor_id = "21031067";
  ev.actor_name = "codertocat";
  ev.priority = priority::high;
  ev.correlation_id = uuid::parse("01970000-0000-7000-8000-000000000002");
  ev.parent_event_id = uuid::parse("01970000-0000-7000-8000-000000000003");
  ev.metadata = R"({"source":"cli","n":1})";
  ev.created_at = *parse_rfc3339("2026-01-31T12:00:00.123456Z");
  ev.processed_at = parse_rfc3339("2026-01-31T12:00:01Z");
  ev.processing_duration = 0.25;
  ev.payload = shared_text{R"({"action":"opened","n":12})"};
  return ev;
}

inline event event_with_payload(std::string payload) {
  event ev = full_event();
  ev.payload = shared_text{std::move(payload)};
  return ev;
}

} // namespace eventweft::codec
