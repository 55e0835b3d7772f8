// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/signature_scheme.hpp"

#include <string_view>
#include <vector>

namespace eventweft::platforms {

/// What Standard Webhooks sign, with headers that start with `prefix`
/// ("webhook" or "svix"): HMAC-SHA256 (`v1`, secrets `whsec_…`) and Ed25519
/// (`v1a`, public keys `whpk_…`).
std::vector<signature_scheme> standard_webhooks(std::string_view prefix);

/// `Authorization: Bearer TOKEN`.
signature_scheme bearer_token();

} // namespace eventweft::platforms
