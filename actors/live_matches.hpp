// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/live_ring.hpp"
#include "codec/filter_index.hpp"
#include "messages/event.hpp"
#include "messages/live.hpp"

#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace eventweft {

/// Which groups of readers see which events of the ring. An event finds its
/// groups through an index of their filters when it comes in, once; what a lane
/// gets is put together from that, so that groups which an event does not
/// concern cost nothing.
class live_matches {
 public:
  using group_events = std::vector<std::pair<group_id, log_range_ptr>>;

  /// A group with this filter, which sees what comes after `head`; nothing if
  /// it is known. `cover` makes it look back.
  void add(group_id id, const codec::compiled_filter& matcher, seq_t head);
  void remove(group_id id);
  size_t size() const noexcept { return groups_.size(); }
  /// How often a filter was tried.
  uint64_t tried() const noexcept { return index_.tried() + covering_; }

  /// New events that the ring has just got.
  void append(const std::vector<event_ptr>& events);

  /// Events of the ring that are in another thread than they were, or whose
  /// thread is found by another id, or that have a cause now. Who did not see
  /// them before may do now, as far as its lane has not been there yet.
  void renamed(const std::vector<event_ptr>& events);

  /// Forgets what the ring forgot.
  void trim(seq_t floor);

  /// From now on the group's events with seq > after are known, as far as the
  /// ring has them.
  void cover(const live_ring& ring, group_id id, seq_t after);

  /// What the groups among `wanted` see of first ≤ seq ≤ last, which the ring
  /// must hold; those that see nothing are left out.
  group_events slices(seq_t first, seq_t last,
                      const std::unordered_set<group_id>& wanted) const;

  /// The same for events that are not in the ring.
  group_events slices_of(const std::vector<event_ptr>& events, seq_t first,
                         seq_t last,
                         const std::unordered_set<group_id>& wanted);

 private:
  struct seen {
    event_ptr ev;
    std::vector<group_id> groups;
  };
  struct group {
    codec::compiled_filter matcher;
    /// All matching events with seq > covered are known.
    seq_t covered = 0;
  };

  std::deque<seen>::iterator place_of(seq_t seq);

  codec::filter_index index_;
  uint64_t covering_ = 0;
  std::unordered_map<group_id, group> groups_;
  /// Events that anybody sees, in order.
  std::deque<seen> seen_;
};

} // namespace eventweft
