// SPDX-License-Identifier: Apache-2.0
#include "config/mask.hpp"

#include <algorithm>

namespace eventweft::config {

std::string mask_url(std::string_view url) {
  std::string result;
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) {
    // To the last `@` of all: a password may hold any character unescaped.
    const auto at = url.rfind('@');
    const auto colon = url.find(':', scheme + 3);
    if (at != std::string_view::npos && colon < at) {
      result.append(url.substr(0, colon + 1)).append("***");
      url.remove_prefix(at);
    }
  }
  // `password=` of a query or of a libpq connection string, quoted or not.
  constexpr std::string_view word = "password";
  while (true) {
    const auto at = url.find(word);
    const auto equals = at == std::string_view::npos
                            ? at
                            : url.find_first_not_of(' ', at + word.size());
    if (equals == std::string_view::npos || url[equals] != '=')
      return result.append(url);
    result.append(url.substr(0, equals + 1)).append("***");
    auto end = std::min(url.find_first_not_of(' ', equals + 1), url.size());
    if (end < url.size() && url[end] == '\'') {
      for (++end; end < url.size() && url[end] != '\'';)
        end += url[end] == '\\' ? 2 : 1;
      ++end;
    } else {
      end = url.find_first_of(" &", end);
    }
    url.remove_prefix(std::min(end, url.size()));
  }
}

std::string mask_web_url(std::string_view url) {
  const auto scheme = url.find("://");
  const auto start = scheme == std::string_view::npos ? 0 : scheme + 3;
  const auto end = std::min(url.find_first_of("/?#", start), url.size());
  const auto at = url.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at < start)
    return std::string{url};
  const auto colon = std::min(url.find(':', start), at);
  // A name alone is a token as often as not.
  const auto shown = colon < at ? colon + 1 : start;
  return std::string{url.substr(0, shown)}.append("***").append(url.substr(at));
}

} // namespace eventweft::config
