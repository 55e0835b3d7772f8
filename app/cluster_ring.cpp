// SPDX-License-Identifier: Apache-2.0
#include "app/cluster_ring.hpp"

#include <charconv>
#include <system_error>

namespace eventweft {

namespace {

/// PostgreSQL takes 8,000 bytes at most.
constexpr size_t longest_what = 6'000;

} // namespace

std::string ring_text(const std::string& node, const control_event& e) {
  return node + ' ' + std::to_string(static_cast<int>(e.kind)) + ' ' +
         (e.what.size() > longest_what ? std::string{} : e.what);
}

rung_event read_ring(std::string_view text) {
  rung_event out;
  const auto first = text.find(' ');
  const auto second = text.find(' ', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos)
    return out;
  out.node = text.substr(0, first);
  unsigned kind = 0;
  const auto number = text.substr(first + 1, second - first - 1);
  const auto [end, bad] =
      std::from_chars(number.data(), number.data() + number.size(), kind);
  if (bad == std::errc{} && kind <= last_control_kind)
    out.event.emplace(control_event{static_cast<control_kind>(kind),
                                    std::string{text.substr(second + 1)}});
  return out;
}

} // namespace eventweft
