// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/keys.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What sections, keys and variables are called. Where a function takes a
/// section and a `name`, that is the platform's or the processor's, for a
/// section that is there for each of them.
namespace eventweft::config {

/// "platforms.github" for "platforms.*" and "github"; the section itself if it
/// is not a named one.
std::string section_path(std::string_view section, std::string_view name);

/// "[platforms.github]"
std::string heading(std::string_view section, std::string_view name);

/// "platforms.github.secrets"
std::string key_path(std::string_view section, std::string_view name,
                     std::string_view key);

/// "EVENTWEFT_SERVER_LISTEN"; for a platform's key its name takes the place
/// of `*`.
std::string environment_name(const key& k, std::string_view platform = {});

/// Whether there can be a platform, or a processor, of this name; true for any
/// other section.
bool fits(std::string_view section, std::string_view name);

/// Of all sections, without their brackets.
std::vector<std::string> section_names();

/// Of all keys of the section; none if there is no such section.
std::vector<std::string> key_names(std::string_view section);

} // namespace eventweft::config
