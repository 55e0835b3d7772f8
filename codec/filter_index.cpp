// SPDX-License-Identifier: Apache-2.0
#include "codec/filter_index.hpp"

#include "codec/filter_program.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace eventweft::codec {

namespace {

/// Each costs one look into the payload of every event.
constexpr size_t max_paths = 64;

/// By which member a filter is filed; where two serve as well, the first one.
enum shelf : size_t {
  thread,
  source_id,
  actor_id,
  source_name,
  type,
  platform
};
constexpr size_t shelf_count = 6;

struct text_hash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};

struct entry;
using pile = std::vector<entry*>;
using piles = std::unordered_map<std::string, pile, text_hash, std::equal_to<>>;

/// Where a filter is filed: under each of `values`.
struct place {
  piles* in = nullptr; ///< null: among those that are always tried
  std::string path;    ///< of the payload, or empty
  std::vector<std::string> values;
};

struct entry {
  filter_index::id_type id = 0;
  compiled_filter f;
  place at;
};

void drop(pile& from, const entry* e) {
  const auto found = std::find(from.begin(), from.end(), e);
  if (found == from.end())
    return;
  *found = from.back();
  from.pop_back();
}

/// Values none of which has another one as its part before a `:`: an event
/// finds a filter once only.
std::vector<std::string> distinct_types(const std::vector<std::string>& all) {
  std::vector<std::string> out;
  for (const auto& t : all) {
    auto from = std::string_view::npos;
    type_prefix(t, from);
    bool covered = false;
    while (const auto prefix = type_prefix(t, from))
      covered = covered || std::binary_search(all.begin(), all.end(), *prefix,
                                              std::less<>{});
    if (!covered)
      out.push_back(t);
  }
  return out;
}

const text_set& set_of(const filter_part& part, size_t s) {
  switch (s) {
  case thread:
    return part.threads;
  case source_id:
    return part.source_ids;
  case actor_id:
    return part.actor_ids;
  case source_name:
    return part.source_names;
  case type:
    return part.types;
  default:
    return part.platforms;
  }
}

} // namespace

struct filter_index::state {
  std::unordered_map<id_type, std::unique_ptr<entry>> entries;
  std::array<piles, shelf_count> shelves;
  std::map<std::string, piles, std::less<>> paths;
  pile always;
  probe_buffers buffers;
  uint64_t tried = 0;

  place choose(const filter_program& program);
  void file(entry& e);
  void unfile(entry& e);
};

place filter_index::state::choose(const filter_program& program) {
  place best;
  size_t least = std::numeric_limits<size_t>::max();
  const auto offer = [&](piles* in, std::string_view path,
                         const std::vector<std::string>& values) {
    size_t crowd = 0;
    if (in != nullptr)
      for (const auto& v : values)
        if (const auto found = in->find(v); found != in->end())
          crowd += found->second.size();
    if (crowd >= least)
      return;
    least = crowd;
    best.in = in;
    best.path = path;
    best.values = values;
  };
  const auto offer_shelf = [&](size_t s) {
    for (const auto& part : program.parts) {
      const auto& wanted = set_of(part, s);
      if (wanted.exact().empty() || !wanted.patterns().empty())
        continue;
      offer(&shelves[s], {},
            s == type ? distinct_types(wanted.exact()) : wanted.exact());
    }
  };
  for (const size_t s : {thread, source_id, actor_id, source_name})
    offer_shelf(s);
  for (const auto& part : program.parts)
    for (const auto& [path, value] : part.conditions) {
      const auto known = paths.find(path);
      if (known != paths.end() || paths.size() < max_paths)
        offer(known == paths.end() ? nullptr : &known->second, path, {value});
    }
  for (const size_t s : {type, platform})
    offer_shelf(s);
  if (!best.path.empty())
    best.in = &paths[best.path];
  return best;
}

void filter_index::state::file(entry& e) {
  e.at = choose(e.f.program());
  if (e.at.in == nullptr)
    always.push_back(&e);
  else
    for (const auto& v : e.at.values)
      (*e.at.in)[v].push_back(&e);
}

void filter_index::state::unfile(entry& e) {
  if (e.at.in == nullptr) {
    drop(always, &e);
    return;
  }
  for (const auto& v : e.at.values) {
    const auto found = e.at.in->find(v);
    if (found == e.at.in->end())
      continue;
    drop(found->second, &e);
    if (found->second.empty())
      e.at.in->erase(found);
  }
  if (!e.at.path.empty() && e.at.in->empty())
    paths.erase(e.at.path);
}

filter_index::filter_index() : state_(std::make_unique<state>()) {
  // nop
}

filter_index::~filter_index() = default;
filter_index::filter_index(filter_index&&) noexcept = default;
filter_index& filter_index::operator=(filter_index&&) noexcept = default;

void filter_index::insert(id_type id, compiled_filter f) {
  erase(id);
  auto made = std::make_unique<entry>(entry{id, std::move(f), {}});
  state_->file(*made);
  state_->entries.emplace(id, std::move(made));
}

void filter_index::erase(id_type id) {
  const auto found = state_->entries.find(id);
  if (found == state_->entries.end())
    return;
  state_->unfile(*found->second);
  state_->entries.erase(found);
}

size_t filter_index::size() const noexcept {
  return state_->entries.size();
}

uint64_t filter_index::tried() const noexcept {
  return state_->tried;
}

void filter_index::match(const event& ev, std::vector<id_type>& out) {
  auto& s = *state_;
  event_probe probe{ev, s.buffers};
  const auto try_all = [&](const pile& those) {
    s.tried += those.size();
    for (const auto* e : those)
      if (e->f.program().matches(probe))
        out.push_back(e->id);
  };
  const auto look_up = [&](const piles& in, std::string_view value) {
    if (const auto found = in.find(value); found != in.end())
      try_all(found->second);
  };
  try_all(s.always);
  if (!s.shelves[thread].empty()) {
    const auto first = static_cast<std::ptrdiff_t>(out.size());
    for (const auto& id : probe.threads())
      look_up(s.shelves[thread], id);
    // A filter may ask for several of a thread's ids.
    if (probe.threads().size() > 1) {
      std::sort(out.begin() + first, out.end());
      out.erase(std::unique(out.begin() + first, out.end()), out.end());
    }
  }
  look_up(s.shelves[source_id], ev.source_id);
  look_up(s.shelves[actor_id], ev.actor_id);
  look_up(s.shelves[source_name], ev.source_name);
  look_up(s.shelves[platform], ev.platform);
  auto from = std::string_view::npos;
  while (const auto prefix = type_prefix(ev.event_type, from))
    look_up(s.shelves[type], *prefix);
  for (const auto& [path, in] : s.paths)
    if (const auto value = probe.scalar_at(path))
      look_up(in, *value);
}

} // namespace eventweft::codec
