// SPDX-License-Identifier: Apache-2.0
#include "net/routes.hpp"

#include "net/query.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace eventweft::net {

using auth::needs;
using boost::beast::http::verb;

namespace {

constexpr route table[] = {
    {verb::post, "/events", endpoint::custom_events, needs::ingest},
    {verb::options, "/events", endpoint::custom_events, needs::signature},
    {verb::post, "/webhooks/events", endpoint::custom_events, needs::ingest},
    {verb::options, "/webhooks/events", endpoint::custom_events,
     needs::signature},
    {verb::get, "/ws/events/{stream}", endpoint::websocket, needs::stream},
    {verb::get, "/events/stream/{stream}", endpoint::sse, needs::stream},
    {verb::get, "/api/v1/events", endpoint::list_events, needs::visible},
    {verb::get, "/api/v1/events/{id}", endpoint::get_event, needs::visible},
    {verb::get, "/api/v1/events/{id}/explain", endpoint::explain_event,
     needs::visible},
    {verb::get, "/api/v1/correlations", endpoint::list_threads, needs::read},
    // Keys hold slashes, which not every client and proxy leaves encoded.
    {verb::get, "/api/v1/correlations/{id}", endpoint::get_thread, needs::read,
     true},
    {verb::get, "/api/v1/correlation-rules", endpoint::list_rules, needs::read},
    {verb::put, "/api/v1/correlation-rules/{name}", endpoint::put_rule,
     needs::manage},
    {verb::delete_, "/api/v1/correlation-rules/{name}", endpoint::drop_rule,
     needs::manage},
    {verb::get, "/api/v1/streams", endpoint::list_streams, needs::visible},
    {verb::post, "/api/v1/streams", endpoint::create_stream, needs::manage},
    {verb::get, "/api/v1/streams/{name}", endpoint::get_stream, needs::visible},
    {verb::patch, "/api/v1/streams/{name}", endpoint::change_stream,
     needs::manage},
    {verb::delete_, "/api/v1/streams/{name}", endpoint::delete_stream,
     needs::manage},
    {verb::get, "/api/v1/streams/{name}/readers", endpoint::list_readers,
     needs::manage},
    {verb::get, "/api/v1/streams/{name}/subscriptions",
     endpoint::list_subscriptions, needs::manage},
    {verb::post, "/api/v1/streams/{name}/subscriptions",
     endpoint::create_subscription, needs::manage},
    {verb::get, "/api/v1/streams/{name}/subscriptions/{id}",
     endpoint::get_subscription, needs::manage},
    {verb::patch, "/api/v1/streams/{name}/subscriptions/{id}",
     endpoint::change_subscription, needs::manage},
    {verb::delete_, "/api/v1/streams/{name}/subscriptions/{id}",
     endpoint::delete_subscription, needs::manage},
    {verb::post, "/api/v1/streams/{name}/subscriptions/{id}/test",
     endpoint::test_subscription, needs::manage},
    {verb::post, "/api/v1/streams/{name}/subscriptions/{id}/replay",
     endpoint::replay_subscription, needs::manage},
    {verb::get, "/api/v1/streams/{name}/subscriptions/{id}/deliveries",
     endpoint::list_deliveries, needs::manage},
    {verb::get, "/api/v1/processors", endpoint::list_processors, needs::read},
    {verb::get, "/api/v1/processors/{name}", endpoint::get_processor,
     needs::read},
    {verb::delete_, "/api/v1/processors/{name}", endpoint::drop_processor,
     needs::manage},
    {verb::get, "/api/v1/dead-letters", endpoint::list_dead_letters,
     needs::manage},
    {verb::delete_, "/api/v1/dead-letters", endpoint::drop_dead_letters,
     needs::manage},
    {verb::get, "/api/v1/dead-letters/retry", endpoint::dead_letter_retry,
     needs::manage},
    {verb::post, "/api/v1/dead-letters/retry", endpoint::retry_dead_letters,
     needs::manage},
    {verb::delete_, "/api/v1/dead-letters/retry",
     endpoint::stop_dead_letter_retry, needs::manage},
    {verb::get, "/api/v1/dead-letters/{id}", endpoint::get_dead_letter,
     needs::manage},
    {verb::post, "/api/v1/dead-letters/{id}/retry", endpoint::retry_dead_letter,
     needs::manage},
    {verb::delete_, "/api/v1/dead-letters/{id}", endpoint::drop_dead_letter,
     needs::manage},
    {verb::post, "/api/v1/tickets", endpoint::make_ticket, needs::anybody},
    {verb::post, "/api/v1/keys", endpoint::create_key, needs::admin},
    {verb::get, "/api/v1/keys", endpoint::list_keys, needs::admin},
    {verb::delete_, "/api/v1/keys/{id}", endpoint::revoke_key, needs::admin},
    {verb::get, "/api/v1/audit", endpoint::list_audit, needs::admin},
    {verb::get, "/api/v1/cluster", endpoint::get_cluster, needs::read},
    {verb::post, "/api/v1/cluster/drain", endpoint::drain_cluster,
     needs::admin},
    {verb::post, "/api/v1/cluster/log-level/{level}",
     endpoint::cluster_log_level, needs::admin},
    {verb::get, "/api/v1/actors", endpoint::actors, needs::read},
    {verb::get, "/api/v1/log-level", endpoint::get_log_level, needs::read},
    {verb::put, "/api/v1/log-level", endpoint::put_log_level, needs::admin},
    {verb::get, "/api/v1/metrics", endpoint::metrics_json, needs::read},
    {verb::get, "/metrics", endpoint::metrics_text, needs::read},
    {verb::get, "/healthz", endpoint::liveness, needs::nothing},
    {verb::get, "/readyz", endpoint::readiness, needs::nothing},
    {verb::post, "/webhooks/{platform}", endpoint::webhook, needs::signature},
    {verb::post, "/{platform}/events", endpoint::webhook, needs::signature},
};

constexpr bool all_decided() {
  for (const auto& r : table)
    if (r.needs == needs::undecided)
      return false;
  return true;
}
static_assert(all_decided(), "every route says what its callers need");

/// Takes the first segment off `rest`, which starts with `/`.
std::string_view take_segment(std::string_view& rest) {
  const auto end = rest.find('/', 1);
  const auto segment =
      rest.substr(1, end == std::string_view::npos ? end : end - 1);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
  return segment;
}

/// The arguments if `path` has the form of the route's pattern.
std::optional<std::vector<std::string>> match(const route& r,
                                              std::string_view path) {
  std::vector<std::string> arguments;
  auto pattern = r.pattern;
  while (pattern.starts_with('/') && path.starts_with('/')) {
    const auto want = take_segment(pattern);
    const auto have = r.to_the_end && pattern.empty()
                          ? std::exchange(path, {}).substr(1)
                          : take_segment(path);
    if (!want.starts_with('{')) {
      if (want != have)
        return std::nullopt;
      continue;
    }
    auto value = percent_decode(have, plus_sign::is_itself);
    // Nothing of ours has a NUL in its name, and the store would end a text
    // there.
    if (!value || value->empty() || value->find('\0') != value->npos)
      return std::nullopt;
    arguments.push_back(std::move(*value));
  }
  if (!pattern.empty() || !path.empty())
    return std::nullopt;
  return arguments;
}

void allow(std::string& list, verb method) {
  const auto name = boost::beast::http::to_string(method);
  if (list.find(name.data(), 0, name.size()) != std::string::npos)
    return;
  if (!list.empty())
    list += ", ";
  list.append(name.data(), name.size());
}

} // namespace

std::span<const route> route_table() noexcept {
  return table;
}

route_match
match_route(verb method, std::string_view path,
            const std::function<bool(std::string_view)>& knows_platform) {
  if (method == verb::head)
    method = verb::get;
  route_match result;
  for (const auto& r : table) {
    auto arguments = match(r, path);
    if (!arguments)
      continue;
    if (r.target == endpoint::webhook && !knows_platform(arguments->front()))
      continue;
    result.path_known = true;
    if (r.method == method) {
      result.found = &r;
      result.argument = arguments->empty() ? "" : arguments->back();
      result.arguments = std::move(*arguments);
      return result;
    }
    allow(result.allowed, r.method);
    if (r.method == verb::get)
      allow(result.allowed, verb::head);
  }
  return result;
}

} // namespace eventweft::net
