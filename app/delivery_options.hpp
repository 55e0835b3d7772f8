// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/outgoing/subscriptions.hpp"
#include "config/settings.hpp"
#include "messages/errors.hpp"

#include <chrono>
#include <string_view>
#include <vector>

namespace eventweft {

/// "5s 5m, 30m"; `bad_configuration` with what was found.
expected<std::vector<std::chrono::microseconds>>
parse_schedule(std::string_view text);

/// `bad_configuration` names the key.
expected<subscriptions_options>
subscriptions_options_of(const config::settings& s);

} // namespace eventweft
