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

std::optional<std::string> objection_to(const reply& r) {
  if (r.status < 200 || r.status > 599)
    return "its status " + std::to_string(r.status) + " is not from 200 to 599";
  constexpr size_t longest_type = 1'000;
  if (r.content_type.size() > longest_type)
    return "its content type is too long";
  for (const char c : r.content_type)
    if (c < ' ' || c > '~')
      return "its content type has a character that no header may have";
  return std::nullopt;
}

std::string idempotency_key(const uuid& event_id, std::string_view processor) {
  auto out = to_string(event_id);
  out.append(":").append(processor);
  return out;
}

} // namespace eventweft::processing
