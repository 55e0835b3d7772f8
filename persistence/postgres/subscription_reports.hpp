// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/postgres/connection.hpp"
#include "persistence/subscriptions.hpp"

#include <optional>
#include <span>
#include <vector>

namespace eventweft::postgres {

/// Writes how far subscriptions are, with their attempts, in one round trip. A
/// report whose owner lost its subscription gets that as its error; a row that
/// is refused fails all.
expected<std::vector<std::optional<error>>>
save_reports(connection& own, std::span<const delivery_report> reports);

} // namespace eventweft::postgres
