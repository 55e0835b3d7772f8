// SPDX-License-Identifier: Apache-2.0
#include "net/query.hpp"

#include "codec/filter.hpp"
#include "codec/json_text.hpp"
#include "messages/comma_list.hpp"
#include "net/readers.hpp"

#include <algorithm>
#include <iterator>

namespace eventweft::net {

namespace {

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

std::string auth::audit_query::*audit_text(std::string_view name) {
  return name == "actor"    ? &auth::audit_query::actor
         : name == "action" ? &auth::audit_query::action
         : name == "target" ? &auth::audit_query::target
                            : nullptr;
}

} // namespace

expected<void> read_list(std::vector<std::string>& list, std::string_view name,
                         std::string_view value) {
  auto items = comma_list(value);
  if (items.empty())
    return not_empty(name, {});
  std::ranges::move(items, std::back_inserter(list));
  return {};
}

expected<size_t> read_limit(std::string_view value) {
  size_t limit = 0;
  if (!read_number(value, limit) || limit < 1 || limit > 1000)
    return bad_parameter("limit", "must be a number from 1 to 1000");
  return limit;
}

std::optional<timestamp> read_time(std::string text) {
  // An offset's `+` that nobody encoded arrives as a blank.
  std::replace(text.begin(), text.end(), ' ', '+');
  return parse_rfc3339(text);
}

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
    if (name->find('\0') != name->npos)
      return fail(ec::malformed, "a query parameter's name holds a NUL");
    if (value->find('\0') != value->npos)
      return bad_parameter(*name, "holds a NUL");
    params.emplace_back(std::move(*name), std::move(*value));
  }
  return params;
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
    if (const auto text = audit_text(name)) {
      if (const auto said = not_empty(name, value); !said)
        return fail(said.error());
      q.*text = value;
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

} // namespace eventweft::net
