// SPDX-License-Identifier: Apache-2.0
#include "correlation/join_batch.hpp"

#include "correlation/keys.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace eventweft::correlation {

namespace {

class batch_reader {
 public:
  batch_reader(thread_index& index, std::span<const join_input> events,
               const join_limits& limits)
      : index_(index),
        events_(events),
        threshold_(limits.threshold),
        max_waiting_(limits.max_waiting),
        batch_(limits.max_joined_events) {}

  expected<join_batch> run() {
    collect();
    if (auto e = batch_.facts.read(index_); !e)
      return fail(std::move(e.error()));
    if (auto e = read_keys(); !e)
      return fail(std::move(e.error()));
    if (auto e = read_waiting(); !e)
      return fail(std::move(e.error()));
    return std::move(batch_);
  }

 private:
  void collect() {
    for (const auto& e : events_) {
      batch_.members.push_back(
          {.id = e.id, .at = e.at, .adopted = e.stored, .stored = e.stored});
      for (const auto& k : e.keys)
        batch_.facts.add(k, threshold_);
    }
  }

  expected<void> load(const std::set<std::string>& names) {
    std::vector<std::string> ask;
    for (const auto& name : names)
      if (batch_.keys.try_emplace(name).second)
        ask.push_back(name);
    if (ask.empty())
      return {};
    auto rows = index_.find_keys(ask);
    if (!rows)
      return fail(std::move(rows.error()));
    for (const auto& row : *rows) {
      auto& k = batch_.keys[row.key];
      k.node = batch_.forest.of_thread(row.thread, row.thread_events);
      k.owner = row.owner;
      k.links = row.links;
      k.mentions = row.mentions;
      k.last_seen = row.last_seen;
      k.known = true;
    }
    return {};
  }

  expected<void> read_keys() {
    std::set<std::string> names;
    std::vector<uuid> ids;
    for (const auto& e : events_)
      for (const auto& k : e.keys) {
        if (!may_link(k, threshold_))
          continue;
        if (auto name = batch_.facts.resolve(k); !name.empty()) {
          if (const auto id = own_id_in(name)) {
            batch_.any_ids = true;
            names.insert(other_name_of(name, *id));
            if (!k.is_identity())
              ids.push_back(*id);
            if (is_cause(k))
              causes_.emplace(*id, name);
          }
          names.insert(std::move(name));
        }
      }
    if (batch_.any_ids)
      for (size_t i = 0; i < events_.size(); ++i)
        batch_.here.emplace(events_[i].id, i);
    if (auto e = load(names); !e)
      return e;
    if (auto e = read_stored(); !e)
      return e;
    if (auto e = read_named_threads(std::move(ids)); !e)
      return e;
    return read_causes();
  }

  // Events that others name as their cause and that have no thread, be it that
  // they have no keys or that they come with this batch.
  expected<void> read_causes() {
    std::vector<uuid> ask;
    for (const auto& [id, name] : causes_)
      if (!batch_.keys[name].known &&
          (!batch_.named.contains(id) || is_name_of_thread(id)))
        ask.push_back(id);
    if (ask.empty())
      return {};
    std::erase_if(ask, [&](const uuid& id) {
      const auto found = batch_.here.find(id);
      return found != batch_.here.end() &&
             batch_.loose.emplace(id, found->second).second;
    });
    if (ask.empty())
      return {};
    auto rows = index_.find_events(ask);
    if (!rows)
      return fail(std::move(rows.error()));
    for (const auto& row : *rows) {
      if (row.threaded)
        continue;
      batch_.loose.emplace(row.event, batch_.members.size());
      batch_.members.push_back(
          {.id = row.event, .at = row.at, .adopted = true, .stored = true});
    }
    return {};
  }

  // The threads of events that were there before.
  expected<void> read_stored() {
    std::map<uuid, size_t> by_id;
    std::vector<uuid> ids;
    for (size_t i = 0; i < batch_.members.size(); ++i)
      if (batch_.members[i].stored &&
          by_id.try_emplace(batch_.members[i].id, i).second)
        ids.push_back(batch_.members[i].id);
    if (ids.empty())
      return {};
    return read_threads_of(by_id, ids);
  }

  // `ids` are events that are stored, `by_id` their places in `members`.
  expected<void> read_threads_of(const std::map<uuid, size_t>& by_id,
                                 const std::vector<uuid>& ids) {
    auto rows = index_.find_threads(ids);
    if (!rows)
      return fail(std::move(rows.error()));
    auto outside = outside_of(*rows);
    if (!outside)
      return fail(std::move(outside.error()));
    for (const auto& row : *rows) {
      if (outside->contains(row.asked))
        continue;
      auto& m = batch_.members[by_id.at(row.asked)];
      m.node = batch_.forest.of_thread(row.thread, row.events);
      m.adopted = false;
    }
    return {};
  }

  // Whether some event gave this id as the one of its thread.
  bool is_name_of_thread(const uuid& id) const {
    const auto at = batch_.keys.find(correlation_id_key(id));
    return at != batch_.keys.end() && at->second.known;
  }

  // Of stored events those that have no thread: others only named theirs by
  // the event's id.
  expected<std::set<uuid>> outside_of(const std::vector<thread_row>& rows) {
    std::set<std::string> names;
    for (const auto& row : rows)
      names.insert(correlation_id_key(row.asked));
    if (auto e = load(names); !e)
      return fail(std::move(e.error()));
    std::vector<uuid> ask;
    for (const auto& row : rows)
      if (is_name_of_thread(row.asked))
        ask.push_back(row.asked);
    std::set<uuid> out;
    if (ask.empty())
      return out;
    batch_.any_ids = true;
    auto stored = index_.find_events(ask);
    if (!stored)
      return fail(std::move(stored.error()));
    for (const auto& row : *stored)
      if (!row.threaded)
        out.insert(row.event);
    return out;
  }

  // What `correlationid` and `causationid` name may be a thread or an event of
  // ours instead of a key.
  expected<void> read_named_threads(std::vector<uuid> ids) {
    if (ids.empty())
      return {};
    auto rows = index_.find_threads(ids);
    if (!rows)
      return fail(std::move(rows.error()));
    for (const auto& row : *rows)
      batch_.named[row.asked] = batch_.forest.of_thread(row.thread, row.events);
    return {};
  }

  // Stored events whose facts became known with this batch.
  expected<void> read_waiting() {
    std::vector<std::string> facts;
    for (const auto& f : batch_.facts.learned())
      facts.push_back(f.fact);
    for (const auto& key : batch_.facts.commits())
      if (const auto k = batch_.keys.find(key);
          k != batch_.keys.end() && !k->second.known)
        facts.push_back(
            sha_fact(std::string_view{key}.substr(sha_family.size())));
    // Those that came before their cause.
    for (const auto& e : events_)
      for (const auto& k : e.keys)
        if (k.is_identity() && k.key.starts_with(event_family))
          if (const auto at = batch_.keys.find(k.key);
              at != batch_.keys.end() && at->second.known &&
              at->second.owner.is_nil())
            facts.push_back(k.key);
    std::sort(facts.begin(), facts.end());
    facts.erase(std::unique(facts.begin(), facts.end()), facts.end());
    if (facts.empty())
      return {};
    auto rows = index_.find_pending(facts);
    if (!rows)
      return fail(std::move(rows.error()));
    if (rows->empty())
      return {};
    keep_newest(*rows);
    return read_waiting_rows(std::move(*rows));
  }

  void keep_newest(std::vector<pending_row>& rows) const {
    if (rows.size() <= max_waiting_)
      return;
    std::ranges::sort(rows, [](const pending_row& a, const pending_row& b) {
      return std::tie(b.at, b.event, b.key.key) <
             std::tie(a.at, a.event, a.key.key);
    });
    rows.resize(max_waiting_);
  }

  expected<void> read_waiting_rows(std::vector<pending_row> rows) {
    std::erase_if(rows, [this](pending_row& row) {
      const bool waits_for_cause = is_cause(row.key) && row.fact == row.key.key;
      if (waits_for_cause)
        batch_.effects.push_back(std::move(row));
      return waits_for_cause;
    });
    std::set<std::string> short_shas;
    for (const auto& row : rows)
      if (is_short_sha(row.key.key))
        short_shas.insert(row.key.key);
    if (auto e = batch_.facts.read_commits(index_, short_shas); !e)
      return e;
    std::set<std::string> names;
    std::map<uuid, size_t> by_id;
    std::vector<uuid> ids;
    for (auto& row : rows) {
      auto name = batch_.facts.resolve(row.key);
      if (name.empty())
        continue;
      names.insert(name);
      const auto [at, fresh] =
          by_id.try_emplace(row.event, batch_.members.size());
      if (fresh) {
        batch_.members.push_back(
            {.id = row.event, .at = row.at, .adopted = true, .stored = true});
        ids.push_back(row.event);
      }
      batch_.waiting.push_back({std::move(row), at->second, std::move(name)});
    }
    if (ids.empty())
      return {};
    if (auto e = read_threads_of(by_id, ids); !e)
      return e;
    return load(names);
  }

  thread_index& index_;
  std::span<const join_input> events_;
  float threshold_;
  size_t max_waiting_;
  join_batch batch_;
  // Events that others name as their cause, and under which key.
  std::map<uuid, std::string> causes_;
};

} // namespace

expected<join_batch> read_batch(thread_index& index,
                                std::span<const join_input> events,
                                const join_limits& limits) {
  return batch_reader{index, events, limits}.run();
}

} // namespace eventweft::correlation
