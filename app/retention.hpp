// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "messages/errors.hpp"
#include "persistence/maintenance.hpp"

namespace eventweft {

/// `[retention] keep` and each platform's own; that of `[platforms.events]` is
/// for all platforms that are neither built in nor defined. `bad_configuration`
/// names the key that can't be read, or a section of no platform.
expected<retention_policy> retention_of(const config::settings& settings);

/// `[retention] audit`; nothing: for ever.
expected<std::optional<std::chrono::seconds>>
audit_retention_of(const config::settings& settings);

} // namespace eventweft
