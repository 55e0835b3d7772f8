// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "telemetry/metrics.hpp"

#include <cstdint>
#include <string>

namespace eventweft::testing {

/// How often actors of that name were started anew, as the text of all metrics
/// has it; -1: it has no such line.
inline int64_t restarts_of(const metrics& figures, const std::string& actor) {
  const auto name =
      "\neventweft_actor_restarts_total{actor=\"" + actor + "\"} ";
  const auto text = figures.text();
  const auto at = text.find(name);
  return at == std::string::npos ? -1
                                 : std::stoll(text.substr(at + name.size()));
}

} // namespace eventweft::testing
