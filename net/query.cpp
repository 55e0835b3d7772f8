// SPDX-License-Identifier: Apache-2.0
#include "net/query.hpp"

#include "codec/filter.hpp"
#include "codec/json_text.hpp"
#include "net/client_message.hpp"
#include "net/readers.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace eventweft::net {

namespace {

std::optional<timestamp> read_time(std::string text) {
  // An offset's `+` that nobody encoded arrives as a blank.
  std::replace(text.begin(), text.end(), ' ', '+');
  return parse_rfc3339(text);
}

/// Where something begins; the error names the forms.
expected<start_point> read_since(const std::string& name,
                                 const std::string& value) {
  if (!value.empty())
    if (auto start = codec::parse_since(value))
      return *start;
  if (const auto time = read_time(value))
    return start_point::at(*time);
  return bad_parameter(
      name, "must be now, earliest, a seq (0 or more) or an RFC 3339 time");
}

/// `parse` reads a cursor, if it is one.
template <class Page, class Parse>
expected<Page> read_page(const query_params& params, Parse parse) {
  Page page;
  if (const auto once = given_once(params); !once)
    return fail(once.error());
  for (const auto& [name, value] : params) {
    if (name == "limit") {
      const auto limit = read_limit(value);
      if (!limit)
        return fail(limit.error());
      page.limit = *limit;
    } else if (name == "cursor") {
      const auto cursor = parse(value);
      if (!cursor)
        return bad_parameter(name, "must be what next_cursor gave");
      page.cursor = *cursor;
    } else {
      return unknown_parameter(name);
    }
  }
  return page;
}

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
  // Has been taken at the door.
  return name == "ticket";
}

} // namespace

void add_list(std::vector<std::string>& list, std::string_view value) {
  while (!value.empty()) {
    const size_t comma = value.find(',');
    if (const auto item = value.substr(0, comma); !item.empty())
      list.emplace_back(item);
    value.remove_prefix(comma == std::string_view::npos ? value.size()
                                                        : comma + 1);
  }
}

expected<size_t> read_limit(std::string_view value) {
  size_t limit = 0;
  if (!read_number(value, limit) || limit < 1 || limit > 1000)
    return bad_parameter("limit", "must be a number from 1 to 1000");
  return limit;
}

std::optional<std::string> percent_decode(std::string_view text,
                                          plus_sign plus) {
  auto plain = url_unescaped(text, plus);
  if (plain.stray_percent || !codec::is_utf8(plain.text))
    return std::nullopt;
  return std::move(plain.text);
}

expected<query_params> parse_query(std::string_view text) {
  query_params params;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (part.empty())
      continue;
    const size_t equals = part.find('=');
    auto name = percent_decode(part.substr(0, equals), plus_sign::is_blank);
    auto value =
        equals == std::string_view::npos
            ? std::optional{std::string{}}
            : percent_decode(part.substr(equals + 1), plus_sign::is_blank);
    if (!name || !value)
      return fail(ec::malformed,
                  "the query holds a bad percent-escape or is not UTF-8");
    params.emplace_back(std::move(*name), std::move(*value));
  }
  return params;
}

namespace {

struct list_parameter {
  std::string_view name;
  std::vector<std::string> event_query::*member;
};

constexpr list_parameter list_parameters[] = {
    {"event_id", &event_query::event_ids},
    {"platform", &event_query::platforms},
    {"event_type", &event_query::event_types},
    {"source_id", &event_query::source_ids},
    {"source_name", &event_query::source_names},
    {"actor", &event_query::actors},
    {"actor_id", &event_query::actor_ids},
    {"actor_name", &event_query::actor_names},
};

struct id_parameter {
  std::string_view name;
  std::optional<uuid> event_query::*member;
};

constexpr id_parameter id_parameters[] = {
    {"id", &event_query::id},
    {"correlation_id", &event_query::correlation_id},
    {"parent_event_id", &event_query::parent_event_id},
};

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
  if (value.find('\0') != value.npos || path.find('\0') != path.npos)
    return bad_parameter(path, "holds a NUL");
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
  add_list(names, value);
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
  for (const auto& p : list_parameters)
    if (name == p.name) {
      add_list(q.*p.member, value);
      return true;
    }
  for (const auto& p : id_parameters)
    if (name == p.name) {
      q.*p.member = uuid::parse(value);
      if (!(q.*p.member))
        return bad_parameter(name, "must be a UUID");
      return true;
    }
  expected<void> read;
  if (is_path(name)) {
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
    } else if (name == "until") {
      q.until = read_time(value);
      if (!q.until)
        return bad_parameter(name, "must be an RFC 3339 time");
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

expected<id_page> read_id_page(const query_params& params) {
  return read_page<id_page>(params, uuid::parse);
}

expected<name_page> read_name_page(const query_params& params) {
  return read_page<name_page>(params, [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional{text};
  });
}

expected<reader_page> read_reader_page(const query_params& params) {
  return read_page<reader_page>(params, parse_reader_id);
}

expected<auth::audit_query> read_audit_query(const query_params& params) {
  auth::audit_query q;
  if (const auto once = given_once(params); !once)
    return fail(once.error());
  for (const auto& [name, value] : params) {
    if (name == "actor") {
      q.actor = value;
    } else if (name == "action") {
      q.action = value;
    } else if (name == "target") {
      q.target = value;
    } else if (name == "since" || name == "until") {
      const auto time = read_time(value);
      if (!time)
        return bad_parameter(name, "must be an RFC 3339 time");
      (name == "since" ? q.since : q.until) = time;
    } else if (name == "limit") {
      const auto limit = read_limit(value);
      if (!limit)
        return fail(limit.error());
      q.limit = *limit;
    } else if (name == "cursor") {
      if (!read_number(value, q.before) || q.before < 1)
        return bad_parameter(name, "must be what next_cursor gave");
    } else {
      return unknown_parameter(name);
    }
  }
  return q;
}

expected<void> read_nothing(const query_params& params) {
  if (!params.empty())
    return unknown_parameter(params.front().first);
  return {};
}

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
    if (name == "credit") {
      int64_t n = 0;
      if (!read_number(value, n) || n < 0 || n > most_credit)
        return bad_parameter(name,
                             "must be a number of events, up to a billion");
      q.credit = static_cast<uint64_t>(n);
      continue;
    }
    if (name != "progress")
      return unknown_parameter(name);
    if (value != "true" && value != "false")
      return bad_parameter(name, "must be true or false");
    q.progress = value == "true";
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
    if (name == "platforms") {
      add_list(lists.platforms, value);
    } else if (name == "event_types") {
      add_list(lists.event_types, value);
    } else if (name == "source_ids") {
      add_list(lists.source_ids, value);
    } else if (name == "source_names") {
      add_list(lists.source_names, value);
    } else if (name == "actor_ids") {
      add_list(lists.actor_ids, value);
    } else if (name == "correlation_ids") {
      add_list(lists.correlation_ids, value);
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
