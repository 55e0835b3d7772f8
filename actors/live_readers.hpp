// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/live_lanes.hpp"
#include "actors/live_matches.hpp"
#include "actors/live_ring.hpp"
#include "actors/stream_hub.hpp"
#include "messages/flow.hpp"
#include "messages/live.hpp"

#include <cstdint>

namespace eventweft {

/// Takes readers into their lanes and out of them again, as far as the ring
/// reaches: what `messages/live.hpp` says of joins. Of one hub; what it is
/// made with outlives it.
class live_readers {
 public:
  live_readers(live_lanes& book, const live_ring& ring, live_matches& matches,
               const stream_hub_options& options)
      : book_(book), ring_(ring), matches_(matches), options_(options) {}

  /// The reader is live, waits until its lane has come to its cursor, or has
  /// to read from the store, or from the piece of the ring that it is given. A
  /// cursor below 0 is the end of the log.
  join_answer join(join_request r);
  /// How often a filter was tried for a backlog.
  uint64_t tried() const noexcept { return tried_; }
  /// Takes in those who waited for what was just published to the lane.
  void serve_waiting(lane_record& lane);
  void leave(subscription_id who);

 private:
  /// What is in memory after `cursor`, as far as the lane is and one piece
  /// goes.
  log_range_ptr recent(const lane_record& lane, seq_t cursor) const;
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
  const stream_hub_options& options_;
  uint64_t tried_ = 0;
};

} // namespace eventweft
