// SPDX-License-Identifier: Apache-2.0
#include "actors/live_ring.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace eventweft {

namespace {

constexpr auto is_before = [](seq_t after, const event_ptr& ev) {
  return after < ev->seq;
};

// What an event takes while it is kept: readers have its wire text made, about
// as long as the event itself, and that stays with it.
size_t kept_bytes(const event& ev) {
  return 2 * ev.footprint();
}

// The event there; nothing: as it is. A null pointer if it is there already.
// Readers hold the old one: events never change.
event_ptr placed(const event_ptr& ev, const std::optional<uuid>& thread,
                 const std::optional<uuid>& parent) {
  const bool moves = thread && thread != ev->correlation_id;
  const bool follows = parent && parent != ev->parent_event_id;
  if (!moves && !follows)
    return {};
  auto copy = *ev;
  if (moves)
    copy.correlation_id = thread;
  if (follows)
    copy.parent_event_id = parent;
  return event_ptr{std::move(copy)};
}

} // namespace

event_ptr renamed(const event_ptr& ev, const thread_renames& renames) {
  if (!ev->correlation_id)
    return {};
  const auto found = renames.find(*ev->correlation_id);
  if (found == renames.end())
    return {};
  return placed(ev, found->second, std::nullopt);
}

late_links::late_links(const thread_news& news) {
  for (const auto& link : news.links) {
    auto& known =
        by_event_.try_emplace(link.event, late_link{link.event}).first->second;
    if (link.thread)
      known.thread = link.thread;
    if (link.parent)
      known.parent = link.parent;
  }
}

event_ptr late_links::applied(const event_ptr& ev) const {
  const auto found = by_event_.find(ev->id);
  if (found == by_event_.end())
    return {};
  const auto& [id, thread, parent] = found->second;
  return placed(ev, thread, ev->parent_event_id ? std::nullopt : parent);
}

void live_ring::reset(seq_t head) {
  events_.clear();
  bytes_ = 0;
  floor_ = head_ = head;
}

void live_ring::append(const std::vector<event_ptr>& events, seq_t last) {
  for (const auto& ev : events) {
    bytes_ += kept_bytes(*ev);
    events_.push_back(ev);
  }
  head_ = last;
  while (events_.size() > max_events_ || bytes_ > max_bytes_) {
    bytes_ -= kept_bytes(*events_.front());
    floor_ = events_.front()->seq;
    events_.pop_front();
  }
}

template <class Now>
std::vector<event_ptr> live_ring::change(Now now) {
  std::vector<event_ptr> changed;
  for (auto& ev : events_)
    if (event_ptr next = now(ev)) {
      bytes_ -= kept_bytes(*ev);
      bytes_ += kept_bytes(*next);
      ev = next;
      changed.push_back(std::move(next));
    }
  return changed;
}

std::vector<event_ptr> live_ring::rename(const thread_renames& renames) {
  return change([&](const event_ptr& ev) { return renamed(ev, renames); });
}

std::vector<event_ptr> live_ring::link(const late_links& links) {
  if (links.empty())
    return {};
  return change([&](const event_ptr& ev) { return links.applied(ev); });
}

std::vector<event_ptr> live_ring::place(const std::vector<event_place>& places,
                                        const thread_renames& renames) {
  auto at = places.begin();
  return change([&](const event_ptr& ev) -> event_ptr {
    while (at != places.end() && at->seq < ev->seq)
      ++at;
    if (at == places.end() || at->seq != ev->seq)
      return {};
    auto thread = at->thread;
    if (thread)
      if (const auto moved = renames.find(*thread); moved != renames.end())
        thread = moved->second;
    return placed(ev, thread, at->parent);
  });
}

std::vector<event_ptr>
live_ring::in_threads(const std::unordered_set<uuid>& ids) const {
  std::vector<event_ptr> out;
  for (const auto& ev : events_)
    if (ev->correlation_id && ids.contains(*ev->correlation_id))
      out.push_back(ev);
  return out;
}

live_ring::iterator live_ring::after(seq_t after) const {
  return std::upper_bound(events_.begin(), events_.end(), after, is_before);
}

seq_t live_ring::reach(seq_t after, size_t max_events,
                       uint64_t max_bytes) const {
  size_t count = 0;
  uint64_t bytes = 0;
  for (auto i = this->after(after); i != events_.end(); ++i) {
    bytes += (*i)->footprint();
    ++count;
    if (count > max_events || (count > 1 && bytes > max_bytes))
      return (*i)->seq - 1;
  }
  return head_;
}

} // namespace eventweft
