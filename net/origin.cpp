// SPDX-License-Identifier: Apache-2.0
#include "net/origin.hpp"

#include "messages/ascii.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

namespace eventweft::net {

namespace {

bool same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// Without the port that goes without saying.
std::string_view authority(std::string_view scheme, std::string_view text) {
  const std::string_view usual = same(scheme, "https") ? ":443" : ":80";
  if (text.ends_with(usual))
    text.remove_suffix(usual.size());
  return text;
}

/// "hub.example.org:8080" and "[::1]:8080" without their ports and brackets.
std::string_view host_part(std::string_view text) {
  if (text.starts_with('['))
    return text.substr(1, text.find(']') - 1);
  return text.substr(0, text.find(':'));
}

bool is_address(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
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

bool is_known_host(std::span<const std::string> allowed,
                   std::string_view listen, std::string_view host) {
  auto name = host_part(host);
  if (is_address(std::string{name}))
    return true;
  if (name.ends_with('.'))
    name.remove_suffix(1);
  if (name.empty())
    return false;
  constexpr std::string_view local = "localhost";
  constexpr std::string_view below = ".localhost";
  if (same(name, local) ||
      (name.size() > below.size() &&
       same(name.substr(name.size() - below.size()), below)))
    return true;
  if (same(name, host_part(listen)))
    return true;
  return std::ranges::any_of(allowed, [name](std::string_view one) {
    const auto colon = one.find("://");
    return one == "*" || (colon != std::string_view::npos &&
                          same(name, host_part(one.substr(colon + 3))));
  });
}

} // namespace eventweft::net
