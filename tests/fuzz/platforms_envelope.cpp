// SPDX-License-Identifier: Apache-2.0
// A request to any platform: its name, then lines of headers, a blank line and
// the body. Nothing has to be signed.
#include "actors/platforms/registry.hpp"
#include "codec/event_json.hpp"
#include "codec/json_text.hpp"
#include "codec/payload.hpp"
#include "tests/fuzz/check.hpp"

#include <cstdint>
#include <map>
#include <string_view>

using namespace eventweft;

namespace {

std::vector<platforms::platform_ptr> make_all() {
  static manual_clock time{timestamp{std::chrono::seconds{1'769'860'800}}};
  static seeded_random random{1};
  std::map<std::string, config::platform_settings> settings;
  std::vector<platforms::platform_ptr> all;
  const auto defaults = platforms::make_platforms({}, time, random).value();
  for (const auto& p : defaults)
    settings[std::string{p->name()}].allow_unsigned = true;
  settings["github"].redact = {"/a/*", "/sender/login"};
  settings["events"].redact_tokens = {"all"};
  return platforms::make_platforms(settings, time, random).value();
}

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

void check_event(const event& ev) {
  EVENTWEFT_CHECK(!ev.id.is_nil());
  EVENTWEFT_CHECK(!ev.event_id.empty() && ev.event_id.size() <= 256);
  EVENTWEFT_CHECK(!ev.platform.empty() && !ev.event_type.empty());
  for (const auto* text : {&ev.event_id, &ev.event_type, &ev.source_id,
                           &ev.source_name, &ev.actor_id, &ev.actor_name}) {
    EVENTWEFT_CHECK(codec::is_utf8(*text));
    EVENTWEFT_CHECK(text->find('\0') == std::string::npos);
    EVENTWEFT_CHECK(text->size() <= 1'600);
  }
  codec::payload_reader reader;
  EVENTWEFT_CHECK(reader.parse(ev.payload.view()).has_value());
  EVENTWEFT_CHECK(reader.parse(ev.stored_payload().view()).has_value());
  EVENTWEFT_CHECK(reader.readable().empty());
  const auto metadata = reader.parse(ev.metadata);
  EVENTWEFT_CHECK(metadata.has_value() && metadata->is_object());
  EVENTWEFT_CHECK(reader.readable().empty());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto all = make_all();
  std::string_view text{reinterpret_cast<const char*>(data), size};
  webhook w;
  w.method = "POST";
  const auto name = take_line(text);
  while (!text.empty()) {
    const auto line = take_line(text);
    if (line.empty())
      break;
    const auto colon = std::min(line.find(": "), line.size());
    std::string key{line.substr(0, colon)};
    for (auto& c : key)
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    w.headers.emplace_back(std::move(key),
                           line.substr(std::min(colon + 2, line.size())));
  }
  w.body = shared_text{std::string{text}};
  for (const auto& p : all) {
    if (p->name() != name)
      continue;
    const auto taken = p->accept(w);
    if (!taken) {
      EVENTWEFT_CHECK(!taken.error().message.empty());
      EVENTWEFT_CHECK(taken.error().code != ec::internal);
      continue;
    }
    EVENTWEFT_CHECK(taken->answer || taken->batch || !taken->events.empty());
    for (const auto& ev : taken->events)
      check_event(ev);
    const std::vector<platforms::event_outcome> outcomes(taken->events.size());
    EVENTWEFT_CHECK(p->answer(*taken, outcomes).status >= 200);
  }
  return 0;
}
