// SPDX-License-Identifier: Apache-2.0
#include "actors/cluster/membership.hpp"

#include <algorithm>
#include <string_view>

// Who of those that are there is to do what.
namespace eventweft {

namespace {

// FNV-1a over both, then SplitMix64's finish: the same on every machine and in
// every version, which std::hash is not.
uint64_t weight(std::string_view member, std::string_view work) {
  uint64_t h = 0xcbf29ce484222325ull;
  const auto add = [&h](std::string_view text) {
    for (const char c : text) {
      h ^= static_cast<unsigned char>(c);
      h *= 0x100000001b3ull;
    }
  };
  add(member);
  add(std::string_view{"\0", 1});
  add(work);
  h ^= h >> 30;
  h *= 0xbf58476d1ce4e5b9ull;
  h ^= h >> 27;
  h *= 0x94d049bb133111ebull;
  return h ^ (h >> 31);
}

constexpr std::string_view processor_prefix = "processor:";

// What is not told by whoever asks: "retention", "metrics".
std::string_view kind_in(std::string_view work) {
  return work.substr(0, work.find(':'));
}

bool among(const std::optional<std::vector<std::string>>& told,
           std::string_view what) {
  return !told || std::ranges::find(*told, what) != told->end();
}

} // namespace

std::string chosen_member(const std::string& work,
                          const std::vector<std::string>& members) {
  const std::string* best = nullptr;
  uint64_t most = 0;
  for (const auto& m : members) {
    const auto w = weight(m, work);
    if (!best || w > most || (w == most && m < *best)) {
      best = &m;
      most = w;
    }
  }
  return best ? *best : std::string{};
}

std::vector<std::string> membership::own_processors() const {
  std::vector<std::string> out;
  const auto now = now_();
  for (auto i = works_.lower_bound(std::string{processor_prefix});
       i != works_.end() && i->first.starts_with(processor_prefix); ++i)
    if (now - i->second.asked < options_.forget)
      out.push_back(i->first.substr(processor_prefix.size()));
  return out;
}

std::string membership::chosen(const std::string& work) const {
  std::lock_guard guard{mutex_};
  return chosen_for(work);
}

std::string membership::chosen_for(const std::string& work) const {
  const bool handled = work.starts_with(processor_prefix);
  const auto known = works_.find(work);
  const std::string_view kind =
      handled ? std::string_view{work}.substr(processor_prefix.size())
      : known == works_.end() || known->second.kind.empty()
          ? kind_in(work)
          : std::string_view{known->second.kind};
  std::vector<std::string> able;
  for (const auto& n : members_)
    if (std::ranges::find(workers_, n.name) != workers_.end() &&
        among(handled ? n.processors : n.runs, kind))
      able.push_back(n.name);
  return chosen_member(work, able);
}

} // namespace eventweft
