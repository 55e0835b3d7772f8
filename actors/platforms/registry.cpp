// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/registry.hpp"

#include "actors/platforms/github.hpp"

#include <functional>
#include <utility>

namespace eventweft::platforms {

namespace {

using maker = expected<platform_ptr> (*)(const platform_parts&);

constexpr std::pair<std::string_view, maker> built_in[] = {
    {"github", make_github},
};

bool is_known(std::string_view name) noexcept {
  for (const auto& [known, make] : built_in)
    if (known == name)
      return true;
  return false;
}

} // namespace

expected<std::vector<platform_ptr>>
make_platforms(const std::map<std::string, config::platform_settings>& settings,
               const clock& time, random_source& random) {
  for (const auto& [name, section] : settings)
    if (!is_known(name))
      return fail(ec::bad_configuration,
                  "platforms." + name + ": there is no such platform");
  std::vector<platform_ptr> out;
  for (const auto& [name, make] : built_in) {
    const auto found = settings.find(std::string{name});
    const auto section =
        found == settings.end() ? config::platform_settings{} : found->second;
    if (!section.enabled)
      continue;
    auto made = make(platform_parts{section, time, random});
    if (!made)
      return fail(std::move(made.error()));
    out.push_back(std::move(*made));
  }
  return out;
}

} // namespace eventweft::platforms
