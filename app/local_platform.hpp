// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/platform.hpp"
#include "config/settings.hpp"
#include "messages/errors.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"
#include "messages/webhook.hpp"

#include <string_view>
#include <vector>

namespace eventweft {

/// No path of the server leads here: it is no name that a platform can have.
inline constexpr std::string_view local_platform_name = "@local";

/// Events that the program itself brings, read by each platform's own code but
/// without any proof: what runs in the process needs none. The webhook's
/// header `eventweft-platform` names the platform, one of `known`. Clock and
/// random source must outlive it.
expected<platforms::platform_ptr>
make_local_platform(const config::settings& settings,
                    const std::vector<platforms::platform_ptr>& known,
                    const clock& time, random_source& random);

/// What became of the one event of a webhook to this platform.
expected<append_outcome> read_local_answer(expected<webhook_answer> answer);

} // namespace eventweft
