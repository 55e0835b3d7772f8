// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/base_platform.hpp"

namespace eventweft::platforms {

/// GitHub's webhooks: `X-Hub-Signature-256` over the raw body, JSON or form.
expected<platform_ptr> make_github(const platform_parts& parts);

} // namespace eventweft::platforms
