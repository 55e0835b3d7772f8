// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/joined_append.hpp"

#include "persistence/batch.hpp"
#include "persistence/postgres/batch_arrays.hpp"
#include "persistence/thread_batch.hpp"

#include <algorithm>
#include <cassert>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace eventweft::postgres {
namespace {

constexpr int call_parameters = 61;

// What a call answers if the log or its threads are not what they were.
constexpr int head_changed = 1;

// "append_joined_events($1, …)"
std::string joined_call() {
  std::string sql = "append_joined_events(";
  for (int i = 1; i <= call_parameters; ++i)
    sql += (i == 1 ? "$" : ", $") + std::to_string(i);
  return sql + ")";
}

// What is in FROM is called first.
std::string_view before_call(commit_mode mode) {
  return mode == commit_mode::async ? " FROM commit_async()" : "";
}

std::string read_call_sql(commit_mode mode) {
  return "SELECT CASE WHEN " + joined_call() + " THEN 0 ELSE 1 END" +
         std::string{before_call(mode)};
}

// $1 and $2: head and version; $5, $6, $16: event ids, platforms, times.
std::string unread_call_sql(commit_mode mode) {
  return "SELECT CASE WHEN c.changed > 0 THEN c.changed WHEN " + joined_call() +
         " THEN 0 ELSE 1 END FROM (SELECT check_assumed($1, $2, $6, $5, $16, "
         "$62, $63, $64) AS changed" +
         std::string{before_call(mode)} + ") c";
}

} // namespace

/// What is new of a batch, in its order.
struct joined_append::fresh_events {
  std::vector<event_ptr> events;
  /// Where each is in the batch.
  std::vector<size_t> place;
  std::vector<correlation::join_input> inputs;
  std::map<uuid, timestamp> created_at;
  std::vector<std::optional<uuid>> threads;
  std::vector<std::optional<uuid>> parents;

  void add(const event_ptr& e, size_t at) {
    events.push_back(e);
    place.push_back(at);
    inputs.push_back({e->id, e->created_at, e->keys});
    created_at.emplace(e->id, e->created_at);
  }
};

thread_cache::mark joined_append::read_mark() const {
  return {tables_.head(), tables_.version(), own_.made()};
}

expected<std::optional<append_results>>
joined_append::run(std::span<const event_ptr> events, bool lock) {
  std::vector<correlation::join_input> inputs;
  for (const auto& e : events)
    inputs.push_back({e->id, e->created_at, e->keys});
  auto what = thread_batch::to_look_up(inputs, limits_.threshold);
  leave_out_known(what, cache_);
  tables_.look(lock, events, what);
  const auto at = read_mark();
  cache_.begin(at);

  fresh_events fresh;
  for (size_t i = 0; i < events.size(); ++i)
    if (!tables_.seen().contains(i))
      fresh.add(events[i], i);
  append_results results;
  results.items.resize(events.size());
  std::optional<log_mark> last;
  if (fresh.events.empty()) {
    cache_.apply({}, at);
  } else {
    cached_threads index{cache_, tables_};
    auto end = append_fresh(fresh, at, index, nullptr, results);
    if (!end)
      return fail(std::move(end.error()));
    if (!*end)
      return std::nullopt;
    last = **end;
  }
  for (const auto& [i, seen] : tables_.seen()) {
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
  // Of a batch that brings nothing, too: it writes nothing, so its end makes
  // nothing durable.
  if (last && (mode_ == commit_mode::async || fresh.events.empty()))
    results.unsynced.push_back(*last);
  return results;
}

expected<std::optional<append_results>>
joined_append::run_unread(std::span<const event_ptr> events) {
  assert(cache_.as_of());
  const auto at = *cache_.as_of();
  std::set<std::pair<std::string_view, std::string_view>> deliveries;
  fresh_events fresh;
  for (size_t i = 0; i < events.size(); ++i) {
    // It comes twice.
    if (!deliveries.emplace(events[i]->platform, events[i]->event_id).second)
      return std::nullopt;
    fresh.add(events[i], i);
  }
  append_results results;
  results.items.resize(events.size());
  assumed_threads index{cache_};
  auto end = append_fresh(fresh, at, index, &index, results);
  if (!end && index.must_read())
    return std::nullopt;
  if (!end)
    return fail(std::move(end.error()));
  if (!*end)
    return std::nullopt;
  if (mode_ == commit_mode::async)
    results.unsynced.push_back(**end);
  return results;
}

expected<std::optional<log_mark>>
joined_append::append_fresh(fresh_events& fresh, const thread_cache::mark& at,
                            correlation::thread_index& index,
                            assumed_threads* assumed, append_results& results) {
  auto joined = correlation::join(index, fresh.inputs, limits_);
  if (!joined)
    return fail(std::move(joined.error()));
  fresh.threads = joined->threads;
  fresh.parents = joined->parents;
  const auto first = at.head + 1;
  for (size_t i = 0; i < fresh.events.size(); ++i) {
    const auto& e = *fresh.events[i];
    if (!fresh.threads[i])
      fresh.threads[i] = e.correlation_id;
    if (!fresh.parents[i])
      fresh.parents[i] = e.parent_event_id;
    auto& one = results.items[fresh.place[i]];
    one.outcome.id = e.id;
    one.outcome.seq = first + static_cast<seq_t>(i);
    one.correlation_id = fresh.threads[i];
    one.parent_event_id = fresh.parents[i];
  }
  const auto count = static_cast<seq_t>(fresh.events.size());
  auto merges = thread_batch::merge_events(joined->changes.merges,
                                           newest(fresh.events), first + count);
  if (!write(at, fresh, *joined, merges, assumed))
    return std::nullopt;
  const auto& end = merges.empty() ? fresh.events.back() : merges.back();
  const auto head = at.head + count + static_cast<seq_t>(merges.size());
  results.threads = thread_batch::report_of(*joined, std::move(merges));
  return log_mark{head, end->id, end->created_at};
}

expected<thread_report>
joined_append::rejoin(std::span<const rejoined_event> events, timestamp now) {
  const auto stored = tables_.find_events(thread_batch::ids_of(events));
  if (!stored)
    return fail(stored.error());
  const auto inputs = thread_batch::still_there(events, *stored);
  fresh_events none;
  tables_.look(true, {}, thread_batch::to_look_up(inputs, limits_.threshold));
  const auto at = read_mark();
  cache_.begin(at);
  cached_threads index{cache_, tables_};
  auto joined = correlation::join(index, inputs, limits_);
  if (!joined)
    return fail(std::move(joined.error()));
  auto merges =
      thread_batch::merge_events(joined->changes.merges, now, at.head + 1);
  if (!write(at, none, *joined, merges, nullptr))
    return fail(ec::internal, "the log head moved while it was held");
  return thread_batch::report_of(*joined, std::move(merges));
}

bool joined_append::write(const thread_cache::mark& at, fresh_events& fresh,
                          correlation::join_result& joined,
                          const std::vector<event_ptr>& merges,
                          assumed_threads* assumed) {
  for (const auto& [id, since] : tables_.waiting_since())
    fresh.created_at.emplace(id, since);
  thread_batch::make_storable(joined.changes);
  auto details =
      thread_batch::growth_details(fresh.events, fresh.threads, at.head + 1);
  thread_batch::count_merges(merges, joined.changes, details);
  std::vector<event_row> rows;
  rows.reserve(fresh.events.size() + merges.size());
  for (size_t i = 0; i < fresh.events.size(); ++i)
    rows.push_back({&*fresh.events[i], fresh.threads[i], fresh.parents[i]});
  for (const auto& m : merges)
    rows.push_back({&*m, m->correlation_id, m->parent_event_id});
  std::vector<seq_t> seqs(rows.size());
  std::ranges::generate(seqs, [next = at.head]() mutable { return ++next; });
  array_columns columns;
  columns.add(type_oid::int8, seqs, [](seq_t seq) { return int64_t{seq}; });
  add_event_columns(columns, rows);
  add_thread_columns(columns, joined.changes, details, fresh.created_at);
  if (assumed)
    for (const auto* texts : {&assumed->absent_keys(), &assumed->absent_facts(),
                              &assumed->unawaited()})
      columns.add(
          type_oid::text, *texts,
          [](const std::string& text) -> const auto& { return text; });
  pqxx::params parameters;
  parameters.append(at.head);
  parameters.append(at.thread_version);
  columns.append_to(parameters);
  const bool async = mode_ == commit_mode::async;
  const auto* call = assumed
                         ? (async ? "append_unread_async" : "append_unread")
                         : (async ? "append_joined_async" : "append_joined");
  own_.prepare(call, assumed ? unread_call_sql(mode_) : read_call_sql(mode_));
  const auto changed =
      tx_.exec(pqxx::prepped{call}, parameters).one_field().as<int>();
  if (changed != 0) {
    // What was assumed is wrong; what is known is not.
    was_wrong_ = changed != head_changed;
    if (!was_wrong_)
      cache_.forget();
    return false;
  }
  if (!joined.changes.parents.empty())
    write_parents(joined.changes.parents);
  if (assumed)
    assumed->were_right();
  // Who appends nothing has raised the version instead.
  const auto appended = static_cast<seq_t>(rows.size());
  cache_.apply(joined.changes,
               {at.head + appended, at.thread_version + (appended == 0 ? 1 : 0),
                at.connections});
  return true;
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
