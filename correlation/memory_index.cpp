// SPDX-License-Identifier: Apache-2.0
#include "correlation/memory_index.hpp"

#include <algorithm>

namespace eventweft::correlation {

expected<std::vector<key_row>>
memory_index::find_keys(std::span<const std::string> keys) {
  std::vector<key_row> out;
  for (const auto& key : keys)
    if (const auto at = keys_.find(key); at != keys_.end()) {
      out.push_back(at->second);
      out.back().thread_events = threads_.at(at->second.thread).events.size();
    }
  return out;
}

expected<std::vector<std::string>>
memory_index::find_commits(std::span<const std::string> prefixes) {
  std::vector<std::string> out;
  for (const auto& prefix : prefixes) {
    auto at = keys_.lower_bound(prefix);
    for (int n = 0; n < 2 && at != keys_.end() && at->first.starts_with(prefix);
         ++n, ++at)
      out.push_back(at->first);
  }
  return out;
}

expected<std::vector<fact_row>>
memory_index::find_facts(std::span<const std::string> facts) {
  std::vector<fact_row> out;
  for (const auto& fact : facts)
    if (const auto at = facts_.find(fact); at != facts_.end())
      out.push_back({at->first, at->second});
  return out;
}

expected<std::vector<pending_row>>
memory_index::find_pending(std::span<const std::string> facts) {
  std::vector<pending_row> out;
  for (const auto& fact : facts)
    for (auto at = pending_.lower_bound({fact, uuid{}, std::string{}});
         at != pending_.end() && std::get<0>(at->first) == fact; ++at)
      out.push_back(at->second);
  return out;
}

expected<std::vector<thread_row>>
memory_index::find_threads(std::span<const uuid> ids) {
  std::vector<thread_row> out;
  for (const auto& id : ids) {
    auto thread = thread_of(id);
    if (!thread)
      thread = current(id);
    if (thread)
      out.push_back({id, *thread, threads_.at(*thread).events.size()});
  }
  return out;
}

expected<std::vector<stored_row>>
memory_index::find_events(std::span<const uuid> ids) {
  std::vector<stored_row> out;
  for (const auto& id : ids)
    if (const auto at = loose_.find(id); at != loose_.end())
      out.push_back({id, at->second, events_.contains(id)});
    else if (events_.contains(id))
      out.push_back({id, {}, true});
  return out;
}

expected<void> memory_index::apply(const thread_changes& changes) {
  for (const auto& m : changes.merges) {
    auto& into = threads_[m.into];
    auto from = threads_.extract(m.from);
    if (from.empty())
      return fail(ec::internal, "a merge of a thread that is not there");
    for (const auto& event : from.mapped().events)
      events_[event] = m.into;
    for (const auto& key : from.mapped().keys)
      keys_.at(key).thread = m.into;
    for (const auto& old : from.mapped().former)
      merged_[old] = m.into;
    merged_[m.from] = m.into;
    rewritten_ += from.mapped().events.size() + from.mapped().keys.size();
    into.events.merge(from.mapped().events);
    into.keys.merge(from.mapped().keys);
    into.former.merge(from.mapped().former);
    into.former.insert(m.from);
  }
  for (const auto& g : changes.growth)
    threads_[g.thread];
  for (const auto& m : changes.members) {
    events_[m.event] = m.thread;
    threads_[m.thread].events.insert(m.event);
  }
  for (const auto& k : changes.keys) {
    auto& row = keys_[k.key];
    if (!row.thread.is_nil() && row.thread != k.thread)
      threads_[row.thread].keys.erase(k.key);
    row.key = k.key;
    row.thread = k.thread;
    if (!k.owner.is_nil())
      row.owner = k.owner;
    row.links += k.links;
    row.mentions += k.mentions;
    row.last_seen = std::max(row.last_seen, k.last_seen);
    threads_[k.thread].keys.insert(k.key);
  }
  for (const auto& f : changes.facts)
    facts_.try_emplace(f.fact, f.value);
  for (const auto& p : changes.pending)
    pending_.insert_or_assign({p.fact, p.event, p.key.key}, p);
  for (const auto& p : changes.resolved)
    pending_.erase({p.fact, p.event, p.key.key});
  for (const auto& p : changes.parents)
    parents_.try_emplace(p.event, p.parent);
  return {};
}

std::optional<uuid> memory_index::late_parent_of(const uuid& event) const {
  const auto at = parents_.find(event);
  return at == parents_.end() ? std::nullopt : std::optional{at->second};
}

std::optional<uuid> memory_index::thread_of(const uuid& event) const {
  const auto at = events_.find(event);
  return at == events_.end() ? std::nullopt : std::optional{at->second};
}

std::optional<uuid> memory_index::current(const uuid& thread) const {
  if (const auto at = merged_.find(thread); at != merged_.end())
    return at->second;
  return threads_.contains(thread) ? std::optional{thread} : std::nullopt;
}

std::map<uuid, std::set<uuid>> memory_index::threads() const {
  std::map<uuid, std::set<uuid>> out;
  for (const auto& [id, info] : threads_)
    if (!info.events.empty())
      out.emplace(id, info.events);
  return out;
}

} // namespace eventweft::correlation
