// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "config/value.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Rules as files write them: one table each.
namespace eventweft::config {

/// Fills `rule` from the table. Nothing on success, else what is wrong with it,
/// with its line.
std::optional<std::string> read_rule(const text_table& table,
                                     priority_rule& rule);
std::optional<std::string> read_rule(const text_table& table,
                                     correlation_rule& rule);

} // namespace eventweft::config
