// SPDX-License-Identifier: Apache-2.0
#include "codec/json_numbers.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

namespace eventweft::codec {

namespace {

// What PostgreSQL documents of `numeric`. Exponents far beyond both limits are
// refused by its parser, whatever they belong to.
constexpr int64_t max_whole_digits = 131'072;
constexpr int64_t max_decimals = 16'383;
constexpr int64_t max_exponent = 1'000'000;
// A double has fewer digits before the point, or zeros behind it.
constexpr int64_t double_reach = 400;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

size_t digits_at(std::string_view text, size_t pos) noexcept {
  size_t n = 0;
  while (pos + n < text.size() && is_digit(text[pos + n]))
    ++n;
  return n;
}

// One number, its parts measured; nothing if it is none by JSON's grammar.
struct number_shape {
  size_t decimals = 0;
  int64_t exponent = 0;
  bool zero = true;
  /// How many digits stand before the point once the exponent is applied;
  /// minus the zeros behind it if there are none.
  int64_t whole_digits = 0;
};

std::optional<number_shape> shape_of(std::string_view text) noexcept {
  number_shape out;
  size_t pos = !text.empty() && text.front() == '-' ? 1 : 0;
  const auto whole = text.substr(pos, digits_at(text, pos));
  if (whole.empty() || (whole.size() > 1 && whole.front() == '0'))
    return std::nullopt;
  pos += whole.size();
  std::string_view decimals;
  if (pos < text.size() && text[pos] == '.') {
    decimals = text.substr(pos + 1, digits_at(text, pos + 1));
    if (decimals.empty())
      return std::nullopt;
    pos += 1 + decimals.size();
  }
  if (pos < text.size() && (text[pos] == 'e' || text[pos] == 'E')) {
    ++pos;
    const bool negative = pos < text.size() && text[pos] == '-';
    if (negative || (pos < text.size() && text[pos] == '+'))
      ++pos;
    const auto digits = text.substr(pos, digits_at(text, pos));
    if (digits.empty())
      return std::nullopt;
    pos += digits.size();
    for (char c : digits)
      out.exponent = std::min(out.exponent * 10 + (c - '0'), max_exponent + 1);
    if (negative)
      out.exponent = -out.exponent;
  }
  if (pos != text.size())
    return std::nullopt;
  out.decimals = decimals.size();
  const auto first = decimals.find_first_not_of('0');
  out.zero = whole == "0" && first == std::string_view::npos;
  out.whole_digits = out.exponent;
  if (whole != "0")
    out.whole_digits += static_cast<int64_t>(whole.size());
  else if (!out.zero)
    out.whole_digits -= static_cast<int64_t>(first);
  return out;
}

bool is_far(const number_shape& n) noexcept {
  return n.exponent > max_exponent || n.exponent < -max_exponent ||
         static_cast<int64_t>(n.decimals) - n.exponent > max_decimals ||
         (!n.zero && n.whole_digits > max_whole_digits);
}

std::string nearest_double(std::string_view text, const number_shape& n) {
  double value = 0;
  if (!n.zero && n.whole_digits > double_reach) {
    value = std::numeric_limits<double>::max();
  } else if (!n.zero && n.whole_digits > -double_reach) {
    const auto read =
        std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec != std::errc{})
      value = n.whole_digits > 0 ? std::numeric_limits<double>::max() : 0;
  }
  if (text.front() == '-' && value > 0)
    value = -value;
  std::array<char, 32> buffer{};
  const auto* end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), static_cast<size_t>(end - buffer.data())};
}

// Nearly every text says no, so not every byte is looked at. A number is out of
// reach only by an exponent of five digits or more, or by thousands of digits:
// one of five consecutive ones is always seen.
bool may_hold_far_numbers(std::string_view text) noexcept {
  constexpr size_t stride = 5;
  constexpr size_t many_digits = 6'000;
  for (size_t i = stride - 1; i < text.size(); i += stride) {
    if (!is_digit(text[i]))
      continue;
    size_t start = i;
    while (start > 0 && is_digit(text[start - 1]))
      --start;
    const auto length = digits_at(text, start);
    if (length > many_digits)
      return true;
    if (length >= stride && start > 0) {
      size_t before = start - 1;
      if ((text[before] == '+' || text[before] == '-') && before > 0)
        --before;
      if (before > 0 && (text[before] | 0x20) == 'e' &&
          is_digit(text[before - 1]))
        return true;
    }
    i = start + length;
  }
  return false;
}

size_t skip_string(std::string_view text, size_t pos) noexcept {
  ++pos;
  while (pos < text.size() && text[pos] != '"')
    pos += text[pos] == '\\' ? 2 : 1;
  return std::min(pos + 1, text.size());
}

} // namespace

std::optional<std::string> readable_numbers(std::string_view text) {
  if (!may_hold_far_numbers(text))
    return std::nullopt;
  constexpr std::string_view number_letters = "0123456789+-.eE";
  std::optional<std::string> out;
  size_t copied = 0; // how much of `text` is in `out`
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '"') {
      i = skip_string(text, i);
      continue;
    }
    const auto end =
        std::min(text.find_first_not_of(number_letters, i), text.size());
    if (end == i) {
      ++i;
      continue;
    }
    const auto number = text.substr(i, end - i);
    if (const auto shape = shape_of(number); shape && is_far(*shape)) {
      if (!out)
        out.emplace();
      out->append(text, copied, i - copied);
      out->append(nearest_double(number, *shape));
      copied = end;
    }
    i = end;
  }
  if (out)
    out->append(text, copied);
  return out;
}

} // namespace eventweft::codec
