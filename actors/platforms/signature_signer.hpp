// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/definition.hpp"
#include "messages/errors.hpp"
#include "messages/time.hpp"
#include "messages/webhook.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace eventweft::platforms {

/// How `parse_signature` would read it: the header's value, with one signature
/// (hex or base64 already) and what stands beside it.
std::string write_signature(const signature_scheme& scheme,
                            std::string_view signature,
                            std::string_view timestamp);

/// The inverse of `signature_verifier`: puts the proof, and the headers that
/// it is about, into `w`, which holds everything else already. `id` stands for
/// headers that are signed and missing. The first scheme that `secret` is a key
/// of is taken. `unprocessable` if the secret fits none, or nobody but the
/// platform can sign with it.
expected<void> sign(const std::vector<signature_scheme>& schemes,
                    std::string_view secret, std::string_view id, timestamp now,
                    webhook& w);

/// Fills the headers that a definition reads the delivery's id and the event's
/// type from, as far as the payload does not say them. `unprocessable` if the
/// type is needed and `type` is empty.
expected<void> fill_headers(const platform_definition& definition,
                            std::string_view id, std::string_view type,
                            webhook& w);

} // namespace eventweft::platforms
