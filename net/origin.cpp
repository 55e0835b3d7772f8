// SPDX-License-Identifier: Apache-2.0
#include "net/origin.hpp"

#include <algorithm>

namespace eventweft::net {

namespace {

bool same(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// Without the port that goes without saying.
std::string_view authority(std::string_view scheme, std::string_view text) {
  const std::string_view usual = same(scheme, "https") ? ":443" : ":80";
  if (text.ends_with(usual))
    text.remove_suffix(usual.size());
  return text;
}

} // namespace

origin_kind judge_origin(std::span<const std::string> allowed,
                         std::string_view origin, std::string_view host) {
  if (origin.empty())
    return origin_kind::none;
  for (const auto& one : allowed)
    if (one == "*" ? origin != "null" : same(one, origin))
      return origin_kind::listed;
  const auto colon = origin.find("://");
  if (colon == std::string_view::npos || host.empty())
    return origin_kind::foreign;
  const auto scheme = origin.substr(0, colon);
  return same(authority(scheme, origin.substr(colon + 3)),
              authority(scheme, host))
             ? origin_kind::own
             : origin_kind::foreign;
}

} // namespace eventweft::net
