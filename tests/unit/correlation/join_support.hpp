// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/joiner.hpp"
#include "correlation/keys.hpp"
#include "correlation/memory_index.hpp"

#include <set>
#include <string>
#include <vector>

namespace eventweft::correlation::testing {

inline uuid id_of(uint64_t n) {
  uuid id;
  for (size_t i = 0; i < 8; ++i)
    id.bytes[15 - i] = static_cast<uint8_t>(n >> (8 * i));
  return id;
}

struct joined_event {
  uuid id;
  timestamp at{};
  std::vector<correlation_key> keys;
};

inline correlation_key link(std::string key, bool from_text = false) {
  return {.key = std::move(key),
          .type = {correlation_noun::mention, correlation_noun::pr},
          .confidence = 1,
          .from_text = from_text};
}

inline correlation_key identity(std::string key) {
  return {.key = std::move(key), .confidence = 1};
}

inline correlation_key fact(std::string name, std::string value = {}) {
  return {.key = std::move(name),
          .type = {correlation_noun::none, correlation_noun::none},
          .matched = std::move(value)};
}

inline correlation_key waiting(std::string key, std::string needs) {
  auto k = link(std::move(key), true);
  k.confidence = 0.5F;
  k.needs = std::move(needs);
  return k;
}

inline joined_event ev(uint64_t n, std::vector<correlation_key> keys) {
  return {id_of(n), timestamp{std::chrono::seconds{n}}, std::move(keys)};
}

inline expected<join_result> join_all(memory_index& index,
                                      const std::vector<joined_event>& events,
                                      const join_limits& limits = {}) {
  std::vector<join_input> inputs;
  for (const auto& e : events)
    inputs.push_back({e.id, e.at, e.keys});
  return join(index, inputs, limits);
}

/// The threads as sets of events, whatever their ids are.
inline std::set<std::set<uuid>> partition(const memory_index& index) {
  std::set<std::set<uuid>> out;
  for (const auto& [id, events] : index.threads())
    out.insert(events);
  return out;
}

} // namespace eventweft::correlation::testing
