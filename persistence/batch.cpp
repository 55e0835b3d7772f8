// SPDX-License-Identifier: Apache-2.0
#include "persistence/batch.hpp"

#include "codec/json_text.hpp"

#include <algorithm>
#include <iterator>

namespace eventweft {
namespace {

expected<void> append_part(std::span<const event_ptr> events,
                           const append_once& once, append_results& results) {
  auto done = once(events);
  if (done) {
    std::ranges::move(done->items, std::back_inserter(results.items));
    auto& all = results.threads;
    auto& part = done->threads;
    std::ranges::move(part.merges, std::back_inserter(all.merges));
    std::ranges::move(part.facts, std::back_inserter(all.facts));
    std::ranges::move(part.hot_keys, std::back_inserter(all.hot_keys));
    std::ranges::move(part.huge_keys, std::back_inserter(all.huge_keys));
    all.linked += part.linked;
    all.started += part.started;
    all.lookups += part.lookups;
    std::ranges::move(part.news.links, std::back_inserter(all.news.links));
    std::ranges::move(part.news.names, std::back_inserter(all.news.names));
    std::ranges::move(done->unsynced, std::back_inserter(results.unsynced));
    results.contended = results.contended || done->contended;
    return {};
  }
  if (done.error().code != ec::row_refused)
    return fail(std::move(done.error()));
  if (events.size() == 1) {
    append_result refused;
    refused.outcome.id = events.front()->id;
    refused.refused = std::move(done.error());
    results.items.push_back(std::move(refused));
    return {};
  }
  auto half = events.size() / 2;
  if (auto first = append_part(events.first(half), once, results); !first)
    return first;
  return append_part(events.subspan(half), once, results);
}

} // namespace

expected<append_results> append_isolating(std::span<const event_ptr> events,
                                          const append_once& once) {
  append_results results;
  results.items.reserve(events.size());
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

bool any_keys(std::span<const event_ptr> events) noexcept {
  return std::ranges::any_of(events,
                             [](const auto& e) { return !e->keys.empty(); });
}

timestamp newest(std::span<const event_ptr> events) noexcept {
  timestamp at{};
  for (const auto& e : events)
    at = std::max(at, e->created_at);
  return at;
}

} // namespace eventweft
