// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/query.hpp"

#include "persistence/sqlite/rows.hpp"

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

  /// `texts` are alternatives; none of them means "anything".
  template <class Condition>
  void require_any(const std::vector<std::string>& texts,
                   Condition&& condition) {
    std::string any;
    for (const auto& text : texts) {
      any += any.empty() ? "(" : " OR ";
      any += condition(text);
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

statement page_statement(const event_query& q) {
  builder b;
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
    // The second condition is that of the partial index.
    return "(source_name = " + b.bind(name) + " AND source_name <> '')";
  });
  b.require_any(q.actors, [&](auto& actor) {
    auto n = b.bind(actor);
    return "(actor_id = " + n + " AND actor_id <> '') OR (actor_name = " + n +
           " AND actor_name <> '')";
  });
  if (q.correlation_id)
    b.require("correlation_id = " + b.bind(to_string(*q.correlation_id)));
  if (q.since)
    b.require("created_at >= " + b.bind(to_rfc3339(*q.since)));
  if (q.until)
    b.require("created_at < " + b.bind(to_rfc3339(*q.until)));
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
    b.require("(" + std::string{column} + " = " + n + " OR substr(" + column +
              ", 1, length(" + n + ") + 1) = " + n + " || ':')");
  };
  if (q.id)
    b.require("id = " + b.bind(to_string(*q.id)));
  if (!q.origin.empty())
    or_kind("origin", q.origin);
  if (!q.platform.empty())
    b.require("platform = " + b.bind(q.platform));
  if (!q.event_type.empty())
    or_kind("event_type", q.event_type);
  if (q.event_id)
    b.require("event_id = " + b.bind(to_string(*q.event_id)));
  if (q.since)
    b.require("created_at >= " + b.bind(to_rfc3339(*q.since)));
  if (q.until)
    b.require("created_at < " + b.bind(to_rfc3339(*q.until)));
  // Ids are made in the order of time.
  if (!q.before.is_nil())
    b.require("id < " + b.bind(to_string(q.before)));
  return std::move(b).finish(dead_letter_columns, "dead_letters",
                             " ORDER BY id DESC LIMIT " +
                                 std::to_string(q.limit));
}

} // namespace eventweft::sqlite
