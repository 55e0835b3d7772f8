// SPDX-License-Identifier: Apache-2.0
#include "config/age.hpp"

#include <charconv>
#include <cstdint>
#include <string>

namespace eventweft::config {

namespace {

constexpr int64_t hundred_years = int64_t{36'525} * 24 * 3600;

int64_t seconds_in(char unit) noexcept {
  switch (unit) {
  case 'd':
    return 24 * 3600;
  case 'h':
    return 3600;
  case 'm':
    return 60;
  case 's':
    return 1;
  default:
    return 0;
  }
}

} // namespace

expected<std::optional<std::chrono::seconds>> parse_age(std::string_view text) {
  if (text.empty())
    return std::nullopt;
  int64_t count = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, why] = std::from_chars(text.data(), end, count);
  const auto unit = rest + 1 == end ? seconds_in(*rest) : 0;
  if (why != std::errc{} || unit == 0 || count <= 0 ||
      count > hundred_years / unit)
    return fail(ec::bad_configuration,
                "expected a number and d, h, m or s, as in \"90d\"; found \"" +
                    std::string{text.substr(0, 64)} + "\"");
  return std::chrono::seconds{count * unit};
}

} // namespace eventweft::config
