// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/native_event.hpp"

#include "codec/json_spans.hpp"
#include "codec/payload.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace eventweft::platforms {

namespace {

using simdjson::dom::element;

constexpr size_t max_metadata = 64u << 10;

bool is_platform_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
         });
}

// Ids are numbers on some platforms, and names may be; what they are is not.
expected<void> read_text(element value, std::string_view name, std::string& out,
                         bool or_number = false) {
  if (value.is_null())
    return {};
  if (value.is_string())
    out = std::string_view{value.get_string().value_unsafe()};
  else if (or_number && (value.is_int64() || value.is_uint64()))
    out = simdjson::minify(value);
  else
    return invalid_member(name, "is not a string");
  return {};
}

expected<void> read_uuid(element value, std::string_view name,
                         std::optional<uuid>& out) {
  if (value.is_null())
    return {};
  if (value.is_string())
    out = uuid::parse(value.get_string().value_unsafe());
  if (!out)
    return invalid_member(name, "is not a UUID");
  // Nobody's id: what a variable has that was never set.
  if (out->is_nil())
    out.reset();
  return {};
}

} // namespace

tl::unexpected<error> invalid_member(std::string_view member,
                                     std::string_view why) {
  return fail(ec::unprocessable,
              "/" + std::string{member} + " " + std::string{why});
}

expected<event> read_native(element item, std::string_view text) {
  event ev;
  simdjson::dom::object object;
  if (item.get_object().get(object))
    return fail(ec::unprocessable, "an event is a JSON object");
  const std::pair<std::string_view, std::string*> texts[] = {
      {"event_type", &ev.event_type},   {"event_id", &ev.event_id},
      {"platform", &ev.platform},       {"source_id", &ev.source_id},
      {"source_name", &ev.source_name}, {"actor_id", &ev.actor_id},
      {"actor_name", &ev.actor_name},
  };
  for (const auto member : object) {
    const auto name = member.key;
    const auto* known =
        std::find_if(std::begin(texts), std::end(texts),
                     [&](const auto& t) { return t.first == name; });
    expected<void> read;
    if (known != std::end(texts)) {
      read = read_text(member.value, name, *known->second,
                       name != "event_type" && name != "platform");
    } else if (name == "correlation_id") {
      read = read_uuid(member.value, name, ev.correlation_id);
    } else if (name == "parent_event_id") {
      read = read_uuid(member.value, name, ev.parent_event_id);
    } else if (name == "priority") {
      std::string level;
      read = read_text(member.value, name, level);
      const auto found = parse_priority(level);
      if (read && !level.empty() && !found)
        read =
            invalid_member(name, "is not one of low, normal, high, critical");
      ev.priority = found.value_or(priority::normal);
    } else if (name == "metadata") {
      if (!member.value.is_object() && !member.value.is_null())
        read = invalid_member(name, "is not an object");
    } else if (name != "payload") {
      read = invalid_member(name, "is not a known member");
    }
    if (!read)
      return fail(std::move(read.error()));
  }
  if (const auto twice = codec::repeated_member(object))
    return fail(ec::malformed, "/" + std::string{*twice} + " is given twice");
  if (ev.event_type.empty())
    return invalid_member("event_type", "is missing or empty");
  if (ev.platform.empty())
    ev.platform = "custom";
  if (!is_platform_name(ev.platform))
    return invalid_member("platform", "is not 1 to 64 of a-z, 0-9, '_', '-'");
  if (const auto found = codec::json_places(text, "/metadata");
      !found.empty() && found.front() != "null")
    ev.metadata = found.front();
  if (ev.metadata.size() > max_metadata)
    return invalid_member("metadata", "is longer than " +
                                          std::to_string(max_metadata) +
                                          " bytes");
  const auto payload = codec::json_places(text, "/payload");
  ev.payload = shared_text{std::string{
      payload.empty() ? std::string_view{"null"} : payload.front()}};
  return ev;
}

} // namespace eventweft::platforms
