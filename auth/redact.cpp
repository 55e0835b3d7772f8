// SPDX-License-Identifier: Apache-2.0
#include "auth/redact.hpp"

#include "messages/ascii.hpp"
#include "messages/url_escape.hpp"

#include <algorithm>

namespace eventweft::auth {

namespace {

constexpr std::string_view secrets[] = {
    "access_token", "token", "ticket", "api_key", "key", "secret", "signature"};

} // namespace

std::string redacted_target(std::string_view target) {
  const auto question = target.find('?');
  if (question == std::string_view::npos)
    return std::string{target};
  std::string out{target.substr(0, question + 1)};
  target.remove_prefix(question + 1);
  for (bool more = true; more;) {
    const auto end = std::min(target.find('&'), target.size());
    more = end < target.size();
    const auto pair = target.substr(0, end);
    target.remove_prefix(more ? end + 1 : end);
    const auto equals = pair.find('=');
    const auto name = pair.substr(0, equals);
    const bool secret =
        equals != std::string_view::npos &&
        std::ranges::find(secrets, lower_case(url_unescaped(name).text)) !=
            std::end(secrets);
    if (secret)
      out.append(name).append("=[redacted]");
    else
      out.append(pair);
    if (more)
      out.push_back('&');
  }
  return out;
}

} // namespace eventweft::auth
