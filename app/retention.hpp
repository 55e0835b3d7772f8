// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "messages/errors.hpp"
#include "persistence/maintenance.hpp"

namespace eventweft {

/// `[retention] keep` and each platform's own. `bad_configuration` names the
/// key that can't be read.
expected<retention_policy> retention_of(const config::settings& settings);

/// `[retention] audit`; nothing: for ever.
expected<std::optional<std::chrono::seconds>>
audit_retention_of(const config::settings& settings);

} // namespace eventweft
