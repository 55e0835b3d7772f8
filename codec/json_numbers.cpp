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

// A number is out of reach only by an exponent of six digits, or of five behind
// a sign, or by thousands of digits, which fill a whole block.
constexpr size_t block = 256;
constexpr size_t exponent_digits = 5;
// Where these stand, behind the digit before the exponent.
constexpr size_t exponent_at = 3;
constexpr size_t reach = exponent_at + exponent_digits - 1;

// Whether a block may be why a number is out of reach; reads `reach` bytes
// more. Without branches, so that the compiler takes many bytes at a time; most
// letters are turned away by being greater than all digits.
bool is_suspect(const char* p) noexcept {
  const auto byte = [](char c) { return static_cast<uint8_t>(c); };
  uint8_t greatest = 0;
  uint8_t exponents = 0;
  for (size_t i = 0; i < block; ++i) {
    auto most = byte(p[i]);
    greatest = std::max(greatest, most);
    most = std::max(most, byte(p[i + exponent_at]));
    most = std::max(most, byte(p[i + exponent_at + 1]));
    most = std::max(most, byte(p[i + exponent_at + 2]));
    most = std::max(most, byte(p[i + exponent_at + 3]));
    most = std::max(most, byte(p[i + exponent_at + 4]));
    exponents |= byte(most <= '9') & byte((p[i + 1] | 0x20) == 'e');
  }
  return exponents != 0 || greatest <= '9';
}

// Looks closely at what begins in the first block. In a string, as in a SHA,
// there are other letters or a quote behind it.
bool holds_far_exponent(std::string_view text) noexcept {
  constexpr std::string_view ends = ",]} \t\r\n";
  for (size_t i = 0; i < std::min(block, text.size()); ++i) {
    if (!is_digit(text[i]) || i + 1 == text.size() ||
        (text[i + 1] | 0x20) != 'e')
      continue;
    const auto digits = digits_at(text, i + exponent_at);
    const auto end = i + exponent_at + digits;
    if (digits >= exponent_digits &&
        (end == text.size() || ends.find(text[end]) != ends.npos))
      return true;
  }
  return false;
}

// Nearly every text says no.
bool may_hold_far_numbers(std::string_view text) noexcept {
  for (; text.size() >= block + reach; text.remove_prefix(block))
    if (is_suspect(text.data()) &&
        (digits_at(text.substr(0, block), 0) == block ||
         holds_far_exponent(text)))
      return true;
  std::array<char, block + reach> rest{};
  std::ranges::copy(text, rest.begin());
  return is_suspect(rest.data()) && holds_far_exponent(text);
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
