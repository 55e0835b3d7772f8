// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "messages/protocols.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <memory>

namespace eventweft {

struct stream_hub_options {
  /// The latest events kept in memory.
  uint32_t ring_events = 20'000;
  uint64_t ring_bytes = 32ull << 20;
  /// The most that one batch for a lane, or one reader's backlog, holds.
  uint32_t batch_events = 1'000;
  uint64_t batch_bytes = 256ull << 10;
  /// The most events in memory that the hub tries a joining reader's filter
  /// on; what is more is looked through by the reader's subscription, in pieces
  /// of so many.
  uint32_t join_events = 1'000;
  uint32_t recent_events = 4'000;
  uint64_t recent_bytes = 2ull << 20;
  /// One page read from the store.
  uint32_t page_events = 500;
  uint64_t page_bytes = 1ull << 20;
  /// Between looks at the store's head, in case nobody told us.
  std::chrono::milliseconds poll_interval{2'000};
  /// Between this and twice as long without a reader, and the other nodes are
  /// told that they need not send events. Longer than a reader takes to come
  /// back.
  std::chrono::milliseconds interest_pause{30'000};
  std::chrono::milliseconds retry_min{100};
  std::chrono::milliseconds retry_max{5'000};
  std::chrono::milliseconds store_timeout{40'000};
};

/// Batches that a lane may have that it has not dealt with yet.
inline constexpr int lane_window = 2;

struct live_lanes;

/// What a hub leaves to its successor: who is live, and how far each lane is.
/// The readers of a hub that dies go on with the next one, without gap or
/// double. Touched by one hub at a time.
std::shared_ptr<live_lanes> make_live_lanes();

/// Spawns the hub, which knows the end of the log and keeps its latest events
/// in memory. See `messages/live.hpp` for what it owes to readers.
///
/// - It hands committed ranges to each lane in order. A lane that has two
///   batches to deal with gets no more; what comes meanwhile goes into its
///   next batch.
/// - A lane that falls behind what is in memory is fed from the store.
/// - A range that does not follow on the last one leaves a hole, which is read
///   from the store.
/// - As long as nobody reads, other nodes send it no events: it follows the
///   log's end and reads nothing.
/// - It starts at the store's head; until that is known, joins wait.
stream_hub_actor spawn_stream_hub(caf::actor_system& sys, actor_context ctx,
                                  stream_hub_options options,
                                  std::shared_ptr<live_lanes> lanes);

} // namespace eventweft
