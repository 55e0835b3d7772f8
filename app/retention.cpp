// SPDX-License-Identifier: Apache-2.0
#include "app/retention.hpp"

#include "config/age.hpp"

namespace eventweft {

expected<retention_policy> retention_of(const config::settings& settings) {
  retention_policy out;
  const auto keep = config::parse_age(settings.retention.keep);
  if (!keep)
    return fail(keep.error().code, "[retention] keep: " + keep.error().message);
  out.keep = *keep;
  for (const auto& [name, platform] : settings.platforms) {
    const auto own = config::parse_age(platform.keep);
    if (!own)
      return fail(own.error().code,
                  "[platforms." + name + "] keep: " + own.error().message);
    if (*own)
      out.platforms.emplace(name, **own);
  }
  return out;
}

expected<std::optional<std::chrono::seconds>>
audit_retention_of(const config::settings& settings) {
  auto keep = config::parse_age(settings.retention.audit);
  if (!keep)
    return fail(keep.error().code,
                "[retention] audit: " + keep.error().message);
  return keep;
}

} // namespace eventweft
