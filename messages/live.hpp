// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"
#include "messages/filter.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// How live events get from the stream hub to readers, and how a reader that
/// is not live catches up. The rules:
///
/// - A *reader* is one WebSocket, SSE or in-process subscription. A *lane* is
///   the set of readers that one thread serves (in net/: one lane for each I/O
///   thread). A *group* is the set of readers that have equal filters; the hub
///   evaluates a filter once for each event, not once for each reader.
/// - A reader pulls: `reader_control::next(epoch, cursor)` asks for what comes
///   after `cursor`. The answer is one `live_lane::page` read from the store,
///   or one `live_lane::join`, whose backlog reaches exactly to where the lane
///   is; from then on the reader sees whatever is published to the lane. Calls
///   to one lane keep their order, so there is neither a gap nor a double.
/// - A reader that can't keep up leaves by itself: it ignores the lane from
///   some seq on, and asks `next` with that seq once its outbox has drained.
/// - `epoch` is the reader's own counter. It raises it whenever it changes its
///   mind (pause, other filter, leaving the lane) and ignores answers that
///   carry an older one.
namespace eventweft {

using reader_id = uint64_t;
using group_id = uint64_t;

/// What every reader of a lane may see next: the log from `first` to `last`.
struct lane_batch {
  seq_t first = 0;
  seq_t last = 0;
  /// For each group with a reader in this lane that `first…last` has events
  /// for: those events.
  std::vector<std::pair<group_id, log_range_ptr>> groups;
};

/// Why a reader is ended. WebSocket clients see a close code for each and, as
/// its reason, the cursor to go on from (docs/streams.md).
enum class reader_end : uint8_t {
  going_away = 0,     ///< 1001: the server stops or restarts this part
  stream_deleted = 1, ///< 1000: there is nothing more to come
  failed = 2,         ///< 1011: the store gave an error that will not pass
  restarting = 3,     ///< 1012: come back, to this node or another one
  token_expired = 4,  ///< 4001: come back with a fresh token
  refused = 5,        ///< 1008: what it reads is not allowed any more
  too_slow = 6,       ///< 4008: its peer has taken nothing for too long
};

/// The readers of one thread, as the hub sees them. Every call is thread-safe,
/// returns at once and takes effect in order of the calls.
class live_lane {
 public:
  virtual ~live_lane() = default;

  /// To all live readers. `done` is called, on any thread, once the batch has
  /// been handed to each reader's outbox; until then the hub holds further
  /// batches back and lets them grow together.
  virtual void publish(lane_batch batch, std::function<void()> done) = 0;

  /// Answers `next`: the reader is live in `group` after this backlog.
  virtual void join(reader_id reader, uint32_t epoch, group_id group,
                    log_range backlog) = 0;

  /// Answers `next`: a piece of the log; the reader is not live.
  virtual void page(reader_id reader, uint32_t epoch, log_range events) = 0;

  virtual void end(reader_id reader, reader_end why, std::string message) = 0;

  /// What the reader is asked to show is different from now on: it leaves the
  /// lane, raises its epoch and asks `next` with its cursor.
  virtual void restart(reader_id) {}
};

using live_lane_ptr = std::shared_ptr<live_lane>;

/// Who wants to read what.
struct reader_request {
  reader_id id = 0;
  live_lane_ptr lane;
  std::string stream;
  /// On top of the stream's own.
  eventweft::filter filter;
  start_point start;
  /// On top of both, whatever the reader changes its own to: what its
  /// credentials let it see.
  eventweft::filter forced;
};

/// A reader's line to its subscription actor. Every call is thread-safe and
/// returns at once. Destroying it ends the subscription.
class reader_control {
 public:
  virtual ~reader_control() = default;

  /// Asks for what comes after `cursor`; a negative cursor asks for the start
  /// point of the request. Exactly one answer comes for the newest epoch.
  virtual void next(uint32_t epoch, seq_t cursor) = 0;

  /// The seq after which the reader begins, if that was known when it was
  /// opened; negative otherwise.
  virtual seq_t start() const noexcept { return -1; }

  /// Takes effect for every `next` that is called after it.
  virtual void change_filter(eventweft::filter filter) = 0;
};

} // namespace eventweft
