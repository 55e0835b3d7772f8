// SPDX-License-Identifier: Apache-2.0
#include "app/cli/event_line.hpp"

#include "app/cli/commands.hpp"

#include <algorithm>

namespace eventweft::cli {

namespace {

using namespace terminal;

std::string_view colour_of(priority p) {
  switch (p) {
  case priority::low:
    return dim;
  case priority::normal:
    return "";
  case priority::high:
    return "\x1b[33m";
  case priority::critical:
    return "\x1b[1;31m";
  }
  return "";
}

/// The same platform always has the same colour.
std::string_view colour_of(std::string_view platform) {
  static constexpr std::string_view colours[] = {
      "\x1b[35m", "\x1b[36m", "\x1b[32m", "\x1b[34m", "\x1b[94m", "\x1b[95m"};
  size_t sum = 0;
  for (char c : platform)
    sum = sum * 31 + static_cast<unsigned char>(c);
  return colours[sum % std::size(colours)];
}

void add(std::string& out, std::string_view text, size_t width,
         std::string_view colour, bool coloured) {
  const bool wrap = coloured && !colour.empty();
  if (wrap)
    out += colour;
  out += text;
  if (wrap)
    out += reset;
  const auto letters =
      static_cast<size_t>(std::ranges::count_if(text, [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
      }));
  out.append(letters < width ? width - letters : 0, ' ');
  out += "  ";
}

/// U+0080…9F, U+200E/F, U+202A…E, U+2066…9: how many bytes they take at the
/// start of `text`, or 0.
size_t unwanted_sequence(std::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) <= 0x9F)
    return 2;
  if (byte(0) != 0xE2)
    return 0;
  if (byte(1) == 0x80 && (byte(2) == 0x8E || byte(2) == 0x8F ||
                          (byte(2) >= 0xAA && byte(2) <= 0xAE)))
    return 3;
  return byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9 ? 3 : 0;
}

} // namespace

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    size_t skip = unwanted_sequence(text);
    const auto c = static_cast<unsigned char>(text.front());
    if (skip == 0 && (c < 0x20 || c == 0x7F))
      skip = 1;
    result += skip == 0 ? text.front() : '?';
    text.remove_prefix(std::max<size_t>(skip, 1));
  }
  return result;
}

std::string one_line(std::string_view json) {
  std::string result{json};
  for (char& c : result)
    if (c == '\n' || c == '\r')
      c = ' ';
  return result;
}

std::string event_line(const event& ev, line_style style) {
  // "2026-01-31T12:00:00.000000Z" without its last three digits.
  auto time = to_rfc3339(ev.created_at).substr(0, 23);
  time[10] = ' ';
  if (!style.with_date)
    time.erase(0, 11);
  auto seq = std::to_string(ev.seq);
  seq.insert(0, seq.size() < 7 ? 7 - seq.size() : 0, ' ');
  std::string out;
  add(out, time, 0, dim, style.colour);
  add(out, seq, 0, dim, style.colour);
  add(out, printable(ev.platform), 11, colour_of(ev.platform), style.colour);
  add(out, printable(ev.event_type), 30, colour_of(ev.priority), style.colour);
  add(out, printable(ev.source_name.empty() ? ev.source_id : ev.source_name),
      28, "", style.colour);
  add(out, printable(ev.actor_name.empty() ? ev.actor_id : ev.actor_name), 0,
      "\x1b[36m", style.colour);
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

} // namespace eventweft::cli
