// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace eventweft {

/// Whether it is a pointer of RFC 6901 to a part of a JSON text; the empty one,
/// which is to all of it, is none.
constexpr bool is_json_pointer(std::string_view text) noexcept {
  if (!text.starts_with('/'))
    return false;
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] == '~' &&
        (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1')))
      return false;
  return true;
}

/// How messages go on after "a JSON pointer".
inline constexpr std::string_view json_pointer_form =
    "starts with '/' and has '~' only in ~0 and ~1";

} // namespace eventweft
