// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/platform.hpp"
#include "config/settings.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::platforms {

/// Makes all platforms, but for those that `settings` (`[platforms.NAME]`)
/// switches off: those with code, and those that a definition describes, be it
/// shipped or one of the `*.toml` files in `directory` (empty: none), which
/// replace shipped ones of the same name. The clock and the random source must
/// outlive them. `bad_configuration` names the section and key, or the
/// definition's file and line; also for a section whose platform nobody knows.
expected<std::vector<platform_ptr>>
make_platforms(const std::map<std::string, config::platform_settings>& settings,
               const clock& time, random_source& random,
               const std::filesystem::path& directory = {});

/// The names that sections `[platforms.NAME]` can have: of all platforms with
/// code or a definition, and "events" for those that senders name themselves.
expected<std::set<std::string, std::less<>>>
platform_names(const std::filesystem::path& directory = {});

/// The section of the platform, also where it is written as the environment
/// has it (`my_tool` for `my-tool`); null if there is none.
const config::platform_settings*
section_of(const std::map<std::string, config::platform_settings>& settings,
           std::string_view name);

/// `bad_configuration` for a section whose platform is not among `names`.
expected<void>
check_sections(const std::map<std::string, config::platform_settings>& settings,
               const std::set<std::string, std::less<>>& names);

} // namespace eventweft::platforms
