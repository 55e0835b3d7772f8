// SPDX-License-Identifier: Apache-2.0
#include "persistence/memory/match.hpp"

#include "codec/filter.hpp"
#include "codec/json_spans.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::memory {

namespace {

bool is_or_starts(std::string_view text, std::string_view wanted) {
  return text == wanted || (text.starts_with(wanted) &&
                            text.substr(wanted.size()).starts_with(':'));
}

template <class Test>
bool any_of(const std::vector<std::string>& wanted, Test test) {
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), test);
}

bool stands_at(const event& ev, std::string_view path,
               const std::string& text) {
  const auto dot = path.find('.');
  const auto json = path.substr(0, dot) == "payload"
                        ? ev.stored_payload().view()
                        : std::string_view{ev.metadata};
  return codec::json_text_at(json, path.substr(dot + 1)) == text;
}

bool matches_processing(const event_query& q, const event& ev) {
  const auto& at = ev.processed_at;
  const auto& took = ev.processing_duration;
  return (!q.processed || *q.processed == at.has_value()) &&
         (!q.processed_since || (at && *at >= *q.processed_since)) &&
         (!q.processed_until || (at && *at < *q.processed_until)) &&
         (!q.min_duration || (took && *took >= *q.min_duration)) &&
         (!q.max_duration || (took && *took <= *q.max_duration));
}

bool matches_envelope(const event_query& q, const event& ev) {
  const auto is = [](const std::string& value) {
    return [&value](auto& wanted) { return wanted == value; };
  };
  return (!q.id || *q.id == ev.id) && any_of(q.event_ids, is(ev.event_id)) &&
         any_of(q.source_ids, is(ev.source_id)) &&
         any_of(q.actor_ids, is(ev.actor_id)) &&
         any_of(q.actor_names, is(ev.actor_name)) &&
         (q.priorities.empty() ||
          std::ranges::find(q.priorities, ev.priority) != q.priorities.end()) &&
         (!q.parent_event_id || q.parent_event_id == ev.parent_event_id) &&
         matches_processing(q, ev);
}

bool is_of_type(const std::string& type, const std::string& wanted) {
  return wanted.find('*') == std::string::npos
             ? is_or_starts(type, wanted)
             : codec::wildcard_match(wanted, type);
}

} // namespace

bool matches(const event_query& q, const event& ev) {
  if (!matches_envelope(q, ev))
    return false;
  for (const auto& [path, text] : q.conditions)
    if (!stands_at(ev, path, text))
      return false;
  return any_of(q.platforms, [&](auto& p) { return p == ev.platform; }) &&
         any_of(q.event_types,
                [&](auto& t) { return is_of_type(ev.event_type, t); }) &&
         any_of(q.source_names,
                [&](auto& n) {
                  return codec::wildcard_match(n, ev.source_name) &&
                         (!ev.source_name.empty() ||
                          n.find('*') != std::string::npos);
                }) &&
         any_of(q.actors,
                [&](auto& a) {
                  return !a.empty() && (a == ev.actor_id || a == ev.actor_name);
                }) &&
         (!q.correlation_id || q.correlation_id == ev.correlation_id) &&
         (!q.after || ev.seq > *q.after) &&
         (!q.since || ev.created_at >= *q.since) &&
         (!q.until || ev.created_at < *q.until);
}

bool matches(const dead_letter_query& q, const dead_letter& x) {
  return (!q.id || *q.id == x.id) &&
         (q.origin.empty() || is_or_starts(x.origin, q.origin)) &&
         any_of(q.platforms, [&](auto& p) { return p == x.platform; }) &&
         any_of(q.event_types,
                [&](auto& t) { return is_of_type(x.event_type, t); }) &&
         (!q.event_id || q.event_id == x.event_id) &&
         (!q.since || x.created_at >= *q.since) &&
         (!q.until || x.created_at < *q.until) &&
         (q.before.is_nil() || x.id < q.before);
}

} // namespace eventweft::memory
