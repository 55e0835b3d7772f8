// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/joined_append.hpp"

#include "persistence/postgres/batch_arrays.hpp"
#include "persistence/thread_batch.hpp"

#include <algorithm>
#include <string>

namespace eventweft::postgres {
namespace {

// "SELECT append_joined_events($1, …)"
std::string joined_call(commit_mode mode) {
  constexpr int parameters = 61;
  std::string sql = "SELECT append_joined_events(";
  for (int i = 1; i <= parameters; ++i)
    sql += (i == 1 ? "$" : ", $") + std::to_string(i);
  sql += ")";
  // What is in FROM is called first.
  if (mode == commit_mode::async)
    sql += " FROM commit_async()";
  return sql;
}

timestamp newest(std::span<const event_ptr> events) {
  timestamp at{};
  for (const auto& e : events)
    at = std::max(at, e->created_at);
  return at;
}

} // namespace

expected<std::optional<append_results>>
joined_append::run(std::span<const event_ptr> events, bool lock) {
  std::vector<correlation::join_input> inputs;
  for (const auto& e : events)
    inputs.push_back({e->id, e->created_at, e->keys});
  index_.look(lock, events,
              thread_batch::to_look_up(inputs, limits_.threshold));

  // What is new, in order, and where it is in the batch.
  std::vector<event_ptr> fresh;
  std::vector<size_t> place;
  std::map<uuid, timestamp> created_at;
  inputs.clear();
  for (size_t i = 0; i < events.size(); ++i) {
    if (index_.seen().contains(i))
      continue;
    const auto& e = *events[i];
    inputs.push_back({e.id, e.created_at, e.keys});
    created_at.emplace(e.id, e.created_at);
    place.push_back(i);
    fresh.push_back(events[i]);
  }

  append_results results;
  results.items.resize(events.size());
  // Of a batch that brings nothing, too: it writes nothing, so its end makes
  // nothing durable.
  const bool later = mode_ == commit_mode::async || fresh.empty();
  std::optional<log_mark> last;
  if (!fresh.empty()) {
    auto joined = correlation::join(index_, inputs, limits_);
    if (!joined)
      return fail(std::move(joined.error()));
    auto& threads = joined->threads;
    auto& parents = joined->parents;
    const auto first = index_.head() + 1;
    for (size_t i = 0; i < fresh.size(); ++i) {
      if (!threads[i])
        threads[i] = fresh[i]->correlation_id;
      if (!parents[i])
        parents[i] = fresh[i]->parent_event_id;
      auto& one = results.items[place[i]];
      one.outcome.id = fresh[i]->id;
      one.outcome.seq = first + static_cast<seq_t>(i);
      one.correlation_id = threads[i];
      one.parent_event_id = parents[i];
    }
    auto merges =
        thread_batch::merge_events(joined->changes.merges, newest(fresh),
                                   first + static_cast<seq_t>(fresh.size()));
    if (!write(fresh, threads, parents, *joined, merges, std::move(created_at)))
      return std::nullopt;
    const auto& end = merges.empty() ? fresh.back() : merges.back();
    const auto new_head =
        index_.head() + static_cast<seq_t>(fresh.size() + merges.size());
    last = log_mark{new_head, end->id, end->created_at};
    results.threads = thread_batch::report_of(*joined, std::move(merges));
  }
  for (const auto& [i, seen] : index_.seen()) {
    auto& one = results.items[i];
    if (seen.id.is_nil()) {
      one = results.items[seen.first];
    } else {
      one.outcome.id = seen.id;
      one.outcome.seq = seen.seq;
      one.correlation_id = seen.thread;
      one.parent_event_id = seen.parent;
    }
    // The event itself, appended before by a call whose end got lost, is no
    // duplicate.
    one.outcome.duplicate = one.outcome.id != events[i]->id;
    // Somebody else's transaction may have stored it a moment ago.
    keep_later(last, log_mark{one.outcome.seq, one.outcome.id});
  }
  if (last && later)
    results.unsynced.push_back(*last);
  return results;
}

expected<thread_report>
joined_append::rejoin(std::span<const rejoined_event> events) {
  std::vector<correlation::join_input> inputs;
  std::map<uuid, timestamp> created_at;
  timestamp now{};
  for (const auto& e : events) {
    const auto& ev = *e.stored;
    inputs.push_back({ev.id, ev.created_at, e.keys, true});
    created_at.emplace(ev.id, ev.created_at);
    now = std::max(now, ev.created_at);
  }
  index_.look(true, {}, thread_batch::to_look_up(inputs, limits_.threshold));
  auto joined = correlation::join(index_, inputs, limits_);
  if (!joined)
    return fail(std::move(joined.error()));
  auto merges = thread_batch::merge_events(joined->changes.merges, now,
                                           index_.head() + 1);
  if (!write({}, {}, {}, *joined, merges, std::move(created_at)))
    return fail(ec::internal, "the log head moved while it was held");
  return thread_batch::report_of(*joined, std::move(merges));
}

bool joined_append::write(std::span<const event_ptr> fresh,
                          std::span<const std::optional<uuid>> threads,
                          std::span<const std::optional<uuid>> parents,
                          correlation::join_result& joined,
                          const std::vector<event_ptr>& merges,
                          std::map<uuid, timestamp> created_at) {
  for (const auto& [id, at] : index_.waiting_since())
    created_at.emplace(id, at);
  thread_batch::make_storable(joined.changes);
  auto details =
      thread_batch::growth_details(fresh, threads, index_.head() + 1);
  thread_batch::count_merges(merges, joined.changes, details);
  std::vector<event_row> rows;
  rows.reserve(fresh.size() + merges.size());
  for (size_t i = 0; i < fresh.size(); ++i)
    rows.push_back({&*fresh[i], threads[i], parents[i]});
  for (const auto& m : merges)
    rows.push_back({&*m, m->correlation_id, m->parent_event_id});
  std::vector<seq_t> seqs(rows.size());
  std::ranges::generate(seqs,
                        [next = index_.head()]() mutable { return ++next; });
  array_columns columns;
  columns.add(type_oid::int8, seqs, [](seq_t seq) { return int64_t{seq}; });
  add_event_columns(columns, rows);
  add_thread_columns(columns, joined.changes, details, created_at);
  pqxx::params parameters;
  parameters.append(index_.head());
  parameters.append(index_.version());
  columns.append_to(parameters);
  const auto* call = mode_ == commit_mode::async ? "append_joined_async"
                                                 : "append_joined_events";
  own_.prepare(call, joined_call(mode_));
  const bool done =
      tx_.exec(pqxx::prepped{call}, parameters).one_field().as<bool>();
  if (done && !joined.changes.parents.empty())
    write_parents(joined.changes.parents);
  return done;
}

void joined_append::write_parents(
    std::span<const correlation::late_parent> parents) {
  array_columns columns;
  columns.add(
      type_oid::uuid, parents,
      [](const auto& p) -> const auto& { return p.event; });
  columns.add(type_oid::timestamptz, parents,
              [](const auto& p) { return p.at; });
  columns.add(
      type_oid::uuid, parents,
      [](const auto& p) -> const auto& { return p.parent; });
  pqxx::params parameters;
  columns.append_to(parameters);
  tx_.exec("UPDATE events e SET parent_event_id = a.parent "
           "FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[]) "
           "AS a (event, at, parent) WHERE e.id = a.event "
           "AND e.created_at = a.at AND e.parent_event_id IS NULL",
           parameters);
}

} // namespace eventweft::postgres
