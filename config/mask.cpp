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

namespace {

/// What stands before the path.
std::string mask_authority(std::string_view url) {
  const auto scheme = url.find("://");
  const auto start = scheme == std::string_view::npos ? 0 : scheme + 3;
  const auto at = url.rfind('@');
  if (at == std::string_view::npos || at < start)
    return std::string{url};
  const auto colon = std::min(url.find(':', start), at);
  // A name alone is a token as often as not.
  const auto shown = colon < at ? colon + 1 : start;
  return std::string{url.substr(0, shown)}.append("***").append(url.substr(at));
}

/// A parameter without a value may be a token, too.
std::string mask_query(std::string_view query) {
  std::string out;
  while (true) {
    const auto end = std::min(query.find('&'), query.size());
    const auto parameter = query.substr(0, end);
    const auto equals = parameter.find('=');
    if (equals != std::string_view::npos)
      out.append(parameter.substr(0, equals + 1));
    if (!parameter.empty())
      out.append("***");
    if (end == query.size())
      return out;
    out += '&';
    query.remove_prefix(end + 1);
  }
}

} // namespace

std::string mask_web_url(std::string_view url) {
  const auto scheme = url.find("://");
  const auto start = scheme == std::string_view::npos ? 0 : scheme + 3;
  const auto path = std::min(url.find_first_of("/?#", start), url.size());
  auto out = mask_authority(url.substr(0, path));
  const auto query = std::min(url.find('?', path), url.size());
  out.append(url.substr(path, query - path));
  if (query < url.size())
    out.append("?").append(mask_query(url.substr(query + 1)));
  return out;
}

std::string mask_variable(std::string_view entry) {
  const auto equals = entry.find('=');
  if (equals == std::string_view::npos)
    return std::string{entry};
  return std::string{entry.substr(0, equals + 1)}.append("***");
}

} // namespace eventweft::config
