// SPDX-License-Identifier: Apache-2.0
// What the hub has in memory follows what becomes of threads: by what is told
// with new events, and by a look at the store for what nobody tells.
#include "actors/caf_compat.hpp"
#include "actors/stream_hub_state.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace eventweft {

namespace {

/// One after the other: `later` knows what became of the threads since.
void add_renames(thread_renames& all, const thread_renames& later) {
  for (auto& [id, now] : all)
    if (const auto next = later.find(now); next != later.end())
      now = next->second;
  for (const auto& [from, into] : later)
    all.insert_or_assign(from, into);
}

} // namespace

void stream_hub_state::take_merges(std::vector<event_ptr>& events) {
  const auto renames = learn_merges(events);
  if (renames.empty())
    return;
  for (auto& ev : events)
    if (auto now = renamed(ev, renames))
      ev = std::move(now);
  matches_.renamed(ring_.rename(renames));
  if (placing_)
    add_renames(merged_meanwhile_, renames);
}

thread_renames
stream_hub_state::learn_merges(const std::vector<event_ptr>& events) {
  thread_renames out;
  for (const auto& ev : events) {
    const auto merge = codec::merge_told_by(*ev);
    if (!merge)
      continue;
    const auto& [from, into] = *merge;
    names_.merged(from, into);
    add_renames(out, {{from, into}});
  }
  return out;
}

void stream_hub_state::with_names(const storage_reader_actor& store,
                                  const std::function<void()>& then,
                                  const std::function<void()>& failed) {
  auto ids = names_.watched();
  if (ids.empty()) {
    then();
    return;
  }
  ask(self_, store, options_.store_timeout, find_atom_v, ids)
      .then(
          [this, ids, then](const std::vector<uuid>& present) {
            names_.found(ids, present);
            then();
          },
          [failed](const caf::error&) { failed(); });
}

// Before the merges: those tell what became of the threads after it.
void stream_hub_state::take_news(const thread_news& news,
                                 std::vector<event_ptr>& events) {
  if (news.empty())
    return;
  const late_links links{news};
  for (auto& ev : events)
    if (auto now = links.applied(ev))
      ev = std::move(now);
  matches_.renamed(ring_.link(links));
  if (news.names.empty())
    return;
  std::unordered_set<uuid> threads;
  for (const auto& [id, thread] : news.names) {
    names_.merged(id, thread);
    threads.insert(thread);
  }
  matches_.renamed(ring_.in_threads(threads));
}

// -- what nobody tells --------------------------------------------------------

void stream_hub_state::doubt_memory() {
  if (ring_.begin() != ring_.end())
    doubts_ = std::max(doubts_, 1u);
}

void stream_hub_state::look_at_threads() {
  auto store = ctx_.peers->reader.get();
  if (!started_ || placing_ || !store)
    return;
  placing_ = true;
  if (doubts_ > 0) {
    --doubts_;
    read_places(store, ring_.floor());
    return;
  }
  const places_request version{ring_.head(), ring_.head()};
  ask(self_, store, options_.store_timeout, find_atom_v, version)
      .then(
          [this, store](const places_page& page) {
            if (std::exchange(threads_version_, page.version) == page.version) {
              placing_ = false;
              return;
            }
            // And once more: what was on its way here when the store was asked
            // may be from before the change.
            doubts_ = 1;
            read_places(store, ring_.floor());
          },
          [this](const caf::error&) { placing_ = false; });
}

void stream_hub_state::read_places(const storage_reader_actor& store,
                                   seq_t after) {
  if (after >= ring_.head()) {
    placing_ = false;
    return;
  }
  merged_meanwhile_.clear();
  const auto again = [this] {
    placing_ = false;
    doubts_ = std::max(doubts_, 1u);
  };
  const auto known = names_.news();
  const places_request r{after, ring_.head()};
  ask(self_, store, options_.store_timeout, find_atom_v, r)
      .then(
          [this, store, known, after, again](places_page& page) {
            with_names(
                store,
                [this, store, known, after, page = std::move(page)] {
                  if (names_.news() == known)
                    take_places(store, page);
                  else
                    read_places(store, after);
                },
                again);
          },
          [again](const caf::error&) { again(); });
}

void stream_hub_state::take_places(const storage_reader_actor& store,
                                   const places_page& page) {
  matches_.renamed(ring_.place(page.events, merged_meanwhile_));
  read_places(store, page.last);
}

} // namespace eventweft
