// SPDX-License-Identifier: Apache-2.0
#include "persistence/thread_cache.hpp"

#include "correlation/keys.hpp"

#include <algorithm>
#include <utility>

namespace eventweft {

using correlation::key_row;

void thread_cache::begin(const mark& now) {
  if (as_of_ != now)
    forget();
  as_of_.reset();
}

void thread_cache::forget() noexcept {
  as_of_.reset();
  keys_.clear();
  facts_.clear();
  commits_.clear();
  unawaited_.clear();
  sizes_.clear();
  merged_.clear();
}

std::optional<std::optional<key_row>>
thread_cache::key(const std::string& key) {
  auto* known = keys_.find(key);
  if (!known)
    return std::nullopt;
  if (!known->there)
    return std::optional<key_row>{};
  known->thread = present(known->thread);
  const auto* events = sizes_.find(known->thread);
  if (!events)
    return std::nullopt;
  return key_row{.key = key,
                 .thread = known->thread,
                 .owner = known->owner,
                 .links = known->links,
                 .mentions = known->mentions,
                 .last_seen = known->last_seen,
                 .thread_events = *events};
}

std::optional<std::optional<std::string>>
thread_cache::fact(const std::string& fact) {
  if (const auto* known = facts_.find(fact))
    return *known;
  return std::nullopt;
}

std::optional<std::vector<std::string>>
thread_cache::commits(const std::string& prefix) {
  if (const auto* known = commits_.find(prefix))
    return *known;
  return std::nullopt;
}

bool thread_cache::nobody_waits_for(const std::string& fact) {
  return unawaited_.find(fact) != nullptr;
}

void thread_cache::learn_key(const std::string& key, const key_row* row) {
  if (!row) {
    keys_.put(key, {});
    return;
  }
  keys_.put(key, {.there = true,
                  .thread = row->thread,
                  .owner = row->owner,
                  .links = row->links,
                  .mentions = row->mentions,
                  .last_seen = row->last_seen});
  sizes_.put(row->thread, row->thread_events);
}

void thread_cache::learn_fact(const std::string& fact,
                              std::optional<std::string> value) {
  facts_.put(fact, std::move(value));
}

void thread_cache::learn_commits(const std::string& prefix,
                                 std::vector<std::string> commits) {
  commits_.put(prefix, std::move(commits));
}

void thread_cache::learn_nobody_waits_for(const std::string& fact) {
  unawaited_.put(fact, true);
}

void thread_cache::apply(const correlation::thread_changes& changes,
                         const mark& now) {
  for (const auto& m : changes.merges)
    merge(m);
  for (const auto& g : changes.growth)
    grow(g);
  for (const auto& k : changes.keys)
    change(k);
  for (const auto& f : changes.facts)
    if (auto* known = facts_.find(f.fact); known && !*known)
      *known = f.value;
  for (const auto& p : changes.pending)
    unawaited_.erase(p.fact);
  as_of_ = now;
  if (merged_.size() > max_rows_) {
    const auto kept = as_of_;
    forget();
    as_of_ = kept;
  }
  if (keys_.young() + facts_.young() + commits_.young() + unawaited_.young() +
          sizes_.young() >
      max_rows_ / 2) {
    keys_.age();
    facts_.age();
    commits_.age();
    unawaited_.age();
    sizes_.age();
  }
}

size_t thread_cache::rows() const noexcept {
  return keys_.size() + facts_.size() + commits_.size() + unawaited_.size() +
         sizes_.size();
}

void thread_cache::count(const key_lookups& keys) noexcept {
  lookups_ += keys;
}

key_lookups thread_cache::lookups() noexcept {
  auto out = std::exchange(lookups_, {});
  out.rows = rows();
  return out;
}

void thread_cache::merge(const correlation::thread_merge& m) {
  const auto* from = sizes_.find(m.from);
  const auto added = from ? std::optional{*from} : std::nullopt;
  auto* into = sizes_.find(m.into);
  if (into && added)
    *into += *added;
  else
    sizes_.erase(m.into);
  sizes_.erase(m.from);
  merged_.insert_or_assign(m.from, m.into);
}

void thread_cache::grow(const correlation::thread_growth& g) {
  if (auto* known = sizes_.find(g.thread))
    *known += g.events;
  else if (g.fresh)
    sizes_.put(g.thread, g.events);
}

void thread_cache::change(const correlation::key_change& k) {
  auto* known = keys_.find(k.key);
  if (!known || !known->there)
    add_commit(k.key);
  if (!known)
    return;
  known->there = true;
  known->thread = k.thread;
  if (!k.owner.is_nil())
    known->owner = k.owner;
  known->links += k.links;
  known->mentions += k.mentions;
  known->last_seen = std::max(known->last_seen, k.last_seen);
}

void thread_cache::add_commit(const std::string& key) {
  if (commits_.size() == 0 || !correlation::is_full_sha(key))
    return;
  for (auto size = correlation::sha_family.size() + 1; size < key.size();
       ++size)
    if (auto* known = commits_.find(key.substr(0, size));
        known && known->size() < 2 &&
        std::ranges::find(*known, key) == known->end())
      known->push_back(key);
}

uuid thread_cache::present(const uuid& id) const {
  auto thread = id;
  for (auto at = merged_.find(thread); at != merged_.end();
       at = merged_.find(thread))
    thread = at->second;
  return thread;
}

} // namespace eventweft
