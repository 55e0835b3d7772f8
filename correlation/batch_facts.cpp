// SPDX-License-Identifier: Apache-2.0
#include "correlation/batch_facts.hpp"

#include "correlation/keys.hpp"

#include <iterator>
#include <utility>

namespace eventweft::correlation {

void batch_facts::add(const correlation_key& key, float threshold) {
  if (key.is_fact()) {
    taught_.try_emplace(key.key, key.matched);
    return;
  }
  if (key.confidence >= threshold && is_full_sha(key.key))
    commits_.insert(key.key);
  if (key.needs.empty())
    return;
  if (is_short_sha(key.key))
    short_shas_.insert(key.key);
  else
    wanted_.insert(key.needs);
}

expected<void> batch_facts::read(thread_index& index) {
  std::vector<std::string> names{wanted_.begin(), wanted_.end()};
  for (const auto& [name, value] : taught_)
    if (!wanted_.contains(name))
      names.push_back(name);
  if (!names.empty()) {
    auto rows = index.find_facts(names);
    if (!rows)
      return fail(std::move(rows.error()));
    for (auto& row : *rows)
      facts_.insert_or_assign(std::move(row.fact), std::move(row.value));
  }
  for (const auto& [name, value] : taught_)
    if (facts_.try_emplace(name, value).second)
      learned_.push_back({name, value});
  return read_commits(index, short_shas_);
}

expected<void>
batch_facts::read_commits(thread_index& index,
                          const std::set<std::string>& short_shas) {
  if (short_shas.empty())
    return {};
  const std::vector<std::string> prefixes{short_shas.begin(), short_shas.end()};
  auto found = index.find_commits(prefixes);
  if (!found)
    return fail(std::move(found.error()));
  commits_.insert(found->begin(), found->end());
  return {};
}

std::string batch_facts::resolve(const correlation_key& key) const {
  if (key.needs.empty())
    return key.key;
  if (is_short_sha(key.key)) {
    const auto first = commits_.lower_bound(key.key);
    if (first == commits_.end() || !first->starts_with(key.key))
      return {};
    const auto second = std::next(first);
    const bool unique =
        second == commits_.end() || !second->starts_with(key.key);
    return unique ? *first : std::string{};
  }
  const auto fact = facts_.find(key.needs);
  return fact == facts_.end() ? std::string{}
                              : resolve_key(key.key, fact->second);
}

} // namespace eventweft::correlation
