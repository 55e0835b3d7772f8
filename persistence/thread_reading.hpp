// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// What both engines do alike when threads are read.
namespace eventweft::thread_reading {

/// The end of a query for `key`s: those that tell most about a thread come
/// first. Not LIKE, in which SQLite does not tell cases apart.
inline constexpr std::string_view key_order =
    " ORDER BY CASE WHEN substr(key, 1, 10) = 'github:pr:' THEN 0 "
    "WHEN substr(key, 1, 13) IN ('linear:issue:', 'github:issue:') THEN 1 "
    "WHEN substr(key, 1, 11) = 'deployment:' THEN 2 "
    "WHEN substr(key, 1, 13) = 'slack:thread:' THEN 3 "
    "WHEN substr(key, 1, 11) = 'git:branch:' THEN 4 ELSE 5 END, key";

/// Of `event_correlations c`, in the order of the members of `thread_link`.
inline constexpr std::string_view link_columns =
    "c.source_event_id, c.correlation_key, c.correlation_type, "
    "c.confidence_score, c.state, c.rule, c.field, c.matched, "
    "coalesce(c.target_event_id, (SELECT k.owner_event_id "
    "FROM correlation_keys k WHERE k.key = c.correlation_key))";

/// The newest events of a thread, among which those with a key and those that
/// tell states are looked for.
inline constexpr size_t newest_events = 2'000;

/// Most keys of a thread's summary, and of its story.
inline constexpr size_t summary_keys = 8;
inline constexpr size_t story_keys = 200;

/// Most people that a thread's story names.
inline constexpr size_t story_participants = 200;

/// Beginnings of the types of events that tell a state. Of each the newest are
/// looked through, and of those the newest of each thing are read, so that what
/// one thing has many of hides no other thing.
inline constexpr std::array<std::string_view, 5> state_types{
    "pull_request:", "pull_request_", "issues:", "Issue:", "deployment"};
/// Of one thing: webhooks overtake each other.
inline constexpr size_t state_events = 4;
/// Of one beginning.
inline constexpr size_t most_states = 200;

/// What tells things apart: of the events `n`, with the rows of the tables of
/// details that belong to them.
inline constexpr std::string_view thing_columns =
    "coalesce(d.repository_name, g.repository_name, n.source), d.environment, "
    "CASE WHEN d.environment IS NULL THEN coalesce(g.pr_number, "
    "g.issue_number) END, coalesce(l.issue_id, l.identifier)";

/// And how many bytes of each beginning, of a page's.
constexpr uint64_t state_bytes(uint64_t max_bytes) noexcept {
  return max_bytes / state_types.size() + 1;
}

} // namespace eventweft::thread_reading
