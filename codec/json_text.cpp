// SPDX-License-Identifier: Apache-2.0
#include "codec/json_text.hpp"

#include "codec/json_numbers.hpp"
#include "messages/ascii.hpp"

#include <simdjson.h>

#include <algorithm>
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
    const int digit = hex_value(c);
    if (digit < 0)
      return -1;
    value = value << 4 | digit;
  }
  return value;
}

// The escape of a character by its number.
struct unit_escape {
  int code_point = -1; ///< U+FFFD for half a pair; -1: it is no escape
  size_t length = 2;   ///< of both halves for a pair
  bool half = false;
};

// For the place of a backslash before a `u`.
unit_escape read_unit(std::string_view text, size_t pos) noexcept {
  const int unit = hex4(text, pos + 2);
  if (unit < 0)
    return {};
  if (unit < 0xd800 || unit > 0xdfff)
    return {unit, 6};
  const int low = text.substr(pos + 6, 2) == "\\u" ? hex4(text, pos + 8) : -1;
  if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff)
    return {0xfffd, 6, true};
  return {0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), 12};
}

void append_utf8(std::string& out, int code_point) {
  const auto c = static_cast<uint32_t>(code_point);
  const auto add = [&out](uint32_t byte) {
    out.push_back(static_cast<char>(byte));
  };
  if (c < 0x80) {
    add(c);
    return;
  }
  if (c < 0x800) {
    add(0xc0 | c >> 6);
  } else if (c < 0x10000) {
    add(0xe0 | c >> 12);
    add(0x80 | (c >> 6 & 0x3f));
  } else {
    add(0xf0 | c >> 18);
    add(0x80 | (c >> 12 & 0x3f));
    add(0x80 | (c >> 6 & 0x3f));
  }
  add(0x80 | (c & 0x3f));
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

size_t utf8_length(std::string_view text) noexcept {
  size_t i = 0;
  while (i < text.size()) {
    const auto n = sequence_length(text.substr(i));
    if (n == 0)
      break;
    i += n;
  }
  return i;
}

std::string_view utf8_prefix(std::string_view text, size_t most) noexcept {
  if (text.size() <= most)
    return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0u) == 0x80u)
    --most;
  return text.substr(0, most);
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
    const auto found_unit = read_unit(text, i);
    if (found_unit.code_point == 0 || found_unit.half) {
      if (!out)
        out.emplace().reserve(text.size());
      out->append(text, copied, i - copied).append("\\ufffd");
      copied = i + found_unit.length;
    }
    i += found_unit.length;
  }
  if (out)
    out->append(text, copied);
  return out;
}

std::optional<std::string> readable_json(std::string_view text) {
  auto out = readable_escapes(text);
  if (auto numbers = readable_numbers(out ? *out : text))
    out = std::move(numbers);
  return out;
}

unescaped::unescaped(std::string_view escaped) : stretches_{{0, 0}} {
  constexpr std::string_view letters = "\"\\/bfnrt";
  constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  text_.reserve(escaped.size());
  for (size_t i = 0; i < escaped.size();) {
    const auto next = std::min(escaped.find('\\', i), escaped.size());
    text_.append(escaped, i, next - i);
    i = next;
    if (i + 1 >= escaped.size()) {
      text_.append(escaped, i);
      break;
    }
    const auto unit =
        escaped[i + 1] == 'u' ? read_unit(escaped, i) : unit_escape{};
    const auto letter = letters.find(escaped[i + 1]);
    if (unit.code_point >= 0)
      append_utf8(text_, unit.code_point);
    else if (letter != std::string_view::npos)
      text_.push_back(meanings[letter]);
    else
      text_.append(escaped, i, 2);
    i += unit.length;
    stretches_.push_back({text_.size(), i});
  }
}

size_t unescaped::source(size_t offset) const noexcept {
  const auto after =
      std::ranges::upper_bound(stretches_, offset, {}, &stretch::offset);
  const auto& last = *std::prev(after);
  return last.source + (offset - last.offset);
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
