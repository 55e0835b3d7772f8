// SPDX-License-Identifier: Apache-2.0
#include "messages/url_escape.hpp"

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

} // namespace eventweft
