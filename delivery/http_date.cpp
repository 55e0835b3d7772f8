// SPDX-License-Identifier: Apache-2.0
#include "delivery/http_date.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace eventweft::delivery {

namespace {

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr",
                                                  "May", "Jun", "Jul", "Aug",
                                                  "Sep", "Oct", "Nov", "Dec"};

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

std::optional<unsigned> number(std::string_view text, size_t min, size_t max) {
  if (text.size() < min || text.size() > max ||
      !std::ranges::all_of(text, is_digit))
    return std::nullopt;
  unsigned out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

std::optional<unsigned> month_number(std::string_view text) {
  const auto* const it = std::ranges::find(months, text);
  if (it == months.end())
    return std::nullopt;
  return static_cast<unsigned>(it - months.begin()) + 1;
}

std::vector<std::string_view> split(std::string_view text,
                                    std::string_view separators) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(separators), text.size());
    if (end > 0)
      out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

struct parts {
  std::optional<unsigned> day, month, year, hour, minute, second;

  void set_time(std::string_view text) {
    if (text.size() == 8 && text[2] == ':' && text[5] == ':') {
      hour = number(text.substr(0, 2), 2, 2);
      minute = number(text.substr(3, 2), 2, 2);
      second = number(text.substr(6, 2), 2, 2);
    }
  }

  std::optional<timestamp> moment() const {
    using namespace std::chrono;
    // 60 is a leap second.
    if (!day || !month || !year || !hour || !minute || !second || *hour > 23 ||
        *minute > 59 || *second > 60)
      return std::nullopt;
    const year_month_day date{std::chrono::year{static_cast<int>(*year)},
                              std::chrono::month{*month},
                              std::chrono::day{*day}};
    if (!date.ok())
      return std::nullopt;
    return timestamp{sys_days{date}} + hours{*hour} + minutes{*minute} +
           seconds{*second};
  }
};

unsigned full_year(unsigned two_digits, timestamp now) {
  using namespace std::chrono;
  const auto this_year = static_cast<unsigned>(
      static_cast<int>(year_month_day{floor<days>(now)}.year()));
  unsigned out = this_year - this_year % 100 + two_digits;
  if (out > this_year + 50)
    out -= 100;
  return out;
}

} // namespace

std::optional<timestamp> parse_http_date(std::string_view text, timestamp now) {
  parts p;
  const auto comma = text.find(',');
  if (comma == std::string_view::npos) {
    // Sun Nov  6 08:49:37 1994
    const auto words = split(text, " ");
    if (words.size() != 5)
      return std::nullopt;
    p.month = month_number(words[1]);
    p.day = number(words[2], 1, 2);
    p.set_time(words[3]);
    p.year = number(words[4], 4, 4);
    return p.moment();
  }
  const auto words = split(text.substr(comma + 1), " ");
  if (words.empty() || words.back() != "GMT")
    return std::nullopt;
  if (words.size() == 5) {
    p.day = number(words[0], 2, 2);
    p.month = month_number(words[1]);
    p.year = number(words[2], 4, 4);
    p.set_time(words[3]);
    return p.moment();
  }
  const auto date = split(words[0], "-");
  if (words.size() != 3 || date.size() != 3)
    return std::nullopt;
  p.day = number(date[0], 2, 2);
  p.month = month_number(date[1]);
  if (const auto year = number(date[2], 2, 2))
    p.year = full_year(*year, now);
  p.set_time(words[1]);
  return p.moment();
}

std::optional<std::chrono::microseconds>
parse_retry_after(std::string_view text, timestamp now) {
  using namespace std::chrono;
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  if (!text.empty() && std::ranges::all_of(text, is_digit)) {
    // Longer than any pause that anyone will wait; the caller clamps.
    constexpr seconds longest = days{366};
    const auto given = number(text, 1, 8);
    return given ? std::min(seconds{*given}, longest) : longest;
  }
  if (const auto at = parse_http_date(text, now))
    return std::max(*at - now, microseconds{0});
  return std::nullopt;
}

} // namespace eventweft::delivery
