// SPDX-License-Identifier: Apache-2.0
#include "config/text.hpp"

#include "messages/ascii.hpp"

namespace eventweft::config {

std::string in_quotes(std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string result = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      result += "\\u00";
      result += digits[byte >> 4];
      result += digits[byte & 15];
    } else {
      result += c;
    }
  }
  return result + '"';
}

bool is_list_text(std::string_view text) noexcept {
  text = trim(text);
  return text.starts_with('[') && text.ends_with(']');
}

bool is_choice(std::string_view choices, std::string_view text) {
  while (!choices.empty()) {
    const auto bar = choices.find('|');
    if (choices.substr(0, bar) == text)
      return true;
    if (bar == std::string_view::npos)
      break;
    choices.remove_prefix(bar + 1);
  }
  return false;
}

std::string choices_text(std::string_view choices) {
  std::string result = "one of \"";
  for (char c : choices) {
    if (c == '|')
      result += "\", \"";
    else
      result += c;
  }
  return result + "\"";
}

} // namespace eventweft::config
