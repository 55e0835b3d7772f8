// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/live_lanes.hpp"
#include "actors/live_matches.hpp"
#include "actors/live_ring.hpp"
#include "messages/flow.hpp"
#include "messages/live.hpp"

#include <cstdint>

namespace eventweft {

/// Takes readers into their lanes and out of them again, as far as the ring
/// reaches: what `messages/live.hpp` says of joins. Of one hub; what it is
/// made with outlives it.
class live_readers {
 public:
  /// At most so many events and bytes are one reader's backlog.
  live_readers(live_lanes& book, const live_ring& ring, live_matches& matches,
               uint32_t max_events, uint64_t max_bytes)
      : book_(book),
        ring_(ring),
        matches_(matches),
        max_events_(max_events),
        max_bytes_(max_bytes) {}

  /// The reader is live, waits until its lane has come to its cursor, or has
  /// to read from the store. A cursor below 0 is the end of the log.
  join_answer join(join_request r);
  /// Takes in those who waited for what was just published to the lane.
  void serve_waiting(lane_record& lane);
  void leave(subscription_id who);

 private:
  /// Answers with the backlog up to where the lane is, or, if that is too much
  /// at once, with a page of it. The ring must hold it.
  void make_live(lane_record& lane, const join_request& r,
                 const codec::compiled_filter& matcher);
  /// Takes the subscription out of the books; its lane stays.
  void forget(subscription_id who);
  /// Drops the lanes that nobody uses.
  void prune_all();

  live_lanes& book_;
  const live_ring& ring_;
  live_matches& matches_;
  uint32_t max_events_;
  uint64_t max_bytes_;
};

} // namespace eventweft
