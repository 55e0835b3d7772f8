// SPDX-License-Identifier: Apache-2.0
#include "app/proofs.hpp"

namespace eventweft {

void warn_of_unsigned(const config::settings& s, spdlog::logger& log) {
  for (const auto& [name, platform] : s.platforms)
    if (platform.enabled && platform.allow_unsigned &&
        platform.secrets.empty() && platform.tokens.empty())
      log.warn("[platforms.{}] takes webhooks from anybody: allow_unsigned is "
               "set and there is no secret",
               name);
}

void tell_of_unproven(const config::settings& s, spdlog::logger& log) {
  for (const auto& [name, platform] : s.platforms)
    // Custom events may come with credentials of ours.
    if (name != "events" && platform.enabled && !platform.allow_unsigned &&
        platform.secrets.empty() && platform.tokens.empty())
      log.debug("[platforms.{}] refuses all webhooks: there is no secret",
                name);
}

bool events_prove_themselves(const config::settings& s) {
  const auto found = s.platforms.find("events");
  return found != s.platforms.end() &&
         (found->second.allow_unsigned || !found->second.secrets.empty() ||
          !found->second.tokens.empty());
}

} // namespace eventweft
