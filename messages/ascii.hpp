// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

/// Text as headers and settings have it: ASCII, whatever the process's locale.
namespace eventweft {

inline char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Of a hexadecimal digit, large or small; -1 for all else.
inline int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Whether `text` is made of hexadecimal digits, at least one.
inline bool is_hex(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return hex_value(c) >= 0; });
}

/// Of a token as RFC 9110 has it: a header's name, a part of a media type.
inline bool is_token_char(char c) noexcept {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  c = lower(c);
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         marks.find(c) != std::string_view::npos;
}

inline bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

inline std::string lower_case(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    c = lower(c);
  return out;
}

/// Whether `text` begins with `low`, which is in lower case.
inline bool starts_with_folded(std::string_view text,
                               std::string_view low) noexcept {
  return text.size() >= low.size() &&
         std::equal(low.begin(), low.end(), text.begin(),
                    [](char a, char b) { return a == lower(b); });
}

/// Without the white space around it: what may stand around a header's value,
/// and line ends.
inline std::string_view trim(std::string_view text) noexcept {
  constexpr std::string_view white = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(white);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(white) - first + 1);
}

} // namespace eventweft
