// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auth/doorkeeper.hpp"

#include <boost/beast/http/verb.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::net {

/// Who answers a request.
enum class endpoint : uint8_t {
  webhook,
  custom_events,
  websocket,
  sse,
  list_events,
  get_event,
  explain_event,
  // Streams and subscriptions, one after the other.
  list_streams,
  create_stream,
  get_stream,
  change_stream,
  delete_stream,
  list_readers,
  list_subscriptions,
  create_subscription,
  get_subscription,
  change_subscription,
  delete_subscription,
  test_subscription,
  replay_subscription,
  list_deliveries,
  list_processors,
  get_processor,
  drop_processor,
  list_dead_letters,
  get_dead_letter,
  retry_dead_letter,
  drop_dead_letter,
  get_cluster,
  drain_cluster,
  retry_dead_letters,
  drop_dead_letters,
  dead_letter_retry,
  stop_dead_letter_retry,
  cluster_log_level,
  actors,
  get_log_level,
  put_log_level,
  metrics_json,
  metrics_text,
  liveness,
  readiness,
  list_threads,
  get_thread,
  make_ticket,
  create_key,
  list_keys,
  revoke_key,
  list_audit,
  list_rules,
  put_rule,
  drop_rule,
};

/// One line of the route table. `{name}` in a pattern stands for one segment,
/// or with `to_the_end` as the last one for all that is left, slashes as well.
struct route {
  boost::beast::http::verb method;
  std::string_view pattern;
  endpoint target;
  /// What callers need (docs/secure.md). With `needs::visible` the handler sees
  /// to it that they get no more than `auth::visible_to` them.
  auth::needs needs;
  bool to_the_end = false;
};

/// Everything that the server answers, in order of precedence. HEAD works
/// wherever GET does and is not listed.
std::span<const route> route_table() noexcept;

struct route_match {
  /// Null if no route with this method matches.
  const route* found = nullptr;
  /// The path is known, whatever the method.
  bool path_known = false;
  /// The value of the pattern's last `{name}`, decoded; or empty.
  std::string argument;
  /// The values of all of them, in order.
  std::vector<std::string> arguments;
  /// For `Allow`, if the method is wrong.
  std::string allowed;
};

/// `path` is what comes before `?`. Where a `{platform}` is asked for,
/// `knows_platform` decides whether there is such a path.
route_match
match_route(boost::beast::http::verb method, std::string_view path,
            const std::function<bool(std::string_view)>& knows_platform);

} // namespace eventweft::net
