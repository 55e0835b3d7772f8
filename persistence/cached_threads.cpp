// SPDX-License-Identifier: Apache-2.0
#include "persistence/cached_threads.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

namespace eventweft {

using correlation::fact_row;
using correlation::key_row;
using correlation::pending_row;
using thread_batch::storable_key;

namespace {

// What the cache knows goes to `out`; the rest is given back.

std::vector<std::string> take_known(thread_cache& cache,
                                    std::span<const std::string> keys,
                                    std::vector<key_row>& out) {
  std::vector<std::string> unknown;
  for (const auto& key : keys)
    if (auto known = cache.key(storable_key(key)); !known) {
      unknown.push_back(key);
    } else if (*known) {
      out.push_back(std::move(**known));
      out.back().key = key;
    }
  return unknown;
}

std::vector<std::string> take_known(thread_cache& cache,
                                    std::span<const std::string> facts,
                                    std::vector<fact_row>& out) {
  std::vector<std::string> unknown;
  for (const auto& fact : facts)
    if (auto known = cache.fact(storable_key(fact)); !known)
      unknown.push_back(fact);
    else if (*known)
      out.push_back({fact, std::move(**known)});
  return unknown;
}

std::vector<std::string> take_known(thread_cache& cache,
                                    std::span<const std::string> prefixes,
                                    std::vector<std::string>& out) {
  std::vector<std::string> unknown;
  for (const auto& prefix : prefixes)
    if (auto known = cache.commits(prefix))
      out.insert(out.end(), known->begin(), known->end());
    else
      unknown.push_back(prefix);
  return unknown;
}

} // namespace

expected<std::vector<key_row>>
cached_threads::find_keys(std::span<const std::string> keys) {
  std::vector<key_row> out;
  const auto ask = take_known(cache_, keys, out);
  cache_.count({.known = keys.size() - ask.size(), .read = ask.size()});
  if (ask.empty())
    return out;
  auto rows = tables_.find_keys(ask);
  if (!rows)
    return rows;
  for (const auto& key : ask)
    cache_.learn_key(storable_key(key), nullptr);
  for (auto& row : *rows) {
    cache_.learn_key(storable_key(row.key), &row);
    out.push_back(std::move(row));
  }
  return out;
}

expected<std::vector<fact_row>>
cached_threads::find_facts(std::span<const std::string> facts) {
  std::vector<fact_row> out;
  const auto ask = take_known(cache_, facts, out);
  if (ask.empty())
    return out;
  auto rows = tables_.find_facts(ask);
  if (!rows)
    return rows;
  for (const auto& fact : ask)
    cache_.learn_fact(storable_key(fact), std::nullopt);
  for (auto& row : *rows) {
    cache_.learn_fact(storable_key(row.fact), row.value);
    out.push_back(std::move(row));
  }
  return out;
}

expected<std::vector<std::string>>
cached_threads::find_commits(std::span<const std::string> prefixes) {
  std::vector<std::string> out;
  const auto ask = take_known(cache_, prefixes, out);
  if (ask.empty())
    return out;
  auto rows = tables_.find_commits(ask);
  if (!rows)
    return rows;
  for (const auto& prefix : ask) {
    std::vector<std::string> found;
    for (const auto& commit : *rows)
      if (commit.starts_with(prefix))
        found.push_back(commit);
    out.insert(out.end(), found.begin(), found.end());
    cache_.learn_commits(prefix, std::move(found));
  }
  return out;
}

expected<std::vector<pending_row>>
cached_threads::find_pending(std::span<const std::string> facts) {
  std::vector<std::string> ask;
  for (const auto& fact : facts)
    if (!cache_.nobody_waits_for(storable_key(fact)))
      ask.push_back(fact);
  if (ask.empty())
    return {};
  auto rows = tables_.find_pending(ask);
  if (!rows)
    return rows;
  std::unordered_set<std::string> awaited;
  for (const auto& row : *rows)
    awaited.insert(storable_key(row.fact));
  for (const auto& fact : ask)
    if (auto name = storable_key(fact); !awaited.contains(name))
      cache_.learn_nobody_waits_for(name);
  return rows;
}

void leave_out_known(thread_batch::lookup& what, thread_cache& cache) {
  if (!cache.as_of())
    return;
  std::erase_if(what.keys, [&](const auto& key) {
    return cache.key(storable_key(key)).has_value();
  });
  std::erase_if(what.facts, [&](const auto& fact) {
    return cache.fact(storable_key(fact)).has_value();
  });
  std::erase_if(what.prefixes, [&](const auto& prefix) {
    return cache.commits(prefix).has_value();
  });
  std::erase_if(what.waited_for, [&](const auto& fact) {
    return cache.nobody_waits_for(storable_key(fact));
  });
}

expected<std::vector<key_row>>
assumed_threads::find_keys(std::span<const std::string> keys) {
  std::vector<key_row> out;
  const auto fresh = take_known(cache_, keys, out);
  std::ranges::transform(fresh, std::back_inserter(absent_keys_), storable_key);
  cache_.count({.known = keys.size() - fresh.size(), .assumed = fresh.size()});
  return out;
}

expected<std::vector<fact_row>>
assumed_threads::find_facts(std::span<const std::string> facts) {
  std::vector<fact_row> out;
  std::ranges::transform(take_known(cache_, facts, out),
                         std::back_inserter(absent_facts_), storable_key);
  return out;
}

expected<std::vector<std::string>>
assumed_threads::find_commits(std::span<const std::string> prefixes) {
  std::vector<std::string> out;
  if (!take_known(cache_, prefixes, out).empty())
    return unknown();
  return out;
}

expected<std::vector<pending_row>>
assumed_threads::find_pending(std::span<const std::string> facts) {
  for (const auto& fact : facts)
    if (auto name = storable_key(fact); !cache_.nobody_waits_for(name))
      unawaited_.push_back(std::move(name));
  return {};
}

void assumed_threads::were_right() {
  for (const auto& key : absent_keys_)
    cache_.learn_key(key, nullptr);
  for (const auto& fact : absent_facts_)
    cache_.learn_fact(fact, std::nullopt);
  for (const auto& fact : unawaited_)
    cache_.learn_nobody_waits_for(fact);
}

tl::unexpected<error> assumed_threads::unknown() {
  must_read_ = true;
  return fail(ec::internal, "that can't be known without reading");
}

} // namespace eventweft
