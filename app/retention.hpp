// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "messages/errors.hpp"
#include "persistence/maintenance.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace eventweft {

/// `[retention] keep` and each platform's own; that of `[platforms.events]` is
/// for all platforms that are neither built in nor defined. `bad_configuration`
/// names the key that can't be read, or a section of no platform.
expected<retention_policy> retention_of(const config::settings& settings);

/// The settings, as in "[platforms.slack] keep", that keep events for less than
/// `window`.
std::vector<std::string> keeps_below(const retention_policy& policy,
                                     std::chrono::seconds window);

/// `[retention] audit`; nothing: for ever.
expected<std::optional<std::chrono::seconds>>
audit_retention_of(const config::settings& settings);

} // namespace eventweft
