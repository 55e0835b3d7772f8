// SPDX-License-Identifier: Apache-2.0
#include "auth/scope.hpp"

#include "codec/filter.hpp"

#include <algorithm>

namespace eventweft::auth {

namespace {

constexpr std::string_view stream_prefix = "stream:";
constexpr size_t max_scopes = 64;
constexpr size_t max_name = 128;

bool is_name_char(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.' || c == '*';
}

} // namespace

std::string_view to_string(permission p) noexcept {
  switch (p) {
  case permission::ingest:
    return "ingest";
  case permission::read:
    return "read";
  case permission::stream:
    return "stream";
  case permission::manage:
    return "manage";
  case permission::admin:
    return "admin";
  }
  return "admin";
}

bool scope::covers(permission p, std::string_view name) const noexcept {
  if (grants == permission::admin)
    return true;
  if (p == permission::stream)
    return grants == permission::read || (grants == permission::stream &&
                                          codec::wildcard_match(stream, name));
  return grants == p;
}

expected<scope> parse_scope(std::string_view text) {
  for (const auto p : {permission::ingest, permission::read, permission::manage,
                       permission::admin})
    if (text == to_string(p))
      return scope{p, {}};
  if (text.starts_with(stream_prefix)) {
    const auto name = text.substr(stream_prefix.size());
    if (!name.empty() && name.size() <= max_name &&
        std::ranges::all_of(name, is_name_char))
      return scope{permission::stream, std::string{name}};
  }
  const auto which =
      text.size() > max_name ? "one" : '"' + std::string{text} + '"';
  return fail(ec::unprocessable,
              "scopes: " + which +
                  " is none of \"ingest\", \"read\", \"stream:NAME\", "
                  "\"manage\", \"admin\"");
}

std::string to_string(const scope& s) {
  std::string out{to_string(s.grants)};
  if (s.grants == permission::stream)
    out.append(":").append(s.stream);
  return out;
}

expected<std::vector<scope>> parse_scopes(std::string_view text) {
  std::vector<scope> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) {
      auto one = parse_scope(text.substr(0, end));
      if (!one)
        return fail(std::move(one.error()));
      if (out.size() == max_scopes)
        return fail(ec::unprocessable, "scopes: more than 64");
      if (std::ranges::find(out, *one) == out.end())
        out.push_back(std::move(*one));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string to_string(const std::vector<scope>& scopes) {
  std::string out;
  for (const auto& s : scopes) {
    if (!out.empty())
      out.push_back(' ');
    out += to_string(s);
  }
  return out;
}

} // namespace eventweft::auth
