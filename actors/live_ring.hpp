// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "codec/filter.hpp"
#include "messages/event.hpp"
#include "messages/live.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
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

/// A set of readers with equal filters: which events of the ring they see.
class live_group {
 public:
  /// Knows nothing yet; `cover` makes it look back.
  live_group(group_id id, codec::compiled_filter matcher, seq_t head)
      : id_(id), matcher_(std::move(matcher)), covered_(head) {}

  group_id id() const noexcept { return id_; }
  const codec::compiled_filter& matcher() const noexcept { return matcher_; }

  /// New events that the ring has just got.
  void append(const std::vector<event_ptr>& events);

  /// Forgets what the ring forgot.
  void trim(seq_t floor);

  /// What its readers see of first ≤ seq ≤ last, which the ring must hold.
  /// Equal questions in a row get the same object.
  log_range_ptr slice(const live_ring& ring, seq_t first, seq_t last);

 private:
  void cover(const live_ring& ring, seq_t after);

  group_id id_;
  codec::compiled_filter matcher_;
  /// All matching events with seq > covered_, in order.
  seq_t covered_;
  std::deque<event_ptr> matching_;
  log_range_ptr latest_;
};

} // namespace eventweft
