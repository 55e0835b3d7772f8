// SPDX-License-Identifier: Apache-2.0
#include "net/event_query.hpp"

#include <algorithm>
#include <limits>

namespace eventweft::net {

namespace {

template <class T>
struct event_parameter {
  std::string_view name;
  T event_query::*member;
};

constexpr event_parameter<std::vector<std::string>> list_parameters[] = {
    {"event_id", &event_query::event_ids},
    {"platform", &event_query::platforms},
    {"event_type", &event_query::event_types},
    {"source_id", &event_query::source_ids},
    {"source_name", &event_query::source_names},
    {"actor", &event_query::actors},
    {"actor_id", &event_query::actor_ids},
    {"actor_name", &event_query::actor_names},
};

constexpr event_parameter<std::optional<uuid>> id_parameters[] = {
    {"id", &event_query::id},
    {"correlation_id", &event_query::correlation_id},
    {"parent_event_id", &event_query::parent_event_id},
};

constexpr event_parameter<std::optional<timestamp>> time_parameters[] = {
    {"until", &event_query::until},
    {"processed_since", &event_query::processed_since},
    {"processed_until", &event_query::processed_until},
};

constexpr event_parameter<std::optional<double>> seconds_parameters[] = {
    {"min_duration", &event_query::min_duration},
    {"max_duration", &event_query::max_duration},
};

/// The member that a parameter of that table sets; null for another one.
template <class T, size_t N>
T* member_of(event_query& q, const event_parameter<T> (&table)[N],
             std::string_view name) {
  for (const auto& p : table)
    if (p.name == name)
      return &(q.*p.member);
  return nullptr;
}

constexpr size_t max_conditions = 8;
constexpr size_t max_path = 256;

bool is_path(std::string_view name) {
  return name.starts_with("payload.") || name.starts_with("metadata.");
}

expected<void> read_condition(event_query& q, const std::string& path,
                              const std::string& value) {
  if (path.size() > max_path || path.back() == '.' ||
      path.find("..") != path.npos || path.find_first_of("\"\\") != path.npos)
    return bad_parameter(path,
                         "must name a member, as in payload.repository.name");
  if (!q.conditions.emplace(path, value).second)
    return bad_parameter(path, "is given twice");
  if (q.conditions.size() > max_conditions)
    return bad_parameter(path, "is one condition too many: at most " +
                                   std::to_string(max_conditions));
  return {};
}

expected<void> read_priorities(event_query& q, const std::string& name,
                               const std::string& value) {
  std::vector<std::string> names;
  if (auto read = read_list(names, name, value); !read)
    return read;
  for (const auto& text : names) {
    const auto level = parse_priority(text);
    if (!level)
      return bad_parameter(name, "must be low, normal, high or critical");
    q.priorities.push_back(*level);
  }
  return {};
}

/// All levels from the one that is named.
expected<void> read_min_priority(event_query& q, const std::string& name,
                                 const std::string& value) {
  const auto least = parse_priority(value);
  if (!least)
    return bad_parameter(name, "must be low, normal, high or critical");
  if (!q.priorities.empty())
    return bad_parameter(name, "can't be combined with \"priority\"");
  for (const auto level :
       {priority::low, priority::normal, priority::high, priority::critical})
    if (level >= *least && *least != priority::low)
      q.priorities.push_back(level);
  return {};
}

void begin_at(event_query& q, const start_point& start) {
  switch (start.from) {
  case start_point::kind::now:
    // A page shows what there is, and nothing is there after now.
    q.after = std::numeric_limits<seq_t>::max();
    break;
  case start_point::kind::after_seq:
    q.after = start.seq;
    break;
  case start_point::kind::at_time:
    q.since = start.time;
    break;
  }
}

/// The parameters that say which events are meant; false if it is another.
expected<bool> read_which(event_query& q, const std::string& name,
                          const std::string& value) {
  expected<void> read;
  if (auto* const list = member_of(q, list_parameters, name)) {
    read = read_list(*list, name, value);
  } else if (auto* const id = member_of(q, id_parameters, name)) {
    *id = uuid::parse(value);
    if (!*id)
      return bad_parameter(name, "must be a UUID");
  } else if (auto* const time = member_of(q, time_parameters, name)) {
    *time = read_time(value);
    if (!*time)
      return bad_parameter(name, "must be an RFC 3339 time");
  } else if (auto* const seconds = member_of(q, seconds_parameters, name)) {
    *seconds = parse_seconds(value);
    if (!*seconds)
      return bad_parameter(name, "must be a number of seconds, 0 or more");
  } else if (is_path(name)) {
    read = read_condition(q, name, value);
  } else if (name == "priority") {
    read = read_priorities(q, name, value);
  } else if (name == "min_priority") {
    read = read_min_priority(q, name, value);
  } else if (name == "processed") {
    if (value != "true" && value != "false")
      return bad_parameter(name, "must be true or false");
    q.processed = value == "true";
  } else {
    return false;
  }
  if (!read)
    return fail(std::move(read.error()));
  return true;
}

} // namespace

expected<event_query> read_event_query(const query_params& params) {
  event_query q;
  const auto once = given_once(params, [](std::string_view name) {
    // A condition says so by itself.
    return name == "priority" || is_path(name) ||
           std::ranges::any_of(list_parameters, [name](const auto& p) {
             return p.name == name;
           });
  });
  if (!once)
    return fail(once.error());
  for (const auto& [name, value] : params) {
    const auto which = read_which(q, name, value);
    if (!which)
      return fail(which.error());
    if (*which)
      continue;
    if (name == "since") {
      const auto start = read_since(name, value);
      if (!start)
        return fail(start.error());
      begin_at(q, *start);
    } else if (name == "limit") {
      const auto limit = read_limit(value);
      if (!limit)
        return fail(limit.error());
      q.limit = *limit;
    } else if (name == "cursor") {
      if (!read_number(value, q.cursor) || q.cursor < 1)
        return bad_parameter(name, "must be what next_cursor gave");
    } else if (name == "order") {
      if (value != "asc" && value != "desc")
        return bad_parameter(name, "must be asc or desc");
      q.ascending = value == "asc";
    } else {
      return unknown_parameter(name);
    }
  }
  return q;
}

} // namespace eventweft::net
