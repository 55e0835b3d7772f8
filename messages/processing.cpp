// SPDX-License-Identifier: Apache-2.0
#include "messages/processing.hpp"

#include <array>

namespace eventweft::processing {

namespace {

constexpr std::array<std::string_view, 5> names{
    "pending", "processing", "retrying", "completed", "failed"};

} // namespace

std::string_view to_string(status s) noexcept {
  return names[static_cast<size_t>(s)];
}

std::optional<status> parse_status(std::string_view text) noexcept {
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == text)
      return static_cast<status>(i);
  return std::nullopt;
}

std::string idempotency_key(const uuid& event_id, std::string_view processor) {
  auto out = to_string(event_id);
  out.append(":").append(processor);
  return out;
}

} // namespace eventweft::processing
