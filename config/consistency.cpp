// SPDX-License-Identifier: Apache-2.0
#include "config/consistency.hpp"

#include "config/names.hpp"
#include "config/shown.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <cstdint>

namespace eventweft::config {

namespace {

void check_order(collector& all, std::string_view section, std::string_view low,
                 std::string_view high, bool holds) {
  if (holds)
    return;
  // The one that was set is told; of two, the upper one.
  auto& result = all.result();
  const bool above = !result.origins.contains(key_path(section, {}, high)) &&
                     result.origins.contains(key_path(section, {}, low));
  const auto told = above ? low : high;
  const auto other = above ? high : low;
  const auto* k = find_key(section, other);
  all.fault_at(section, told,
               std::string{"must not be "} + (above ? "above " : "below ") +
                   std::string{other} + ", which is " +
                   shown(*k, k->at(result.values, {})));
}

void check_listen(collector& all) {
  const std::string_view listen = all.result().values.server.listen;
  const auto colon = listen.rfind(':');
  const auto host = listen.substr(0, std::min(colon, listen.size()));
  bool good = colon != std::string_view::npos && !host.empty();
  // An IPv6 address stands in brackets, or its last group reads as a port.
  good = good && (host.find(':') == std::string_view::npos ||
                  (host.front() == '[' && host.back() == ']'));
  good = good && number<uint16_t>(listen.substr(colon + 1));
  if (!good)
    all.fault_at("server", "listen",
                 "expected HOST:PORT, such as 127.0.0.1:8080 or "
                 "[::1]:8080, found " +
                     in_quotes(listen));
}

/// The server reads no more of a body than its own limit lets it.
void check_body_limits(collector& all) {
  constexpr std::string_view limit = "max_body_bytes";
  const auto& values = all.result().values;
  for (const auto& [name, platform] : values.platforms)
    if (platform.max_body_bytes > values.server.max_body_bytes)
      all.fault_at(
          platform_section, name, limit,
          "must not be above [server] max_body_bytes, which is " +
              shown(*find_key("server", limit),
                    find_key("server", limit)->at(all.result().values, {})));
}

} // namespace

void check_consistency(collector& all) {
  const auto& v = all.result().values;
  check_listen(all);
  check_body_limits(all);
  check_order(all, "store", "retry_min", "retry_max",
              v.store.retry_min <= v.store.retry_max);
  check_order(all, "database", "min_connections", "max_connections",
              v.database.min_connections <= v.database.max_connections);
  check_order(all, "streaming", "ping_interval", "pong_timeout",
              v.streaming.ping_interval <= v.streaming.pong_timeout);
  check_order(all, "webhooks", "breaker_min", "breaker_max",
              v.webhooks.breaker_min <= v.webhooks.breaker_max);
  check_order(all, "supervisor", "restart_min", "restart_max",
              v.supervisor.restart_min <= v.supervisor.restart_max);
}

} // namespace eventweft::config
