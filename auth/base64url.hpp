// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/digest.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft::auth {

/// Reads base64url without padding (RFC 7515), in its one canonical spelling:
/// no other alphabet, no stray bits at the end.
inline std::optional<std::string> from_base64url(std::string_view text) {
  const bool plain = std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
  auto out = plain ? crypto::from_base64(text) : std::nullopt;
  if (!out)
    return std::nullopt;
  auto again = crypto::to_base64(*out);
  again.resize(text.size() <= again.size() ? text.size() : 0);
  std::ranges::replace(again, '+', '-');
  std::ranges::replace(again, '/', '_');
  return again == text ? out : std::nullopt;
}

} // namespace eventweft::auth
