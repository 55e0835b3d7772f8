// SPDX-License-Identifier: Apache-2.0
#include "net/outgoing/queue_url.hpp"

#include <algorithm>

namespace eventweft::outgoing {

namespace {

constexpr size_t max_name = 200;
constexpr size_t max_host = 253;

bool is_alnum(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9');
}

bool is_port(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5)
    return false;
  int value = 0;
  for (char c : text) {
    if (c < '0' || c > '9')
      return false;
    value = 10 * value + (c - '0');
  }
  return value >= 1 && value <= 65'535;
}

} // namespace

expected<queue_url> parse_queue_url(std::string_view url) {
  const auto refuse = [](const char* why) {
    return fail(ec::unprocessable, std::string{"url: "} + why);
  };
  queue_url out;
  const auto end = url.find("://");
  out.scheme = url.substr(0, end);
  if (end == url.npos || (out.scheme != "nats" && out.scheme != "kafka"))
    return refuse("expected nats://HOST:PORT/SUBJECT or "
                  "kafka://HOST:PORT/TOPIC");
  url.remove_prefix(end + 3);
  const auto slash = url.find('/');
  out.server = url.substr(0, slash);
  out.name = slash == url.npos ? "" : url.substr(slash + 1);
  const auto colon = out.server.rfind(':');
  const auto host = out.server.substr(0, colon);
  const bool named = !host.empty() && host.size() <= max_host &&
                     std::ranges::all_of(host, [](char c) {
                       return is_alnum(c) || c == '.' || c == '-';
                     });
  if (colon == std::string::npos || !named ||
      !is_port(std::string_view{out.server}.substr(colon + 1)))
    return refuse("the server is HOST:PORT, without a user");
  const bool fits = !out.name.empty() && out.name.size() <= max_name &&
                    out.name.front() != '.' && out.name.back() != '.' &&
                    out.name.find("..") == std::string::npos &&
                    std::ranges::all_of(out.name, [](char c) {
                      return is_alnum(c) || c == '.' || c == '_' || c == '-';
                    });
  if (!fits)
    return refuse("the subject or topic is 1 to 200 letters, digits, `.`, `_` "
                  "and `-`");
  return out;
}

} // namespace eventweft::outgoing
