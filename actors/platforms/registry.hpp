// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/platform.hpp"
#include "config/settings.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <map>
#include <string>
#include <vector>

namespace eventweft::platforms {

/// Makes all platforms that are built in, but for those that `settings`
/// (`[platforms.NAME]`) switches off. The clock and the random source must
/// outlive them. `bad_configuration` names the section and key, also for a
/// section whose platform nobody knows.
expected<std::vector<platform_ptr>>
make_platforms(const std::map<std::string, config::platform_settings>& settings,
               const clock& time, random_source& random);

} // namespace eventweft::platforms
