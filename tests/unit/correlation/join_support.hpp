// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/joiner.hpp"
#include "correlation/keys.hpp"
#include "correlation/memory_index.hpp"

#include <random>
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

/// Events of a few hundred works whose keys overlap, with mentions that wait
/// for a fact and short SHAs among them.
inline std::vector<joined_event> random_week(std::mt19937& random) {
  const auto below = [&](uint32_t n) {
    return std::uniform_int_distribution<uint32_t>{0, n - 1}(random);
  };
  const auto sha = [](uint32_t n) {
    // Distinct in their first seven digits.
    std::string hex = std::to_string(1'000'000 + n);
    hex[0] = 'a';
    hex.resize(40, '7');
    return "git:sha:" + hex;
  };
  std::vector<joined_event> out;
  for (uint64_t n = 1; n <= 150; ++n) {
    std::vector<correlation_key> keys;
    const auto count = below(4);
    for (uint32_t i = 0; i < count; ++i) {
      const auto x = below(60);
      const auto number = std::to_string(x);
      switch (below(7)) {
      case 0:
        keys.push_back(link("github:pr:o/r#" + number));
        break;
      case 1:
        keys.push_back(link("git:branch:o/r:b" + number));
        break;
      case 2:
        keys.push_back(link(sha(x)));
        break;
      case 3:
        keys.push_back(waiting(sha(x).substr(0, 8 + 7 + below(6)),
                               sha_fact(sha(x).substr(8))));
        break;
      case 4:
        keys.push_back(
            waiting("linear:issue:T" + std::to_string(x % 5) + "-" + number,
                    "linear:team:T" + std::to_string(x % 5)));
        break;
      case 5: {
        const auto team = "T" + std::to_string(x % 5);
        keys.push_back(identity("linear:issue:" + team + "-" + number));
        if (below(4) == 0)
          keys.push_back(fact("linear:team:" + team));
        break;
      }
      default:
        keys.push_back(waiting("slack:thread::C" + number + ":17.000000",
                               "slack:channel:C" + number));
        if (below(3) == 0)
          keys.push_back(fact("slack:channel:C" + number, "T"));
      }
    }
    out.push_back(ev(n, std::move(keys)));
  }
  return out;
}

} // namespace eventweft::correlation::testing
