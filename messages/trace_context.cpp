// SPDX-License-Identifier: Apache-2.0
#include "messages/trace_context.hpp"

#include "messages/ascii.hpp"

namespace eventweft {

namespace {

bool is_zero(std::string_view digits) noexcept {
  return digits.find_first_not_of('0') == std::string_view::npos;
}

} // namespace

std::optional<std::string_view>
trace_id_of(std::string_view traceparent) noexcept {
  const auto text = trim(traceparent);
  // version "-" trace-id "-" parent-id "-" flags; later versions may go on.
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' ||
      text[52] != '-' || (text.size() > 55 && text[55] != '-'))
    return std::nullopt;
  const auto version = text.substr(0, 2);
  const auto id = text.substr(3, 32);
  const auto parent = text.substr(36, 16);
  const bool forbidden = lower(version[0]) == 'f' && lower(version[1]) == 'f';
  if (!is_hex(version) || forbidden || !is_hex(id) || !is_hex(parent) ||
      !is_hex(text.substr(53, 2)) || (version == "00" && text.size() != 55) ||
      is_zero(id) || is_zero(parent))
    return std::nullopt;
  return id;
}

} // namespace eventweft
