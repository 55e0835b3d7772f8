// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/engine.hpp"
#include "correlation/text_scanner.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::correlation::testing {

inline event make_event(std::string platform, std::string type,
                        std::string payload, std::string metadata = "{}") {
  event ev;
  ev.platform = std::move(platform);
  ev.event_type = std::move(type);
  ev.event_id = "delivery-0001";
  ev.payload = shared_text{std::move(payload)};
  ev.metadata = std::move(metadata);
  return ev;
}

/// An engine that knows the teams ENG, API and OPS.
struct bench {
  std::shared_ptr<vocabulary> known = std::make_shared<vocabulary>();
  engine rules{known, {}};
  codec::payload_reader reader;

  bench() {
    for (std::string_view team : {"ENG", "API", "OPS"})
      known->learn_team(team);
  }

  std::vector<correlation_key> all(const event& ev) {
    return rules.keys(ev, reader);
  }

  /// The keys that link, as text.
  std::set<std::string> links(const event& ev) {
    std::set<std::string> out;
    for (const auto& k : all(ev))
      if (!k.is_fact() && k.confidence >= 0.7F)
        out.insert(k.key);
    return out;
  }

  std::set<std::string> facts(const event& ev) {
    std::set<std::string> out;
    for (const auto& k : all(ev))
      if (k.is_fact())
        out.insert(k.key);
    return out;
  }
};

inline const correlation_key* find(const std::vector<correlation_key>& keys,
                                   std::string_view key) {
  const auto at = std::find_if(keys.begin(), keys.end(),
                               [&](const auto& k) { return k.key == key; });
  return at == keys.end() ? nullptr : &*at;
}

} // namespace eventweft::correlation::testing
