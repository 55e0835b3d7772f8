// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auth/audit.hpp"
#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/filter.hpp"
#include "messages/url_escape.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft::net {

/// What followed `?`, decoded; order and repetitions as received.
using query_params = std::vector<std::pair<std::string, std::string>>;

/// Undoes percent-encoding. Nothing for a bad escape or for bytes that are not
/// UTF-8.
std::optional<std::string> percent_decode(std::string_view text,
                                          plus_sign plus);

/// Reads `a=1&b=2`. Lenient about what browsers and curl leave unencoded;
/// `malformed` for a bad escape, and for a NUL, which no text of ours has and
/// the store would end a text at.
expected<query_params> parse_query(std::string_view text);

/// What is wrong with a parameter: `malformed`, with its name.
inline tl::unexpected<error> bad_parameter(std::string_view name,
                                           std::string_view why) {
  return fail(ec::malformed, "query parameter \"" + std::string{name} + "\" " +
                                 std::string{why});
}

inline tl::unexpected<error> unknown_parameter(std::string_view name) {
  return fail(ec::malformed,
              "unknown query parameter \"" + std::string{name} + "\"");
}

/// Nothing but a number of that type is one.
template <class T>
bool read_number(std::string_view text, T& value) {
  const auto end = text.data() + text.size();
  const auto [at, fault] = std::from_chars(text.data(), end, value);
  return fault == std::errc{} && at == end;
}

/// `malformed` if one is given twice for which `is_list` is false: which of the
/// two is meant can't be known.
template <class IsList>
expected<void> given_once(const query_params& params, IsList is_list) {
  for (auto i = params.begin(); i != params.end(); ++i)
    if (!is_list(std::string_view{i->first}) &&
        std::any_of(params.begin(), i, [i](const auto& before) {
          return before.first == i->first;
        }))
      return bad_parameter(i->first, "is given twice");
  return {};
}

inline expected<void> given_once(const query_params& params) {
  return given_once(params, [](std::string_view) { return false; });
}

/// `malformed` if a parameter that narrows what is found says nothing: what an
/// unset variable of a script leaves behind must not find everything.
inline expected<void> not_empty(std::string_view name, std::string_view value) {
  if (value.empty())
    return bad_parameter(name, "is empty");
  return {};
}

/// Adds the texts of a `comma_list`. `malformed`, as by `not_empty`, if there
/// are no others.
expected<void> read_list(std::vector<std::string>& list, std::string_view name,
                         std::string_view value);

/// The value of `limit`, which every list has.
expected<size_t> read_limit(std::string_view value);

/// A page of a list that is walked by id.
struct id_page {
  uuid cursor;
  size_t limit = 100;
};
expected<id_page> read_id_page(const query_params& params);

/// For `GET /api/v1/streams/{name}/readers`: the last id that is known.
struct reader_page {
  uint64_t cursor = 0;
  size_t limit = 100;
};
expected<reader_page> read_reader_page(const query_params& params);

/// A page of a list that is held as a whole, by what its items are called.
struct name_page {
  /// The last one of the page before; empty for the first page.
  std::string cursor;
  size_t limit = 1'000;
};
expected<name_page> read_name_page(const query_params& params);

/// Leaves what fits into one page; whether anything is cut off. Who asks for
/// one item more than fits learns so whether there is a next page.
template <class T>
bool cut_page(std::vector<T>& found, size_t limit) {
  if (found.size() <= limit)
    return false;
  found.erase(found.begin() + static_cast<std::ptrdiff_t>(limit), found.end());
  return true;
}

/// Leaves that page in `all`, which is in the order of what `name_of` gives;
/// whether there is one after it.
template <class T, class NameOf>
bool cut_page(std::vector<T>& all, const name_page& page, NameOf name_of) {
  std::erase_if(all, [&](const T& x) {
    return !page.cursor.empty() && name_of(x) <= page.cursor;
  });
  return cut_page(all, page.limit);
}

/// A time, as in RFC 3339, also where nobody encoded its offset's `+`.
std::optional<timestamp> read_time(std::string text);

/// Where something begins: now, earliest, a seq or a time. The error names the
/// parameter and the forms.
expected<start_point> read_since(const std::string& name,
                                 const std::string& value);

/// For `GET /api/v1/audit`.
expected<auth::audit_query> read_audit_query(const query_params& params);

/// `malformed` if there is any parameter.
expected<void> read_nothing(const query_params& params);

} // namespace eventweft::net
