// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "messages/errors.hpp"

#include <vector>

namespace eventweft {

/// What `serve` would refuse the configuration for, as far as the
/// configuration alone says so; empty if it is fine. Each message starts with
/// section and key, for `config::located`. Reads the files that are named in
/// it; opens no store, connects to nothing, makes nothing.
std::vector<error> faults_of(const config::settings& settings);

} // namespace eventweft
