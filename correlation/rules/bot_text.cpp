// SPDX-License-Identifier: Apache-2.0
#include "correlation/rules/bot_text.hpp"

#include "messages/ascii.hpp"

#include <algorithm>
#include <array>

namespace eventweft::correlation {

namespace {

bool is_decimal(char c) noexcept {
  return c >= '0' && c <= '9';
}

// "1.2.0", "v1.2", and behind the last '@' of "pkg@1.2.0".
bool begins_with_version(std::string_view text) noexcept {
  if (const auto at = text.find('@', 1); at < text.find(' '))
    text.remove_prefix(text.rfind('@', text.find(' ')) + 1);
  if (text.starts_with('v') || text.starts_with('V'))
    text.remove_prefix(1);
  const auto point =
      std::find_if_not(text.begin(), text.end(), is_decimal) - text.begin();
  const auto rest = text.substr(static_cast<size_t>(point));
  return point > 0 && rest.size() > 1 && rest[0] == '.' && is_decimal(rest[1]);
}

// The words of a heading; empty if the line is none.
std::string_view heading(std::string_view line) noexcept {
  line = trim(line);
  if (!line.starts_with('#') && !line.starts_with("**"))
    return {};
  const auto start = line.find_first_not_of("#*_`[ \t");
  return start == std::string_view::npos ? std::string_view{}
                                         : line.substr(start);
}

bool tells_of_releases(std::string_view title) {
  if (title.empty())
    return false;
  if (begins_with_version(title))
    return true;
  const auto low = lower_case(title.substr(0, 32));
  constexpr std::array<std::string_view, 8> openings{
      "release note", "changelog",     "change log",    "what's changed",
      "releases",     "patch changes", "minor changes", "major changes"};
  return std::any_of(openings.begin(), openings.end(),
                     [&](std::string_view o) { return low.starts_with(o); });
}

} // namespace

bool quotes_releases(std::string_view login) {
  const auto name = lower_case(login);
  constexpr std::array<std::string_view, 14> programs{"dependabot",
                                                      "renovate",
                                                      "snyk",
                                                      "depfu",
                                                      "pyup",
                                                      "greenkeeper",
                                                      "whitesource",
                                                      "mend-",
                                                      "scala-steward",
                                                      "release-please",
                                                      "semantic-release",
                                                      "changeset",
                                                      "pre-commit-ci",
                                                      "updatecli"};
  return std::any_of(programs.begin(), programs.end(),
                     [&](auto p) { return name.find(p) != std::string::npos; });
}

std::string_view above_releases(std::string_view body) {
  for (size_t at = 0; at < body.size();) {
    const auto end = std::min(body.size(), body.find('\n', at));
    if (tells_of_releases(heading(body.substr(at, end - at))))
      return body.substr(0, at);
    at = end + 1;
  }
  return body;
}

} // namespace eventweft::correlation
