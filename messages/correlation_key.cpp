// SPDX-License-Identifier: Apache-2.0
#include "messages/correlation_key.hpp"

#include <array>

namespace eventweft {

namespace {

constexpr std::array<std::string_view, 15> nouns{
    "none",    "pr",     "issue", "commit",     "branch",
    "comment", "review", "check", "deployment", "mention",
    "thread",  "event",  "trace", "custom",     "cause"};

std::string_view name_of(correlation_noun noun) noexcept {
  const auto at = static_cast<size_t>(noun);
  return at < nouns.size() ? nouns[at] : "event";
}

std::optional<correlation_noun> noun_of(std::string_view name) noexcept {
  for (size_t i = 1; i < nouns.size(); ++i)
    if (nouns[i] == name)
      return static_cast<correlation_noun>(i);
  return std::nullopt;
}

} // namespace

std::string to_string(correlation_type type) {
  if (type.from == correlation_noun::none)
    return "fact";
  if (type.to == correlation_noun::none)
    return "identity";
  std::string out{name_of(type.from)};
  out.append("_to_").append(name_of(type.to));
  return out;
}

std::optional<correlation_type> parse_correlation_type(std::string_view text) {
  if (text == "fact")
    return correlation_type{correlation_noun::none, correlation_noun::none};
  if (text == "identity")
    return correlation_type{};
  const auto middle = text.find("_to_");
  if (middle == std::string_view::npos)
    return std::nullopt;
  const auto from = noun_of(text.substr(0, middle));
  const auto to = noun_of(text.substr(middle + 4));
  if (!from || !to)
    return std::nullopt;
  return correlation_type{*from, *to};
}

} // namespace eventweft
