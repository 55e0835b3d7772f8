// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"

#include <cstdint>
#include <deque>
#include <vector>

namespace eventweft {

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
  size_t max_events_;
  uint64_t max_bytes_;
  uint64_t bytes_ = 0;
  seq_t floor_ = 0;
  seq_t head_ = 0;
  std::deque<event_ptr> events_;
};

} // namespace eventweft
