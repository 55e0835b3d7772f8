// SPDX-License-Identifier: Apache-2.0
#include "messages/url_escape.hpp"

#include "messages/ascii.hpp"

namespace eventweft {

void append_url_escaped(std::string& out, std::string_view text,
                        std::string_view kept) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view marks = "-._~";
  for (char c : text) {
    const bool alphanumeric = (c >= '0' && c <= '9') ||
                              (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (alphanumeric || marks.find(c) != std::string_view::npos ||
        kept.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
}

std::string url_escaped(std::string_view text) {
  std::string out;
  append_url_escaped(out, text);
  return out;
}

unescaped_url url_unescaped(std::string_view text, plus_sign plus) {
  unescaped_url out;
  out.text.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      const bool blank = text[i] == '+' && plus == plus_sign::is_blank;
      out.text += blank ? ' ' : text[i];
      continue;
    }
    const auto digits = text.substr(i + 1, 2);
    if (digits.size() == 2 && is_hex(digits)) {
      out.text +=
          static_cast<char>(hex_value(digits[0]) * 16 + hex_value(digits[1]));
      i += 2;
      continue;
    }
    out.text += '%';
    if (!out.stray_percent)
      out.stray_percent = i;
  }
  return out;
}

} // namespace eventweft
