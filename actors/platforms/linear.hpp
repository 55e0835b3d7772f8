// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/base_platform.hpp"

namespace eventweft::platforms {

/// Linear's webhooks: `Linear-Signature` over the raw body. How fresh one is
/// says only `webhookTimestamp`, which is signed; headers with a time are not,
/// and are not looked at. Deliveries are told apart by `Linear-Delivery`.
expected<platform_ptr> make_linear(const platform_parts& parts);

} // namespace eventweft::platforms
