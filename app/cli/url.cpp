// SPDX-License-Identifier: Apache-2.0
#include "app/cli/event_line.hpp"
#include "app/cli/http_client.hpp"
#include "codec/payload.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace eventweft::cli {

expected<server_url> parse_server_url(std::string_view url) {
  const auto bad = [&](std::string_view why) {
    return fail(ec::bad_configuration,
                "--url: expected http://HOST[:PORT] or https://…, " +
                    std::string{why});
  };
  server_url result;
  if (url.starts_with("https://"))
    result.tls = true;
  else if (!url.starts_with("http://"))
    return bad("found another scheme or none");
  url.remove_prefix(result.tls ? 8 : 7);
  if (url.find_first_of("?# \t\r\n") != std::string_view::npos)
    return bad("found a query, a fragment or white space");
  const auto slash = std::min(url.find('/'), url.size());
  const auto authority = url.substr(0, slash);
  result.base = url.substr(slash);
  while (result.base.ends_with('/'))
    result.base.pop_back();
  if (authority.find('@') != std::string_view::npos)
    return bad("without a user; use --token");
  std::string_view host = authority;
  std::string_view port;
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos &&
      (bracket == std::string_view::npos || colon > bracket)) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
    const auto* end = port.data() + port.size();
    uint16_t number = 0;
    const auto [at, fault] = std::from_chars(port.data(), end, number);
    if (fault != std::errc{} || at != end || number == 0)
      return bad("found a port that is not within 1 … 65535");
  }
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find_first_of("[]") != std::string_view::npos)
    return bad("found no host");
  result.host = host;
  result.port = port.empty() ? (result.tls ? "443" : "80") : port;
  result.authority = authority;
  return result;
}

std::string failure_text(const http_response& response) {
  std::string text = "HTTP " + std::to_string(response.status);
  codec::payload_reader reader;
  if (const auto root = reader.parse(response.body)) {
    auto detail = codec::string_at(*root, "/detail");
    if (detail.empty())
      detail = codec::string_at(*root, "/title");
    if (!detail.empty())
      return text + ": " + printable(detail);
  }
  constexpr size_t enough = 500;
  if (!response.body.empty())
    text += ": " + printable(one_line(response.body.substr(0, enough)));
  return text;
}

} // namespace eventweft::cli
