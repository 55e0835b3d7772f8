// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/query.hpp"

#include "persistence/query_conditions.hpp"
#include "persistence/sqlite/log_sync.hpp"
#include "persistence/sqlite/rows.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace eventweft::sqlite {
namespace {

class builder {
 public:
  /// `?n` for a new parameter.
  std::string bind(std::string value) {
    parameters_.push_back(std::move(value));
    return "?" + std::to_string(parameters_.size());
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
  std::vector<std::string> parameters_;
};

} // namespace

std::string glob_pattern(std::string_view pattern) {
  std::string out;
  for (char c : pattern) {
    if (c == '?' || c == '[') {
      out += '[';
      out += c;
      out += ']';
    } else {
      out += c;
    }
  }
  return out;
}

namespace {

/// `payload.a.0` by a function of ours: SQLite's own give the JSON of an object
/// without its sender's spaces, and the first of members that are repeated.
std::string path_condition(builder& b, std::string_view path,
                           const std::string& text) {
  const auto dot = path.find('.');
  return "stands_at(" + std::string{path.substr(0, dot)} + ", " +
         b.bind(std::string{path.substr(dot + 1)}) + ", " + b.bind(text) + ")";
}

/// Equality whose second half is the condition of the partial index.
auto non_empty(builder& b, std::string_view column) {
  return [&b, column](const std::string& value) {
    return "(" + std::string{column} + " = " + b.bind(value) + " AND " +
           std::string{column} + " <> '')";
  };
}

/// With a platform by the index of the deliveries, part by part.
std::string delivery_condition(builder& b, const event_query& q,
                               const std::string& id) {
  std::string keys;
  for (const auto& platform : q.platforms)
    keys +=
        (keys.empty() ? "" : ", ") + std::to_string(event_key(platform, id));
  if (!keys.empty())
    keys = "seq >> 14 IN (WITH RECURSIVE part (n) AS ("
           "SELECT last_seq >> 14 FROM log_head UNION ALL SELECT n - 1 "
           "FROM part WHERE n > (SELECT min(seq) >> 14 FROM events)) "
           "SELECT n FROM part) AND event_key IN (" +
           keys + ") AND ";
  return "(" + keys + "event_id = " + b.bind(id) + ")";
}

} // namespace

statement page_statement(const event_query& q, seq_t shown) {
  builder b;
  // Whoever goes on from what is not durable yet could miss others.
  if (shown != log_sync::everything)
    b.require("seq <= " + std::to_string(shown));
  if (q.id)
    b.require("id = " + b.bind(to_string(*q.id)));
  b.require_any(q.event_ids,
                [&](auto& id) { return delivery_condition(b, q, id); });
  b.require_any(q.platforms,
                [&](auto& p) { return "platform = " + b.bind(p); });
  b.require_any(q.event_types, [&](auto& type) {
    if (type.find('*') != std::string::npos)
      return "event_type GLOB " + b.bind(glob_pattern(type));
    // `Issue` is also every `Issue:…`; `;` is the character after `:`.
    return "event_type = " + b.bind(type) +
           " OR (event_type >= " + b.bind(type + ":") + " AND event_type < " +
           b.bind(type + ";") + ")";
  });
  b.require_any(q.source_names, [&](auto& name) {
    if (name.find('*') != std::string::npos)
      return "source_name GLOB " + b.bind(glob_pattern(name));
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
  require_envelope(b, q, [](timestamp t) { return to_rfc3339(t); });
  for (const auto& [path, text] : q.conditions)
    b.require(path_condition(b, path, text));
  if (q.after)
    b.require("seq > " + std::to_string(*q.after));
  if (q.cursor != 0)
    b.require((q.ascending ? "seq > " : "seq < ") + std::to_string(q.cursor));
  return std::move(b).finish(event_columns, "events",
                             " ORDER BY seq" +
                                 std::string{q.ascending ? "" : " DESC"} +
                                 " LIMIT " + std::to_string(q.limit + 1));
}

statement dead_letters_statement(const dead_letter_query& q) {
  builder b;
  // `value` alone, or followed by `:` and anything.
  const auto or_kind = [&b](const char* column, const std::string& value) {
    const auto n = b.bind(value);
    return "(" + std::string{column} + " = " + n + " OR substr(" + column +
           ", 1, length(" + n + ") + 1) = " + n + " || ':')";
  };
  if (q.id)
    b.require("id = " + b.bind(to_string(*q.id)));
  if (!q.origin.empty())
    b.require(or_kind("origin", q.origin));
  b.require_any(q.platforms,
                [&](auto& p) { return "platform = " + b.bind(p); });
  b.require_any(q.event_types, [&](auto& type) {
    return type.find('*') != std::string::npos
               ? "event_type GLOB " + b.bind(glob_pattern(type))
               : or_kind("event_type", type);
  });
  if (q.event_id)
    b.require("event_id = " + b.bind(to_string(*q.event_id)));
  if (q.since)
    b.require("created_at >= " + b.bind(to_rfc3339(*q.since)));
  if (q.until)
    b.require("created_at < " + b.bind(to_rfc3339(*q.until)));
  // Ids are made in the order of time.
  if (!q.before.is_nil())
    b.require("id < " + b.bind(to_string(q.before)));
  const auto columns =
      q.bodies ? dead_letter_columns : dead_letter_summary_columns;
  return std::move(b).finish(columns, "dead_letters",
                             " ORDER BY id DESC LIMIT " +
                                 std::to_string(q.limit));
}

} // namespace eventweft::sqlite
