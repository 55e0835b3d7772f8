// SPDX-License-Identifier: Apache-2.0
#include "codec/subscription_rows.hpp"

#include "codec/boost_text.hpp"
#include "codec/filter.hpp"

#include <utility>

namespace eventweft::codec {

namespace {

namespace json = boost::json;

tl::unexpected<error> unreadable_row() {
  return fail(ec::corrupt, "a subscription's row can't be read");
}

expected<json::value> parse_stored(std::string_view text) {
  boost::system::error_code code;
  auto root = json::parse(view(text), code);
  if (code)
    return unreadable_row();
  return root;
}

expected<json::array> parse_stored_list(std::string_view text) {
  auto root = parse_stored(text);
  if (!root)
    return fail(root.error());
  if (!root->is_array())
    return unreadable_row();
  return std::move(root->as_array());
}

} // namespace

std::string text_list_json(const std::vector<std::string>& list) {
  json::array out;
  for (const auto& text : list)
    out.emplace_back(text);
  return json::serialize(out);
}

expected<std::vector<std::string>> parse_text_list(std::string_view text) {
  const auto list = parse_stored_list(text);
  if (!list)
    return fail(list.error());
  std::vector<std::string> out;
  for (const auto& item : *list) {
    if (!item.is_string())
      return unreadable_row();
    out.emplace_back(view(item.as_string()));
  }
  return out;
}

std::string header_list_json(const outgoing::header_list& headers) {
  json::array out;
  for (const auto& [name, value] : headers)
    out.push_back(json::array{name, value});
  return json::serialize(out);
}

expected<outgoing::header_list> parse_header_list(std::string_view text) {
  const auto list = parse_stored_list(text);
  if (!list)
    return fail(list.error());
  outgoing::header_list out;
  for (const auto& item : *list) {
    const auto* pair = item.if_array();
    if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_string() ||
        !(*pair)[1].is_string())
      return unreadable_row();
    out.emplace_back(view((*pair)[0].as_string()),
                     view((*pair)[1].as_string()));
  }
  return out;
}

std::string replay_json(const replay_state& replay) {
  return "{\"after\":" + std::to_string(replay.after) +
         ",\"until\":" + std::to_string(replay.until) +
         ",\"filter\":" + filter_json(replay.filter) + '}';
}

expected<replay_state> parse_replay(std::string_view text) {
  auto root = parse_stored(text);
  if (!root)
    return fail(root.error());
  const auto* members = root->if_object();
  const auto* after = members ? members->if_contains("after") : nullptr;
  const auto* until = members ? members->if_contains("until") : nullptr;
  const auto* what = members ? members->if_contains("filter") : nullptr;
  if (!after || !after->is_int64() || !until || !until->is_int64() || !what)
    return fail(ec::corrupt, "a subscription's replay can't be read");
  auto f = parse_filter(json::serialize(*what));
  if (!f)
    return fail(f.error());
  return replay_state{after->as_int64(), until->as_int64(), std::move(*f)};
}

} // namespace eventweft::codec
