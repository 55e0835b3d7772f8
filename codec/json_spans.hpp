// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::codec {

/// Where a value stands in a JSON text. A parser gives values but not their
/// bytes; these functions give the bytes, so that a part of a text can be kept
/// or replaced without writing the rest anew. All texts must be valid JSON.
struct json_member {
  /// Unescaped; empty for an array's item.
  std::string key;
  /// The value's text, a view into the whole.
  std::string_view value;
};

/// The members of an object or the items of an array, in their order; nothing
/// for another value. Blanks around `text` are allowed.
std::vector<json_member> json_members(std::string_view text);

/// What a path such as "a.0.b" leads to, a number being an index where there is
/// an array and a member's name elsewhere: a string's own text, else the
/// value's JSON as it stands there; nothing for null, and where there is none.
/// Where an object repeats a key, the last one counts.
std::optional<std::string> json_text_at(std::string_view text,
                                        std::string_view path);

/// The places that an RFC 6901 pointer leads to, `*` standing for any one
/// member or item. More than one also where an object repeats a key.
std::vector<std::string_view> json_places(std::string_view text,
                                          std::string_view pointer);

} // namespace eventweft::codec
