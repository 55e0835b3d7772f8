// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "telemetry/metrics.hpp"

#include <cstdint>
#include <string>

namespace eventweft::testing {

/// A figure as the text of all metrics has it, by its name and labels; -1: it
/// has no such line.
inline int64_t figure(const metrics& figures, const std::string& series) {
  const auto name = '\n' + series + ' ';
  const auto text = figures.text();
  const auto at = text.find(name);
  return at == std::string::npos ? -1
                                 : std::stoll(text.substr(at + name.size()));
}

/// How often actors of that name were started anew.
inline int64_t restarts_of(const metrics& figures, const std::string& actor) {
  return figure(figures,
                "eventweft_actor_restarts_total{actor=\"" + actor + "\"}");
}

} // namespace eventweft::testing
