// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace eventweft::codec {

/// If the JSON text holds numbers that PostgreSQL's `numeric`, and with it
/// `jsonb`, can't (more than 131,072 digits before the point or 16,383 after
/// it): a copy with the nearest double in each one's place, which is how our
/// readers read them. What is not JSON stays so.
std::optional<std::string> readable_numbers(std::string_view text);

} // namespace eventweft::codec
