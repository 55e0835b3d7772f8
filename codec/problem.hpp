// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <string>
#include <string_view>

namespace eventweft::codec {

/// The HTTP status that tells a client what `code` means to it.
int http_status(ec code) noexcept;

/// Seconds after which a sender may try again, for 429 and 503: what the store
/// is the reason of takes longer.
std::string_view retry_after(ec code) noexcept;

/// An RFC 9457 body: `{"type":"about:blank","title":"…","status":…,
/// "detail":"…","code":"…"}`.
std::string problem_json(int status, const error& e);

inline constexpr std::string_view problem_media_type =
    "application/problem+json";

} // namespace eventweft::codec
