// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/platform.hpp"
#include "config/settings.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <filesystem>
#include <map>
#include <string>
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

} // namespace eventweft::platforms
