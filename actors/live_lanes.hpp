// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "codec/filter.hpp"
#include "messages/flow.hpp"

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace eventweft {

/// A filter that somebody is live with.
struct lane_group {
  group_id id = 0;
  codec::compiled_filter matcher;
  size_t readers = 0;
};

/// A join that waits until its lane has come to its cursor.
struct waiting_join {
  join_request request;
  codec::compiled_filter matcher;
};

/// One lane in the hub's books.
struct lane_record {
  lane_number number = 0;
  live_lane_ptr port;
  /// All up to here was published to it.
  seq_t sent = 0;
  /// Batches that it has not dealt with. Counted down on the lane's thread, so
  /// that nothing is lost while no hub is there to listen.
  std::shared_ptr<std::atomic<int>> outstanding =
      std::make_shared<std::atomic<int>>(0);
  /// When what the outstanding batches hold came to the hub.
  std::deque<timestamp> since;
  /// By the filter's key.
  std::map<std::string, lane_group> groups;
  /// The same groups' ids.
  std::unordered_set<group_id> group_ids;
  std::deque<waiting_join> waiting;
  size_t readers = 0;
  /// A page for it is on its way from the store.
  bool reading = false;
};

/// Where a live reader is.
struct lane_member {
  lane_number lane = 0;
  std::string key;
};

/// See `make_live_lanes`.
struct live_lanes {
  std::map<lane_number, lane_record> lanes;
  std::unordered_map<const live_lane*, lane_number> by_port;
  std::unordered_map<subscription_id, lane_member> members;
  /// One id for a filter as long as anyone has it.
  std::map<std::string, std::pair<group_id, size_t>> group_ids;
  lane_number last_lane = 0;
  group_id last_group = 0;

  /// The lane of `port`, made at `head` if it is new.
  lane_record& lane_of(const live_lane_ptr& port, seq_t head);
  lane_record* find(lane_number number);

  /// Puts the subscription into the lane's group, out of any other.
  group_id enter(lane_record& lane, subscription_id who,
                 const codec::compiled_filter& matcher);
  /// Takes the subscription out of its group and out of those that wait.
  void leave(subscription_id who);
  /// Drops a lane that nobody uses.
  void prune(lane_number number);
};

} // namespace eventweft
