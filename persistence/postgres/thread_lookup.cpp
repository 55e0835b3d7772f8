// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/thread_lookup.hpp"

#include "persistence/postgres/array_columns.hpp"
#include "persistence/postgres/rows.hpp"

namespace eventweft::postgres {
namespace {

// The columns of `look_up_threads`.
enum column : int { kind, n, name, id, other, parent, x, y, z, at, more };

uint64_t count(const pqxx::field& f) {
  return static_cast<uint64_t>(f.as<int64_t>(0));
}

} // namespace

void thread_lookup::look(bool lock, std::span<const event_ptr> events,
                         const thread_batch::lookup& what) {
  for (const auto& key : what.keys)
    keys_.try_emplace(key);
  for (const auto& fact : what.facts)
    facts_.try_emplace(fact);
  for (const auto& fact : what.waited_for)
    waiting_.try_emplace(fact);
  for (const auto& one : what.ids)
    threads_.try_emplace(one);
  prefixes_.insert(what.prefixes.begin(), what.prefixes.end());

  array_columns columns;
  columns.add(
      type_oid::text, events,
      [](const event_ptr& e) -> const auto& { return e->platform; });
  columns.add(
      type_oid::text, events,
      [](const event_ptr& e) -> const auto& { return e->event_id; });
  columns.add(type_oid::timestamptz, events,
              [](const event_ptr& e) { return e->created_at; });
  for (const auto* texts :
       {&what.keys, &what.facts, &what.waited_for, &what.prefixes})
    columns.add(type_oid::text, *texts, thread_batch::storable_key);
  columns.add(
      type_oid::uuid, what.ids,
      [](const uuid& one) -> const auto& { return one; });
  pqxx::params parameters;
  parameters.append(lock);
  columns.append_to(parameters);
  own_.prepare("look_up_threads",
               "SELECT kind, n, name, id, other, parent, x, y, z, at, more "
               "FROM look_up_threads($1, $2, $3, $4, $5, $6, $7, $8, $9)");
  for (const auto& row : tx_.exec(pqxx::prepped{"look_up_threads"}, parameters))
    take(row);
  begun_ = true;
}

void thread_lookup::take(const pqxx::row& row) {
  using namespace correlation;
  const auto what = row[kind].view();
  if (what == "key") {
    key_row k;
    k.key = row[name].view();
    k.thread = read_uuid(row[id].view());
    k.owner = maybe_uuid(row[other]).value_or(uuid{});
    k.links = count(row[x]);
    k.mentions = count(row[y]);
    k.thread_events = count(row[z]);
    k.last_seen = read_time(row[at].view());
    const auto key = k.key;
    keys_[key] = std::move(k);
  } else if (what == "seen") {
    seen_event s;
    s.first = static_cast<size_t>(row[x].as<int64_t>()) - 1;
    s.seq = row[y].as<seq_t>(0);
    s.id = maybe_uuid(row[id]).value_or(uuid{});
    s.thread = maybe_uuid(row[other]);
    s.parent = maybe_uuid(row[parent]);
    seen_.emplace(static_cast<size_t>(row[n].as<int64_t>()) - 1, s);
  } else if (what == "fact") {
    facts_[row[name].as<std::string>()] = row[more].as<std::string>();
  } else if (what == "commit") {
    commits_.emplace(row[name].view());
  } else if (what == "wait") {
    pending_row p;
    p.fact = row[name].view();
    p.event = read_uuid(row[id].view());
    p.at = read_time(row[at].view());
    waiting_since_.emplace(p.event, p.at);
    threads_.try_emplace(p.event);
    if (auto key = thread_batch::parse_evidence(row[more].view())) {
      p.key = std::move(*key);
      waiting_[p.fact].push_back(std::move(p));
    }
  } else if (what == "thread") {
    const auto asked = read_uuid(row[id].view());
    threads_[asked] =
        thread_row{asked, read_uuid(row[other].view()), count(row[x])};
  } else if (what == "head" && !begun_) {
    head_ = row[x].as<seq_t>();
    version_ = row[y].as<int64_t>();
  }
}

expected<std::vector<correlation::key_row>>
thread_lookup::find_keys(std::span<const std::string> keys) {
  thread_batch::lookup missing;
  for (const auto& key : keys)
    if (!keys_.contains(thread_batch::storable_key(key)))
      missing.keys.push_back(thread_batch::storable_key(key));
  if (!missing.keys.empty())
    look(false, {}, missing);
  std::vector<correlation::key_row> out;
  for (const auto& key : keys)
    if (const auto& found = keys_[thread_batch::storable_key(key)]) {
      out.push_back(*found);
      out.back().key = key;
    }
  return out;
}

expected<std::vector<std::string>>
thread_lookup::find_commits(std::span<const std::string> prefixes) {
  thread_batch::lookup missing;
  for (const auto& prefix : prefixes)
    if (!prefixes_.contains(prefix))
      missing.prefixes.push_back(prefix);
  if (!missing.prefixes.empty())
    look(false, {}, missing);
  std::vector<std::string> out;
  for (const auto& prefix : prefixes) {
    auto at = commits_.lower_bound(prefix);
    for (int i = 0; i < 2 && at != commits_.end() && at->starts_with(prefix);
         ++i, ++at)
      out.push_back(*at);
  }
  return out;
}

expected<std::vector<correlation::fact_row>>
thread_lookup::find_facts(std::span<const std::string> facts) {
  thread_batch::lookup missing;
  for (const auto& fact : facts)
    if (!facts_.contains(fact))
      missing.facts.push_back(fact);
  if (!missing.facts.empty())
    look(false, {}, missing);
  std::vector<correlation::fact_row> out;
  for (const auto& fact : facts)
    if (const auto& found = facts_[fact])
      out.push_back({fact, *found});
  return out;
}

expected<std::vector<correlation::pending_row>>
thread_lookup::find_pending(std::span<const std::string> facts) {
  thread_batch::lookup missing;
  for (const auto& fact : facts)
    if (!waiting_.contains(fact))
      missing.waited_for.push_back(fact);
  if (!missing.waited_for.empty())
    look(false, {}, missing);
  std::vector<correlation::pending_row> out;
  for (const auto& fact : facts)
    for (const auto& row : waiting_[fact])
      out.push_back(row);
  return out;
}

expected<std::vector<correlation::thread_row>>
thread_lookup::find_threads(std::span<const uuid> ids) {
  thread_batch::lookup missing;
  for (const auto& one : ids)
    if (!threads_.contains(one))
      missing.ids.push_back(one);
  if (!missing.ids.empty())
    look(false, {}, missing);
  std::vector<correlation::thread_row> out;
  for (const auto& one : ids)
    if (const auto& found = threads_[one])
      out.push_back(*found);
  return out;
}

expected<std::vector<correlation::stored_row>>
thread_lookup::find_events(std::span<const uuid> ids) {
  array_columns columns;
  columns.add(
      type_oid::uuid, ids, [](const uuid& one) -> const auto& { return one; });
  pqxx::params parameters;
  columns.append_to(parameters);
  std::vector<correlation::stored_row> out;
  for (const auto& row : tx_.exec("SELECT e.id, e.created_at, "
                                  "e.correlation_id IS NOT NULL FROM events e "
                                  "WHERE e.id = ANY ($1::uuid[])",
                                  parameters)) {
    out.push_back({read_uuid(row[0].view()), read_time(row[1].view()),
                   row[2].view() == "t"});
    waiting_since_.emplace(out.back().event, out.back().at);
  }
  return out;
}

} // namespace eventweft::postgres
