// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft {

/// Appends `text` with `%XX` for each byte that is neither one of RFC 3986's
/// unreserved characters nor one of `kept`.
void append_url_escaped(std::string& out, std::string_view text,
                        std::string_view kept = {});

/// All but RFC 3986's unreserved characters escaped: for one value of a query,
/// one segment of a path.
std::string url_escaped(std::string_view text);

/// What a `+` is: forms and queries write a blank so, paths and headers don't.
enum class plus_sign : uint8_t { is_itself, is_blank };

struct unescaped_url {
  /// Any bytes, also some that are not UTF-8.
  std::string text;
  /// Where in the escaped text the first `%` is that two hex digits don't
  /// follow.
  std::optional<size_t> stray_percent;
};

/// Undoes `%XX`. A stray `%` stays as it is: whether that is a fault, the
/// caller knows.
unescaped_url url_unescaped(std::string_view text,
                            plus_sign plus = plus_sign::is_itself);

} // namespace eventweft
