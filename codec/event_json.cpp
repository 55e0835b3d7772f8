// SPDX-License-Identifier: Apache-2.0
#include "codec/event_json.hpp"

#include "codec/json_text.hpp"
#include "codec/list_json.hpp"
#include "messages/url_escape.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <utility>

namespace eventweft::codec {

namespace {

void append_number(std::string& out, int64_t n) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, n).ptr;
  out.append(digits, static_cast<size_t>(end - digits));
}

void append_text(std::string& out, std::string_view quoted_key,
                 std::string_view value) {
  out.append(quoted_key);
  append_quoted(out, value);
}

void append_uuid(std::string& out, const uuid& id) {
  out.push_back('"');
  append_to(out, id);
  out.push_back('"');
}

void append_uuid_or_null(std::string& out, const std::optional<uuid>& id) {
  if (id)
    append_uuid(out, *id);
  else
    out.append("null");
}

void append_time(std::string& out, timestamp t) {
  out.push_back('"');
  append_rfc3339(out, t);
  out.push_back('"');
}

// A path segment of a URI reference; '/' stays.
void append_uri_path(std::string& out, std::string_view text) {
  append_url_escaped(out, text, "/@:!$&'()*+,;=");
}

void append_payload(std::string& out, const event& ev) {
  if (ev.payload.empty())
    out.append("null");
  else
    out.append(ev.payload.view());
}

} // namespace

void append_native(std::string& out, const event& ev) {
  out.reserve(out.size() + ev.footprint() + 512);
  out.append(R"({"id":)");
  append_uuid(out, ev.id);
  out.append(R"(,"seq":)");
  append_number(out, ev.seq);
  append_text(out, R"(,"event_id":)", ev.event_id);
  append_text(out, R"(,"platform":)", ev.platform);
  append_text(out, R"(,"event_type":)", ev.event_type);
  append_text(out, R"(,"source_id":)", ev.source_id);
  append_text(out, R"(,"source_name":)", ev.source_name);
  append_text(out, R"(,"actor_id":)", ev.actor_id);
  append_text(out, R"(,"actor_name":)", ev.actor_name);
  append_text(out, R"(,"priority":)", to_string(ev.priority));
  out.append(R"(,"correlation_id":)");
  append_uuid_or_null(out, ev.correlation_id);
  out.append(R"(,"parent_event_id":)");
  append_uuid_or_null(out, ev.parent_event_id);
  out.append(R"(,"metadata":)").append(ev.metadata);
  out.append(R"(,"created_at":)");
  append_time(out, ev.created_at);
  out.append(R"(,"processed_at":)");
  if (ev.processed_at)
    append_time(out, *ev.processed_at);
  else
    out.append("null");
  out.append(R"(,"processing_duration":)");
  // JSON knows neither infinity nor NaN.
  if (ev.processing_duration && std::isfinite(*ev.processing_duration))
    fmt::format_to(std::back_inserter(out), "{:.6f}", *ev.processing_duration);
  else
    out.append("null");
  // Last, so that its exact bytes can be found again (see parse_native).
  out.append(R"(,"payload":)");
  append_payload(out, ev);
  out.push_back('}');
}

void append_cloudevent(std::string& out, const event& ev) {
  out.reserve(out.size() + ev.footprint() + 512);
  out.append(R"({"specversion":"1.0","id":)");
  append_uuid(out, ev.id);
  std::string source = "/";
  append_uri_path(source, ev.platform);
  if (!ev.source_name.empty() || !ev.source_id.empty()) {
    source.push_back('/');
    append_uri_path(source,
                    ev.source_name.empty() ? ev.source_id : ev.source_name);
  }
  append_text(out, R"(,"source":)", source);
  std::string type = ev.platform + "." + ev.event_type;
  for (char& c : type)
    if (c == ':')
      c = '.';
  append_text(out, R"(,"type":)", type);
  out.append(R"(,"time":)");
  append_time(out, ev.created_at);
  // Attribute names are lower-case letters and digits only (spec, "Naming
  // conventions"); `sequence` and `correlationid` are documented extensions.
  out.append(R"(,"sequence":")");
  append_number(out, ev.seq);
  out.push_back('"');
  append_text(out, R"(,"deliveryid":)", ev.event_id);
  append_text(out, R"(,"platform":)", ev.platform);
  append_text(out, R"(,"eventtype":)", ev.event_type);
  const auto optional_member = [&](std::string_view key, std::string_view v) {
    if (!v.empty())
      append_text(out, key, v);
  };
  optional_member(R"(,"sourceid":)", ev.source_id);
  optional_member(R"(,"sourcename":)", ev.source_name);
  optional_member(R"(,"actorid":)", ev.actor_id);
  optional_member(R"(,"actorname":)", ev.actor_name);
  append_text(out, R"(,"priority":)", to_string(ev.priority));
  if (ev.correlation_id) {
    out.append(R"(,"correlationid":)");
    append_uuid(out, *ev.correlation_id);
  }
  if (ev.parent_event_id) {
    out.append(R"(,"causationid":)");
    append_uuid(out, *ev.parent_event_id);
  }
  out.append(R"(,"datacontenttype":"application/json","data":)");
  append_payload(out, ev);
  out.push_back('}');
}

std::string_view wire_text(const event_ptr& ev, wire_format format) {
  auto& slot = ev.slot(format);
  std::call_once(slot.once, [&] {
    if (format == wire_format::cloudevents)
      append_cloudevent(slot.text, *ev);
    else
      append_native(slot.text, *ev);
  });
  return slot.text;
}

namespace {

using simdjson::ondemand::json_type;

// Reads one member of the native form into `ev`; the payload is taken by the
// caller. simdjson's exceptions are caught there too.
void read_member(event& ev, std::string_view key,
                 simdjson::ondemand::value value) {
  const auto text = [&] { return std::string{std::string_view{value}}; };
  const bool null = value.type() == json_type::null;
  const auto id = [&]() -> std::optional<uuid> {
    if (null)
      return std::nullopt;
    const auto parsed = uuid::parse(std::string_view{value});
    if (!parsed)
      throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE);
    return parsed;
  };
  const auto time = [&] {
    const auto parsed = parse_rfc3339(std::string_view{value});
    if (!parsed)
      throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE);
    return *parsed;
  };
  if (key == "id")
    ev.id = id().value_or(uuid{});
  else if (key == "seq")
    ev.seq = null ? 0 : int64_t{value};
  else if (key == "event_id")
    ev.event_id = text();
  else if (key == "platform")
    ev.platform = text();
  else if (key == "event_type")
    ev.event_type = text();
  else if (key == "source_id")
    ev.source_id = text();
  else if (key == "source_name")
    ev.source_name = text();
  else if (key == "actor_id")
    ev.actor_id = text();
  else if (key == "actor_name")
    ev.actor_name = text();
  else if (key == "priority")
    ev.priority =
        parse_priority(std::string_view{value}).value_or(priority::normal);
  else if (key == "correlation_id")
    ev.correlation_id = id();
  else if (key == "parent_event_id")
    ev.parent_event_id = id();
  else if (key == "metadata")
    ev.metadata = std::string{value.get_object().value().raw_json().value()};
  else if (key == "created_at")
    ev.created_at = time();
  else if (key == "processed_at" && !null)
    ev.processed_at = time();
  else if (key == "processing_duration" && !null)
    ev.processing_duration = double{value};
}

std::string_view raw_value(simdjson::ondemand::value value) {
  std::string_view raw;
  switch (value.type()) {
  case json_type::object:
    raw = value.get_object().value().raw_json().value();
    break;
  case json_type::array:
    raw = value.get_array().value().raw_json().value();
    break;
  default:
    raw = value.raw_json_token();
  }
  // simdjson hands out what stands before the next token too.
  return raw.substr(0, raw.find_last_not_of(" \t\r\n") + 1);
}

} // namespace

expected<event> parse_native(std::string_view text) try {
  if (!is_utf8(text))
    return fail(ec::malformed, "the event is not valid UTF-8, at byte " +
                                   std::to_string(utf8_length(text)));
  simdjson::ondemand::parser parser;
  const simdjson::padded_string padded{text};
  const std::string_view all{padded};
  auto doc = parser.iterate(padded);
  event ev;
  std::string_view payload;
  bool payload_is_last = false;
  size_t payload_start = 0;
  for (auto field : doc.get_object()) {
    const auto* raw_key = field.key().value().raw();
    const std::string_view key = field.unescaped_key();
    payload_is_last = key == "payload";
    if (!payload_is_last) {
      read_member(ev, key, field.value());
      continue;
    }
    const auto at = static_cast<size_t>(raw_key - all.data());
    payload_start = all.find(':', all.find('"', at)) + 1;
    payload = raw_value(field.value());
  }
  if (!doc.current_location().error())
    return fail(ec::malformed, "unexpected text after the event");
  // White space around a payload belongs to it: what we wrote ends with the
  // payload's last byte and one brace.
  if (payload_is_last) {
    const auto end = all.rfind('}');
    payload = all.substr(payload_start, end - payload_start);
  }
  if (ev.platform.empty() || ev.event_id.empty() || ev.event_type.empty())
    return fail(ec::malformed,
                "an event needs platform, event_id and event_type");
  if (auto readable = readable_json(payload))
    ev.payload_readable = shared_text{std::move(*readable)};
  ev.payload = shared_text{std::string{payload}};
  return ev;
} catch (const simdjson::simdjson_error& e) {
  return fail(ec::malformed, fmt::format("not an event in JSON: {}", e.what()));
}

std::string page_json(const event_page& page) {
  return list_json(
      "events", page.events,
      [](std::string& out, const event_ptr& ev) { append_native(out, *ev); },
      page.next_cursor ? std::to_string(*page.next_cursor) : std::string{});
}

std::string outcome_json(const append_outcome& outcome) {
  std::string out = R"({"id":)";
  append_uuid(out, outcome.id);
  out.append(R"(,"seq":)");
  if (outcome.spooled)
    out.append("null");
  else
    append_number(out, outcome.seq);
  out.append(R"(,"duplicate":)").append(outcome.duplicate ? "true" : "false");
  if (outcome.spooled)
    out.append(R"(,"spooled":true)");
  out.push_back('}');
  return out;
}

} // namespace eventweft::codec
