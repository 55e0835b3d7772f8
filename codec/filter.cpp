// SPDX-License-Identifier: Apache-2.0
#include "codec/filter.hpp"

#include "codec/filter_program.hpp"
#include "codec/json_text.hpp"
#include "codec/payload.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

namespace eventweft::codec {

namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

struct list_key {
  std::string_view name;
  std::vector<std::string> filter::*member;
};

constexpr list_key list_keys[] = {
    {"platforms", &filter::platforms},
    {"event_types", &filter::event_types},
    {"source_ids", &filter::source_ids},
    {"source_names", &filter::source_names},
    {"actor_ids", &filter::actor_ids},
    {"correlation_ids", &filter::correlation_ids},
};

constexpr size_t max_values = 1'000;
constexpr size_t max_conditions = 32;
constexpr size_t max_path = 256;

error refuse(std::string message) {
  return {ec::unprocessable, std::move(message)};
}

error given_twice(std::string_view member) {
  return {ec::malformed,
          fmt::format("filter: {} is given twice: give it once, with all that "
                      "it is to hold",
                      member)};
}

expected<std::vector<std::string>> read_list(std::string_view key, element e) {
  simdjson::dom::array items;
  if (e.get_array().get(items))
    return fail(
        refuse(fmt::format("filter: {}: expected an array of strings", key)));
  if (items.size() > max_values)
    return fail(refuse(
        fmt::format("filter: {}: more than {} values", key, max_values)));
  std::vector<std::string> out;
  for (auto item : items) {
    std::string_view text;
    if (item.get_string().get(text))
      return fail(refuse(
          fmt::format("filter: {}[{}]: expected a string", key, out.size())));
    // No event is without these two, so it would never match.
    if (text.empty() && (key == "platforms" || key == "event_types"))
      return fail(refuse(
          fmt::format("filter: {}[{}]: must not be empty", key, out.size())));
    out.emplace_back(text);
  }
  return out;
}

bool usable_path(std::string_view path) {
  const bool known =
      path.starts_with("payload.") || path.starts_with("metadata.");
  return known && path.size() <= max_path && path.back() != '.' &&
         path.find("..") == path.npos;
}

expected<std::map<std::string, std::string>> read_conditions(element e) {
  simdjson::dom::object members;
  if (e.get_object().get(members))
    return fail(refuse("filter: custom_filters: expected an object"));
  std::map<std::string, std::string> out;
  for (auto [path, value] : members) {
    if (!usable_path(path))
      return fail(refuse(
          fmt::format("filter: custom_filters: \"{}\": a path starts with "
                      "payload. or metadata. and names a member, as in "
                      "payload.pull_request.base.ref",
                      path)));
    auto text = scalar_text(value);
    if (!text)
      return fail(refuse(fmt::format("filter: custom_filters: \"{}\": expected "
                                     "a string, number, boolean or null",
                                     path)));
    if (!out.emplace(path, std::move(*text)).second)
      return fail(given_twice(fmt::format("custom_filters: \"{}\"", path)));
  }
  if (out.size() > max_conditions)
    return fail(refuse(fmt::format("filter: custom_filters: more than {} paths",
                                   max_conditions)));
  return out;
}

} // namespace

expected<filter> parse_filter(std::string_view json) {
  if (json.empty())
    return fail(ec::malformed, "filter: expected a JSON object");
  payload_reader reader;
  auto root = reader.parse(json);
  if (!root)
    return fail(ec::malformed, "filter: " + root.error().message);
  simdjson::dom::object members;
  if (root->get_object().get(members))
    return fail(refuse("filter: expected a JSON object"));
  if (readable_escapes(json))
    return fail(refuse("filter: must hold neither U+0000 nor half a surrogate "
                       "pair"));
  filter out;
  std::set<std::string_view> given;
  for (auto [key, value] : members) {
    if (!given.insert(key).second)
      return fail(given_twice(key));
    const auto* known =
        std::find_if(std::begin(list_keys), std::end(list_keys),
                     [k = key](const auto& x) { return x.name == k; });
    if (known != std::end(list_keys)) {
      auto list = read_list(key, value);
      if (!list)
        return fail(list.error());
      out.*(known->member) = std::move(*list);
      // Events have them in lower case.
      if (known->member == &filter::correlation_ids)
        for (auto& text : out.correlation_ids)
          if (const auto id = uuid::parse(text))
            text = to_string(*id);
    } else if (key == "min_priority") {
      std::string_view text;
      if (value.is_null())
        continue;
      const bool is_text = !value.get_string().get(text);
      out.min_priority = is_text ? parse_priority(text) : std::nullopt;
      if (!out.min_priority)
        return fail(refuse("filter: min_priority: expected \"low\", "
                           "\"normal\", \"high\" or \"critical\""));
    } else if (key == "custom_filters") {
      auto conditions = read_conditions(value);
      if (!conditions)
        return fail(conditions.error());
      out.custom_filters = std::move(*conditions);
    } else {
      return fail(refuse(fmt::format("filter: unknown key \"{}\"", key)));
    }
  }
  return out;
}

expected<filter> parse_kept_filter(std::string_view json) {
  auto out = parse_filter(json);
  if (out)
    for (const auto& text : out->correlation_ids)
      if (!uuid::parse(text))
        return fail(refuse("filter: correlation_ids: \"" + text +
                           "\" is no thread's id; GET /api/v1/correlations/KEY "
                           "tells the id of a key's thread"));
  return out;
}

expected<filter> parse_forced_filter(std::string_view json) {
  auto out = parse_kept_filter(json);
  if (!out)
    return out;
  payload_reader reader;
  const auto root = reader.parse(json);
  if (!root)
    return fail(ec::malformed, "filter: " + root.error().message);
  simdjson::dom::object members;
  if (root->get(members) != simdjson::SUCCESS)
    return fail(refuse("filter: must be an object"));
  for (const auto [key, value] : members) {
    simdjson::dom::array list;
    simdjson::dom::object object;
    if ((!value.get(list) && list.size() == 0) ||
        (!value.get(object) && object.size() == 0))
      return fail(refuse(fmt::format(
          "filter: {}: is empty, which lets everything through: name what may "
          "be seen, or leave the member out",
          key)));
  }
  if (out->empty())
    return fail(refuse("filter: names nothing, which lets everything through; "
                       "leave it out for credentials that may see all"));
  return out;
}

std::string filter_json(const filter& f) {
  std::string out = "{";
  const auto comma = [&] {
    if (out.size() > 1)
      out.push_back(',');
  };
  for (const auto& key : list_keys) {
    auto values = f.*(key.member);
    if (values.empty())
      continue;
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    comma();
    append_quoted(out, key.name);
    out.append(":[");
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0)
        out.push_back(',');
      append_quoted(out, values[i]);
    }
    out.push_back(']');
  }
  if (f.min_priority) {
    comma();
    out.append(R"("min_priority":)");
    append_quoted(out, to_string(*f.min_priority));
  }
  if (!f.custom_filters.empty()) {
    comma();
    out.append(R"("custom_filters":{)");
    bool first = true;
    for (const auto& [path, value] : f.custom_filters) {
      if (!std::exchange(first, false))
        out.push_back(',');
      append_quoted(out, path);
      out.append(":").append(value);
    }
    out.push_back('}');
  }
  out.push_back('}');
  return out;
}

expected<start_point> parse_since(std::string_view text) {
  if (text.empty() || text == "now")
    return start_point::end();
  if (text == "earliest")
    return start_point::after(0);
  seq_t seq = 0;
  const auto [end, why] =
      std::from_chars(text.data(), text.data() + text.size(), seq);
  if (why == std::errc{} && end == text.data() + text.size() && seq >= 0)
    return start_point::after(seq);
  if (const auto time = parse_rfc3339(text))
    return start_point::at(*time);
  return fail(ec::malformed,
              fmt::format("since: expected now, earliest, a seq (0 or more) or "
                          "an RFC 3339 time, found \"{}\"",
                          text.substr(0, 64)));
}

bool wildcard_match(std::string_view pattern, std::string_view text) noexcept {
  // Greedy with one place to come back to: the last `*`. A later star makes
  // all earlier choices irrelevant, which is what keeps it from exploding.
  size_t p = 0, t = 0, star = pattern.npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

} // namespace eventweft::codec
