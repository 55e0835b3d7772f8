// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/registry.hpp"

#include "actors/platforms/custom.hpp"
#include "actors/platforms/deployments.hpp"
#include "actors/platforms/github.hpp"
#include "actors/platforms/linear.hpp"
#include "actors/platforms/slack.hpp"

#include <set>
#include <utility>

namespace eventweft::platforms {

namespace {

using maker = expected<platform_ptr> (*)(const platform_parts&);

constexpr std::pair<std::string_view, maker> built_in[] = {
    {"github", make_github},
    {"linear", make_linear},
    {"slack", make_slack},
    {"deployments", make_deployments},
};

bool is_known(std::string_view name) noexcept {
  for (const auto& [known, make] : built_in)
    if (known == name)
      return true;
  return name == "events";
}

} // namespace

expected<std::vector<platform_ptr>>
make_platforms(const std::map<std::string, config::platform_settings>& settings,
               const clock& time, random_source& random) {
  for (const auto& [name, section] : settings)
    if (!is_known(name))
      return fail(ec::bad_configuration,
                  "platforms." + name + ": there is no such platform");
  const auto section_of = [&](std::string_view name) {
    const auto found = settings.find(std::string{name});
    return found == settings.end() ? config::platform_settings{}
                                   : found->second;
  };
  std::vector<platform_ptr> out;
  std::set<std::string, std::less<>> names{"events"};
  const auto add = [&](std::string_view name, auto&& make) -> expected<void> {
    names.emplace(name);
    const auto section = section_of(name);
    if (!section.enabled)
      return {};
    auto made = make(platform_parts{section, time, random});
    if (!made)
      return fail(std::move(made.error()));
    out.push_back(std::move(*made));
    return {};
  };
  for (const auto& [name, make] : built_in)
    if (auto added = add(name, make); !added)
      return fail(std::move(added.error()));
  const auto custom = [&](const platform_parts& parts) {
    return make_custom(parts, names);
  };
  if (auto added = add("events", custom); !added)
    return fail(std::move(added.error()));
  return out;
}

} // namespace eventweft::platforms
