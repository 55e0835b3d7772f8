// SPDX-License-Identifier: Apache-2.0
#include "codec/json_text.hpp"

#include <simdjson.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace eventweft::codec {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

// The length of the valid UTF-8 sequence at the start of `text` (not empty),
// or 0. RFC 3629, table 3-7 of the Unicode Standard.
size_t sequence_length(std::string_view text) noexcept {
  const auto at = [&](size_t i) {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
  };
  const auto tail = [](uint8_t c) { return c >= 0x80 && c <= 0xbf; };
  const uint8_t a = at(0), b = at(1);
  if (a < 0x80)
    return 1;
  if (a >= 0xc2 && a <= 0xdf)
    return tail(b) ? 2 : 0;
  if (a >= 0xe0 && a <= 0xef) {
    const bool ok = a == 0xe0   ? b >= 0xa0 && b <= 0xbf
                    : a == 0xed ? b >= 0x80 && b <= 0x9f
                                : tail(b);
    return ok && tail(at(2)) ? 3 : 0;
  }
  if (a >= 0xf0 && a <= 0xf4) {
    const bool ok = a == 0xf0   ? b >= 0x90 && b <= 0xbf
                    : a == 0xf4 ? b >= 0x80 && b <= 0x8f
                                : tail(b);
    return ok && tail(at(2)) && tail(at(3)) ? 4 : 0;
  }
  return 0;
}

// The value of the four hex digits at `pos`, or -1.
int hex4(std::string_view text, size_t pos) noexcept {
  if (pos + 4 > text.size())
    return -1;
  int value = 0;
  for (char c : text.substr(pos, 4)) {
    value <<= 4;
    if (c >= '0' && c <= '9')
      value |= c - '0';
    else if (c >= 'a' && c <= 'f')
      value |= c - 'a' + 10;
    else if (c >= 'A' && c <= 'F')
      value |= c - 'A' + 10;
    else
      return -1;
  }
  return value;
}

} // namespace

void append_quoted(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out.push_back('"');
  size_t plain = 0; // the start of what can be copied as it is
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<uint8_t>(text[i]);
    if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
      ++i;
      continue;
    }
    if (c >= 0x80) {
      if (const auto n = sequence_length(text.substr(i)); n > 0) {
        i += n;
        continue;
      }
    }
    out.append(text, plain, i - plain);
    if (c >= 0x80) {
      out.append(replacement);
    } else {
      switch (c) {
      case '"':
        out.append("\\\"");
        break;
      case '\\':
        out.append("\\\\");
        break;
      case '\n':
        out.append("\\n");
        break;
      case '\r':
        out.append("\\r");
        break;
      case '\t':
        out.append("\\t");
        break;
      default:
        out.append("\\u00");
        out.push_back(hex[c >> 4]);
        out.push_back(hex[c & 15]);
      }
    }
    plain = ++i;
  }
  out.append(text, plain, text.size() - plain);
  out.push_back('"');
}

bool is_utf8(std::string_view text) noexcept {
  return simdjson::validate_utf8(text.data(), text.size());
}

std::optional<std::string> readable_escapes(std::string_view text) {
  std::optional<std::string> out;
  size_t copied = 0; // how much of `text` is in `out`
  size_t i = 0;
  while (true) {
    const auto found = i < text.size()
                           ? static_cast<const char*>(std::memchr(
                                 text.data() + i, '\\', text.size() - i))
                           : nullptr;
    if (found == nullptr)
      break;
    i = static_cast<size_t>(found - text.data());
    if (i + 1 >= text.size())
      break;
    if (text[i + 1] != 'u') {
      i += 2; // also steps over an escaped backslash
      continue;
    }
    const int unit = hex4(text, i + 2);
    bool bad = unit == 0;
    size_t length = 6;
    if (unit >= 0xd800 && unit <= 0xdbff) {
      const bool paired = text.substr(i + 6, 2) == "\\u" &&
                          hex4(text, i + 8) >= 0xdc00 &&
                          hex4(text, i + 8) <= 0xdfff;
      bad = !paired;
      length = paired ? 12 : 6;
    } else if (unit >= 0xdc00 && unit <= 0xdfff) {
      bad = true;
    }
    if (bad) {
      if (!out)
        out.emplace().reserve(text.size());
      out->append(text, copied, i - copied).append("\\ufffd");
      copied = i + length;
    }
    i += length;
  }
  if (out)
    out->append(text, copied);
  return out;
}

void append_name(std::string& out, std::string_view name) {
  out.append(out.back() == '{' ? "\"" : ",\"").append(name).append("\":");
}

void append_member(std::string& out, std::string_view name,
                   std::string_view text) {
  append_name(out, name);
  append_quoted(out, text);
}

void append_member(std::string& out, std::string_view name, uint64_t value) {
  append_name(out, name);
  out += std::to_string(value);
}

} // namespace eventweft::codec
