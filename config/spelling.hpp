// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

/// What somebody may have meant who wrote a name that there is not.
namespace eventweft::config {

/// The one of `candidates` that `word` is most likely a slip of, at most
/// `within` letters away; empty if none is that near.
std::string nearest(std::string_view word,
                    std::span<const std::string> candidates, size_t within);

/// How many letters a slip of `word` may be away.
size_t slip(std::string_view word) noexcept;

/// `message` with "; did you mean …?" behind it, unless the hint is empty.
std::string with_hint(std::string message, const std::string& hint);

} // namespace eventweft::config
