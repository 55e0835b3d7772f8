// SPDX-License-Identifier: Apache-2.0
#include "persistence/batch.hpp"

#include "codec/json_text.hpp"

namespace eventweft {
namespace {

expected<void> append_part(std::span<const event_ptr> events,
                           const append_once& once,
                           std::vector<append_result>& results) {
  auto outcomes = once(events);
  if (outcomes) {
    for (const auto& outcome : *outcomes)
      results.push_back({outcome, std::nullopt});
    return {};
  }
  if (outcomes.error().code != ec::row_refused)
    return fail(std::move(outcomes.error()));
  if (events.size() == 1) {
    append_result refused;
    refused.outcome.id = events.front()->id;
    refused.refused = std::move(outcomes.error());
    results.push_back(std::move(refused));
    return {};
  }
  auto half = events.size() / 2;
  if (auto done = append_part(events.first(half), once, results); !done)
    return done;
  return append_part(events.subspan(half), once, results);
}

} // namespace

expected<std::vector<append_result>>
append_isolating(std::span<const event_ptr> events, const append_once& once) {
  std::vector<append_result> results;
  results.reserve(events.size());
  if (events.empty())
    return results;
  if (auto done = append_part(events, once, results); !done)
    return fail(std::move(done.error()));
  return results;
}

std::string storable_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    auto lead = static_cast<unsigned char>(text.front());
    size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (lead != 0 && length <= text.size() &&
        codec::is_utf8(text.substr(0, length))) {
      out += text.substr(0, length);
      text.remove_prefix(length);
    } else {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    }
  }
  return out;
}

} // namespace eventweft
