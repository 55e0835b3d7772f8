// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/collector.hpp"
#include "config/loader.hpp"

#include <filesystem>
#include <string_view>

/// Where values come from. Each finds the key that is meant, says what is
/// unknown, and gives the rest to the collector; relative paths in values are
/// relative to `base`.
namespace eventweft::config {

/// The text of a file; `name` is what messages call it.
void add_file(collector& to, std::string_view text, std::string_view name,
              const std::filesystem::path& base);

/// `EVENTWEFT_…` and the classic variables; others are not looked at.
void add_environment(collector& to, const environment& env,
                     const std::filesystem::path& base);

void add_flag(collector& to, const flag& f, const std::filesystem::path& base);

} // namespace eventweft::config
