// SPDX-License-Identifier: Apache-2.0
#include "messages/time.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace eventweft {

namespace {

constexpr timestamp first_moment = std::chrono::sys_days{
    std::chrono::year{1} / std::chrono::January / std::chrono::day{1}};
constexpr timestamp beyond_last = std::chrono::sys_days{
    std::chrono::year{10'000} / std::chrono::January / std::chrono::day{1}};

void put_digits(char* to, unsigned value, int width) {
  for (int i = width - 1; i >= 0; --i) {
    to[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

// Reads exactly `width` digits at `pos`, or returns nothing.
std::optional<int> digits(std::string_view text, size_t pos, size_t width) {
  if (pos + width > text.size())
    return std::nullopt;
  int value = 0;
  for (char c : text.substr(pos, width)) {
    if (c < '0' || c > '9')
      return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

} // namespace

timestamp system_clock::now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now());
}

manual_clock::manual_clock(timestamp start)
    : micros_(start.time_since_epoch().count()) {
  // nop
}

timestamp manual_clock::now() const {
  return timestamp{std::chrono::microseconds{micros_.load()}};
}

void manual_clock::advance(std::chrono::microseconds by) {
  micros_ += by.count();
}

void append_rfc3339(std::string& out, timestamp t) {
  using namespace std::chrono;
  const auto day = floor<days>(t);
  const year_month_day date{day};
  const hh_mm_ss time{t - day};
  std::array<char, 27> text;
  put_digits(&text[0], static_cast<unsigned>(int{date.year()}), 4);
  text[4] = '-';
  put_digits(&text[5], unsigned{date.month()}, 2);
  text[7] = '-';
  put_digits(&text[8], unsigned{date.day()}, 2);
  text[10] = 'T';
  put_digits(&text[11], static_cast<unsigned>(time.hours().count()), 2);
  text[13] = ':';
  put_digits(&text[14], static_cast<unsigned>(time.minutes().count()), 2);
  text[16] = ':';
  put_digits(&text[17], static_cast<unsigned>(time.seconds().count()), 2);
  text[19] = '.';
  put_digits(&text[20], static_cast<unsigned>(time.subseconds().count()), 6);
  text[26] = 'Z';
  out.append(text.data(), text.size());
}

std::string to_rfc3339(timestamp t) {
  std::string out;
  append_rfc3339(out, t);
  return out;
}

std::optional<timestamp> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto y = digits(text, 0, 4), mo = digits(text, 5, 2),
             d = digits(text, 8, 2), h = digits(text, 11, 2),
             mi = digits(text, 14, 2), s = digits(text, 17, 2);
  if (!y || !mo || !d || !h || !mi || !s || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't') || text[13] != ':' ||
      text[16] != ':')
    return std::nullopt;
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*mo)},
                            day{static_cast<unsigned>(*d)}};
  // 60 is a leap second; it becomes the next minute's first.
  if (!date.ok() || *h > 23 || *mi > 59 || *s > 60)
    return std::nullopt;
  size_t pos = 19;
  int64_t micros = 0;
  if (pos < text.size() && text[pos] == '.') {
    const size_t first = ++pos;
    int64_t scale = 100'000;
    for (; pos < text.size() && text[pos] >= '0' && text[pos] <= '9'; ++pos) {
      micros += (text[pos] - '0') * scale;
      scale /= 10;
    }
    if (pos == first)
      return std::nullopt;
  }
  minutes offset{0};
  if (pos >= text.size())
    return std::nullopt;
  if (text[pos] == 'Z' || text[pos] == 'z') {
    ++pos;
  } else if (text[pos] == '+' || text[pos] == '-') {
    const auto oh = digits(text, pos + 1, 2), om = digits(text, pos + 4, 2);
    if (!oh || !om || text[pos + 3] != ':' || *oh > 23 || *om > 59)
      return std::nullopt;
    offset = hours{*oh} + minutes{*om};
    if (text[pos] == '-')
      offset = -offset;
    pos += 6;
  } else {
    return std::nullopt;
  }
  if (pos != text.size())
    return std::nullopt;
  const timestamp moment{sys_days{date} + hours{*h} + minutes{*mi} +
                         seconds{*s} + microseconds{micros} - offset};
  // The offset may lead out of the years that have four digits, and no store
  // knows a year 0.
  if (moment < first_moment || moment >= beyond_last)
    return std::nullopt;
  return moment;
}

std::optional<double> parse_seconds(std::string_view text) {
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, value);
  if (fault != std::errc{} || stop != end || !std::isfinite(value) || value < 0)
    return std::nullopt;
  return value;
}

} // namespace eventweft
