// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

/// How texts of the configuration are taken apart, and how messages show them.
namespace eventweft::config {

/// The whole text as a number; nothing if it is none or does not fit.
template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, value);
  if (fault != std::errc{} || stop != end || text.empty())
    return std::nullopt;
  return value;
}

/// A TOML basic string; also how texts show in messages.
std::string in_quotes(std::string_view text);

/// Whether a list is meant that is written as in TOML: `["a", "b"]`.
bool is_list_text(std::string_view text) noexcept;

/// Whether the text is one of `choices`, which are written as in `key`:
/// "text|json".
bool is_choice(std::string_view choices, std::string_view text);

/// "one of "text", "json"" for "text|json".
std::string choices_text(std::string_view choices);

} // namespace eventweft::config
