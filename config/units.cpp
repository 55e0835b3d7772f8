// SPDX-License-Identifier: Apache-2.0
#include "config/units.hpp"

#include "config/text.hpp"
#include "messages/ascii.hpp"

#include <algorithm>
#include <array>

namespace eventweft::config {

namespace {

struct unit {
  std::string_view name;
  uint64_t factor;
};

constexpr auto units = std::to_array<unit>({
    {"B", 1},
    {"KiB", 1ull << 10},
    {"MiB", 1ull << 20},
    {"GiB", 1ull << 30},
    {"TiB", 1ull << 40},
});

} // namespace

std::optional<uint64_t> parse_bytes(std::string_view text) {
  text = trim(text);
  const auto digits =
      std::min(text.find_first_not_of("0123456789"), text.size());
  const auto amount = number<uint64_t>(text.substr(0, digits));
  const auto suffix = trim(text.substr(digits));
  if (!amount || suffix.empty())
    return amount;
  for (const auto& u : units)
    if (suffix == u.name)
      return *amount > UINT64_MAX / u.factor
                 ? std::nullopt
                 : std::optional{*amount * u.factor};
  return std::nullopt;
}

std::string bytes_text(uint64_t bytes) {
  const unit* best = &units.front();
  for (const auto& u : units)
    if (bytes >= u.factor && bytes % u.factor == 0)
      best = &u;
  if (best->factor == 1)
    return std::to_string(bytes);
  return std::to_string(bytes / best->factor) + ' ' + std::string{best->name};
}

std::string seconds_text(milliseconds d) {
  std::string result = std::to_string(d.count() / 1'000);
  if (const auto rest = d.count() % 1'000; rest != 0) {
    auto fraction = std::to_string(1'000 + rest).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    result += '.' + fraction;
  }
  return result;
}

} // namespace eventweft::config
