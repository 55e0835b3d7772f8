// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/query.hpp"

#include "persistence/postgres/rows.hpp"
#include "persistence/query_conditions.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace eventweft::postgres {
namespace {

class builder {
 public:
  /// `$n` for a new parameter.
  std::string bind(std::string value) {
    parameters_.append(std::move(value));
    return "$" + std::to_string(++count_);
  }

  void require(const std::string& condition) {
    sql_ += sql_.empty() ? " WHERE " : " AND ";
    sql_ += condition;
  }

  /// `values` are alternatives; none of them means "anything".
  template <class Value, class Condition>
  void require_any(const std::vector<Value>& values, Condition&& condition) {
    std::string any;
    for (const auto& value : values) {
      any += any.empty() ? "(" : " OR ";
      any += condition(value);
    }
    if (!any.empty())
      require(any + ")");
  }

  statement finish(std::string_view columns, std::string_view table,
                   const std::string& tail) && {
    return {"SELECT " + std::string{columns} + " FROM " + std::string{table} +
                sql_ + tail,
            std::move(parameters_)};
  }

 private:
  std::string sql_;
  pqxx::params parameters_;
  int count_ = 0;
};

} // namespace

std::string like_pattern(std::string_view pattern) {
  std::string out;
  for (char c : pattern) {
    if (c == '\\' || c == '%' || c == '_')
      out += '\\';
    out += c == '*' ? '%' : c;
  }
  return out;
}

namespace {

/// `text` as an SQL literal.
std::string literal(std::string_view text) {
  std::string out = text.find('\\') == text.npos ? "'" : " E'";
  for (char c : text) {
    if (c == '\'' || c == '\\')
      out += c;
    out += c;
  }
  return out + "'";
}

/// Whether PostgreSQL may read as an index what is only a name to us: `-1`,
/// say. It counts from the end then, but of whichever array comes first at that
/// depth, so that the answer hangs on what else is in the payload.
bool is_odd_index(std::string_view name) {
  const auto digits = name.find_first_not_of(" \t\n\v\f\r+-");
  return digits != 0 && digits != name.npos &&
         name.find_first_not_of("0123456789", digits) == name.npos;
}

/// `payload.a.0` as `payload #>> '{"a","0"}'`. A literal and not a parameter,
/// so that an operator's expression index over this very path is found.
std::string path_expression(std::string_view path) {
  const auto point = path.find('.');
  std::string out{path.substr(0, point)};
  std::string members;
  for (path.remove_prefix(point); !path.empty();) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('.'), path.size());
    const auto name = path.substr(0, end);
    path.remove_prefix(end);
    if (is_odd_index(name)) {
      if (!members.empty())
        out += " #> " + literal("{" + std::exchange(members, {}) + "}");
      out += (path.empty() ? " ->> " : " -> ") + literal(name);
      continue;
    }
    members += members.empty() ? "\"" : ",\"";
    for (char c : name) {
      if (c == '"' || c == '\\')
        members += '\\';
      members += c;
    }
    members += '"';
  }
  return members.empty() ? out : out + " #>> " + literal("{" + members + "}");
}

/// A delivery is known by the hash that the index has; without a platform to go
/// with it, by those of every platform there is.
std::string delivery_condition(builder& b, const event_query& q,
                               const std::string& id) {
  const auto n = b.bind(id);
  std::string keys;
  for (const auto& platform : q.platforms)
    keys += (keys.empty() ? "event_key(platform, event_id) IN (" : ", ") +
            ("event_key(" + b.bind(platform) + ", " + n + ")");
  if (keys.empty())
    keys = "event_key(platform, event_id) = ANY (ARRAY("
           "WITH RECURSIVE known (name) AS ("
           "(SELECT k.platform FROM events k ORDER BY k.platform LIMIT 1) "
           "UNION ALL SELECT (SELECT k.platform FROM events k "
           "WHERE k.platform > known.name ORDER BY k.platform LIMIT 1) "
           "FROM known WHERE known.name IS NOT NULL) "
           "SELECT event_key(name, " +
           n + ") FROM known WHERE name IS NOT NULL)";
  return "(" + keys + ") AND event_id = " + n + ")";
}

/// Equality whose second half is the condition of the partial index.
auto non_empty(builder& b, std::string_view column) {
  return [&b, column](const std::string& value) {
    return "(" + std::string{column} + " = " + b.bind(value) + " AND " +
           std::string{column} + " <> '')";
  };
}

} // namespace

statement page_statement(const event_query& q, seq_t shown) {
  builder b;
  if (q.id)
    b.require("id = " + b.bind(to_string(*q.id)));
  b.require_any(q.event_ids,
                [&](auto& id) { return delivery_condition(b, q, id); });
  b.require_any(q.platforms,
                [&](auto& p) { return "platform = " + b.bind(p); });
  b.require_any(q.event_types, [&](auto& type) {
    if (type.find('*') != std::string::npos)
      return "event_type LIKE " + b.bind(like_pattern(type));
    // `Issue` is also every `Issue:…`; `;` is the character after `:`.
    return "event_type = " + b.bind(type) +
           " OR (event_type >= " + b.bind(type + ":") + " AND event_type < " +
           b.bind(type + ";") + ")";
  });
  b.require_any(q.source_names, [&](auto& name) {
    if (name.find('*') != std::string::npos)
      return "source_name LIKE " + b.bind(like_pattern(name));
    return non_empty(b, "source_name")(name);
  });
  b.require_any(q.source_ids, non_empty(b, "source_id"));
  b.require_any(q.actor_ids, non_empty(b, "actor_id"));
  b.require_any(q.actor_names, non_empty(b, "actor_name"));
  b.require_any(q.actors, [&](auto& actor) {
    auto n = b.bind(actor);
    return "(actor_id = " + n + " AND actor_id <> '') OR (actor_name = " + n +
           " AND actor_name <> '')";
  });
  require_envelope(b, q, [](timestamp t) { return time_text(t); });
  for (const auto& [path, text] : q.conditions)
    b.require(path_expression(path) + " = " + b.bind(text));
  // Not what is not durable yet: whoever goes on from there could miss others.
  b.require("seq <= " + b.bind(std::to_string(shown)));
  if (q.after)
    b.require("seq > " + b.bind(std::to_string(*q.after)));
  if (q.cursor != 0)
    b.require((q.ascending ? "seq > " : "seq < ") +
              b.bind(std::to_string(q.cursor)));
  const std::string order =
      " ORDER BY seq" + std::string{q.ascending ? "" : " DESC"};
  const std::string columns{event_columns};
  auto rows = std::move(b).finish(
      columns + ", payload_bytes, sum(payload_bytes::bigint) OVER (" + order +
          " ROWS UNBOUNDED PRECEDING) AS upto",
      "events", order + " LIMIT " + std::to_string(q.limit + 1));
  rows.sql = "SELECT " + columns + ", upto >= " + std::to_string(q.max_bytes) +
             " FROM (" + rows.sql + ") page WHERE upto - payload_bytes < " +
             std::to_string(q.max_bytes) + order;
  return rows;
}

statement dead_letters_statement(const dead_letter_query& q) {
  builder b;
  if (q.id)
    b.require("id = " + b.bind(to_string(*q.id)));
  if (!q.origin.empty())
    b.require("(origin = " + b.bind(q.origin) + " OR starts_with(origin, " +
              b.bind(q.origin + ":") + "))");
  b.require_any(q.platforms,
                [&](auto& p) { return "platform = " + b.bind(p); });
  b.require_any(q.event_types, [&](auto& type) {
    if (type.find('*') != std::string::npos)
      return "event_type LIKE " + b.bind(like_pattern(type));
    return "event_type = " + b.bind(type) + " OR starts_with(event_type, " +
           b.bind(type + ":") + ")";
  });
  if (q.event_id)
    b.require("event_id = " + b.bind(to_string(*q.event_id)));
  if (q.since)
    b.require("created_at >= " + b.bind(time_text(*q.since)));
  if (q.until)
    b.require("created_at < " + b.bind(time_text(*q.until)));
  // Ids are made in the order of time.
  if (!q.before.is_nil())
    b.require("id < " + b.bind(to_string(q.before)));
  const auto columns =
      q.bodies ? dead_letter_columns : dead_letter_summary_columns;
  return std::move(b).finish(columns, "dead_letters",
                             " ORDER BY id DESC LIMIT " +
                                 std::to_string(q.limit));
}

} // namespace eventweft::postgres
