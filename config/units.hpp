// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Sizes and times as people write them.
namespace eventweft::config {

/// "25 MiB"; plain bytes where no unit divides.
std::string bytes_text(uint64_t bytes);

/// A whole number, with B, KiB, MiB, GiB or TiB behind it or nothing; nothing
/// if the text is anything else or too large.
std::optional<uint64_t> parse_bytes(std::string_view text);

/// "2.5" for 2500 ms.
std::string seconds_text(milliseconds d);

} // namespace eventweft::config
