// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/base_platform.hpp"

namespace eventweft::platforms {

/// Slack's Events API, slash commands and interactive payloads: the `v0`
/// signature over time and raw body. `url_verification` is answered and not
/// stored. Events are told apart by Slack's `event_id`, so that its retries
/// are duplicates.
expected<platform_ptr> make_slack(const platform_parts& parts);

} // namespace eventweft::platforms
