// SPDX-License-Identifier: Apache-2.0
#include "actors/live_ring.hpp"

#include <algorithm>
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

} // namespace

event_ptr renamed(const event_ptr& ev, const thread_renames& renames) {
  if (!ev->correlation_id)
    return {};
  const auto found = renames.find(*ev->correlation_id);
  if (found == renames.end())
    return {};
  // Readers hold the old one: events never change.
  auto copy = *ev;
  copy.correlation_id = found->second;
  return event_ptr{std::move(copy)};
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

std::vector<event_ptr> live_ring::rename(const thread_renames& renames) {
  std::vector<event_ptr> changed;
  for (auto& ev : events_)
    if (auto now = renamed(ev, renames)) {
      bytes_ -= kept_bytes(*ev);
      bytes_ += kept_bytes(*now);
      ev = now;
      changed.push_back(std::move(now));
    }
  return changed;
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
