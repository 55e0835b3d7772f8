// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"
#include "messages/flow.hpp"

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace eventweft {

/// From former ids of threads to those that they are part of now.
using thread_renames = std::unordered_map<uuid, uuid>;

/// The event in the thread that its own is part of by now, or a null pointer if
/// that is its own. The payload is shared.
event_ptr renamed(const event_ptr& ev, const thread_renames& renames);

/// What stored events got late, to be looked up by event.
class late_links {
 public:
  explicit late_links(const thread_news& news);

  bool empty() const noexcept { return by_event_.empty(); }

  /// The event with what it got late, or a null pointer if that is nothing.
  event_ptr applied(const event_ptr& ev) const;

 private:
  std::unordered_map<uuid, late_link> by_event_;
};

/// The latest events of the log in memory: all with floor < seq ≤ head, bounded
/// in bytes and in number.
class live_ring {
 public:
  live_ring(size_t max_events, uint64_t max_bytes)
      : max_events_(max_events), max_bytes_(max_bytes) {}

  /// Empty, at the end of the log.
  void reset(seq_t head);

  /// `events` in order, all with head < seq ≤ last; the head becomes `last`.
  void append(const std::vector<event_ptr>& events, seq_t last);

  /// Puts the events of each `from` into `into`, as the store did when it
  /// merged the threads: what is read from here equals what is read from there.
  /// Returns the events that changed, in order.
  std::vector<event_ptr> rename(const thread_renames& renames);

  /// The same with what events got late.
  std::vector<event_ptr> link(const late_links& links);

  /// The same with where the store says that events stand, in order. `renames`:
  /// what threads were merged into since it was asked.
  std::vector<event_ptr> place(const std::vector<event_place>& places,
                               const thread_renames& renames);

  /// The events of these threads, in order.
  std::vector<event_ptr> in_threads(const std::unordered_set<uuid>& ids) const;

  seq_t head() const noexcept { return head_; }
  seq_t floor() const noexcept { return floor_; }

  using iterator = std::deque<event_ptr>::const_iterator;
  iterator begin() const noexcept { return events_.begin(); }
  iterator end() const noexcept { return events_.end(); }

  /// The first event with seq > after.
  iterator after(seq_t after) const;

  /// How far a batch may reach that begins after `after`, floor ≤ after <
  /// head, so that it has at most so many events and bytes, but at least one
  /// event unless there is none.
  seq_t reach(seq_t after, size_t max_events, uint64_t max_bytes) const;

 private:
  /// `now`: what becomes of an event; a null pointer: it stays.
  template <class Now>
  std::vector<event_ptr> change(Now now);

  size_t max_events_;
  uint64_t max_bytes_;
  uint64_t bytes_ = 0;
  seq_t floor_ = 0;
  seq_t head_ = 0;
  std::deque<event_ptr> events_;
};

} // namespace eventweft
