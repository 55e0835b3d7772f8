// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "messages/errors.hpp"

#include <string>

namespace eventweft {

/// The name of `settings`, or the host's as far as it can be one;
/// `bad_configuration` if neither can.
expected<std::string> node_name(const config::cluster_settings& settings);

} // namespace eventweft
