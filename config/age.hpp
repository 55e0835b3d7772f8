// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace eventweft::config {

/// Reads "90d", "12h", "30m" or "45s" (a whole number above 0; at most 100
/// years). Nothing for an empty text. `bad_configuration` for anything else,
/// which says what was found but not which key it was.
expected<std::optional<std::chrono::seconds>> parse_age(std::string_view text);

} // namespace eventweft::config
