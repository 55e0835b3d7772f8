// SPDX-License-Identifier: Apache-2.0
#include "net/stream_query.hpp"

#include "codec/filter.hpp"
#include "net/client_message.hpp"

namespace eventweft::net {

namespace {

/// The parameters that both kinds of streams have; false if it is another one.
expected<bool> read_common(stream_query& q, const std::string& name,
                           const std::string& value) {
  if (name == "since") {
    const auto start = read_since(name, value);
    if (!start)
      return fail(start.error());
    q.start = *start;
    return true;
  }
  if (name == "format") {
    if (value != "native" && value != "cloudevents")
      return bad_parameter(name, "must be native or cloudevents");
    q.format =
        value == "native" ? wire_format::native : wire_format::cloudevents;
    return true;
  }
  if (name == "filter") {
    if (value.empty())
      return bad_parameter(name, "is empty; it takes a JSON object");
    auto f = codec::parse_filter(value);
    if (!f)
      return fail(f.error().code, "query parameter \"filter\": " +
                                      std::move(f.error().message));
    q.filter = std::move(*f);
    return true;
  }
  if (name == "progress") {
    if (value != "true" && value != "false")
      return bad_parameter(name, "must be true or false");
    q.progress = value == "true";
    return true;
  }
  // Has been taken at the door.
  return name == "ticket";
}

std::vector<std::string> filter::*list_member(std::string_view name) {
  return name == "platforms"         ? &filter::platforms
         : name == "event_types"     ? &filter::event_types
         : name == "source_ids"      ? &filter::source_ids
         : name == "source_names"    ? &filter::source_names
         : name == "actor_ids"       ? &filter::actor_ids
         : name == "correlation_ids" ? &filter::correlation_ids
                                     : nullptr;
}

} // namespace

expected<stream_query> read_websocket_query(const query_params& params) {
  stream_query q;
  if (const auto once = given_once(params); !once)
    return fail(once.error());
  for (const auto& [name, value] : params) {
    const auto known = read_common(q, name, value);
    if (!known)
      return fail(known.error());
    if (*known)
      continue;
    if (name != "credit")
      return unknown_parameter(name);
    int64_t n = 0;
    if (!read_number(value, n) || n < 0 || n > most_credit)
      return bad_parameter(name, "must be a number of events, up to a billion");
    q.credit = static_cast<uint64_t>(n);
  }
  return q;
}

expected<stream_query> read_sse_query(const query_params& params) {
  stream_query q;
  filter lists;
  bool has_filter = false;
  // The lists have their names in the plural.
  const auto once = given_once(
      params, [](std::string_view name) { return name.ends_with('s'); });
  if (!once)
    return fail(once.error());
  for (const auto& [name, value] : params) {
    const auto known = read_common(q, name, value);
    if (!known)
      return fail(known.error());
    has_filter = has_filter || name == "filter";
    if (*known)
      continue;
    if (const auto list = list_member(name)) {
      if (const auto read = read_list(lists.*list, name, value); !read)
        return fail(read.error());
    } else if (name == "min_priority") {
      lists.min_priority = parse_priority(value);
      if (!lists.min_priority)
        return bad_parameter(name, "must be low, normal, high or critical");
    } else {
      return unknown_parameter(name);
    }
  }
  if (!lists.empty()) {
    if (has_filter)
      return bad_parameter("filter",
                           "can't be combined with a filter in parts");
    q.filter = std::move(lists);
  }
  return q;
}

} // namespace eventweft::net
