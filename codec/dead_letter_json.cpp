// SPDX-License-Identifier: Apache-2.0
#include "codec/dead_letter_json.hpp"

#include "codec/json_text.hpp"

#include <simdjson.h>

#include <algorithm>

namespace eventweft::codec {

std::string attempts_json(std::span<const failed_attempt> attempts) {
  const auto count = std::min(attempts.size(), dead_letter_history);
  std::string out = "[";
  for (const auto& a : attempts.last(count)) {
    if (out.size() > 1)
      out += ',';
    out += '{';
    append_member(out, "at", to_rfc3339(a.at));
    append_member(out, "error", a.error);
    out += '}';
  }
  return out + "]";
}

std::vector<failed_attempt> parse_attempts(std::string_view text) {
  std::vector<failed_attempt> out;
  simdjson::dom::parser parser;
  simdjson::dom::array list;
  if (parser.parse(text.data(), text.size()).get(list) != simdjson::SUCCESS)
    return out;
  for (const auto item : list) {
    std::string_view at;
    std::string_view why;
    if (item["at"].get(at) != simdjson::SUCCESS ||
        item["error"].get(why) != simdjson::SUCCESS)
      continue;
    if (const auto time = parse_rfc3339(at))
      out.push_back({*time, std::string{why}});
  }
  return out;
}

namespace {

/// Without the body and the closing brace.
void append_letter_head(std::string& out, const dead_letter& d) {
  out += '{';
  append_member(out, "id", to_string(d.id));
  append_member(out, "created_at", to_rfc3339(d.created_at));
  append_member(out, "origin", d.origin);
  append_member(out, "reason", d.reason);
  out += ",\"attempts\":" + std::to_string(d.attempts);
  out += ",\"history\":" + attempts_json(d.history);
  if (d.event_id)
    append_member(out, "event_id", to_string(*d.event_id));
  else
    out += ",\"event_id\":null";
  out += ",\"event_seq\":" + std::to_string(d.event_seq);
  append_member(out, "platform", d.platform);
  append_member(out, "event_type", d.event_type);
}

} // namespace

void append_dead_letter(std::string& out, const dead_letter& d) {
  append_letter_head(out, d);
  append_member(out, "body", d.body);
  out += '}';
}

void append_dead_letter_summary(std::string& out, const dead_letter& d) {
  append_letter_head(out, d);
  const auto bytes = d.body.empty() ? d.body_bytes : d.body.size();
  out += ",\"body_bytes\":" + std::to_string(bytes) + '}';
}

} // namespace eventweft::codec
