// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/keys.hpp"

#include <string>

namespace eventweft::config {

/// The value in TOML's syntax, secrets masked.
std::string shown(const key& k, field target);

} // namespace eventweft::config
