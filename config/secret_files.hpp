// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/value.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace eventweft::config {

/// As `assign`, for a `secret_file`: `raw` is one path or several, relative to
/// `base`, and each line of these files that is not blank is a secret. Where
/// `target` takes one only, that is the first. An empty path is none.
std::optional<std::string> assign_from_files(const key& k, field target,
                                             const raw_value& raw,
                                             const std::filesystem::path& base);

} // namespace eventweft::config
