// SPDX-License-Identifier: Apache-2.0
#include "app/retention.hpp"

#include "actors/platforms/registry.hpp"
#include "config/age.hpp"

#include <utility>

namespace eventweft {

namespace {

/// Custom events come in here, and have a platform of their sender's choice.
constexpr std::string_view custom = "events";

using age = std::optional<std::chrono::seconds>;

expected<age> age_of(const std::string& section, std::string_view key,
                     const std::string& text) {
  auto out = config::parse_age(text);
  if (!out)
    return fail(out.error().code, "[" + section + "] " + std::string{key} +
                                      ": " + out.error().message);
  return out;
}

} // namespace

expected<retention_policy> retention_of(const config::settings& settings) {
  retention_policy out;
  const auto keep = age_of("retention", "keep", settings.retention.keep);
  if (!keep)
    return fail(keep.error());
  out.keep = *keep;
  auto names = platforms::platform_names(settings.event.platforms_directory);
  if (!names)
    return fail(std::move(names.error()));
  if (auto known = platforms::check_sections(settings.platforms, *names);
      !known)
    return fail(std::move(known.error()));
  for (const auto& name : *names) {
    const auto* section = platforms::section_of(settings.platforms, name);
    if (section == nullptr)
      continue;
    const auto own = age_of("platforms." + name, "keep", section->keep);
    if (!own)
      return fail(own.error());
    if (!*own)
      continue;
    if (name == custom)
      out.others = retention_policy::others_rule{**own, {}};
    else
      out.platforms.emplace(name, **own);
  }
  if (out.others) {
    names->erase(names->find(custom));
    out.others->but = {names->begin(), names->end()};
  }
  return out;
}

std::vector<std::string> keeps_below(const retention_policy& policy,
                                     std::chrono::seconds window) {
  std::vector<std::string> out;
  const auto look = [&](std::string where, const age& keep) {
    if (keep && *keep < window)
      out.push_back(std::move(where));
  };
  look("[retention] keep", policy.keep);
  for (const auto& [name, keep] : policy.platforms)
    look("[platforms." + name + "] keep", keep);
  if (policy.others)
    look("[platforms." + std::string{custom} + "] keep", policy.others->keep);
  return out;
}

expected<std::optional<std::chrono::seconds>>
audit_retention_of(const config::settings& settings) {
  return age_of("retention", "audit", settings.retention.audit);
}

} // namespace eventweft
