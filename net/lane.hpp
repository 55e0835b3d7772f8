// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "messages/live.hpp"
#include "net/deflate.hpp"
#include "net/encoding.hpp"
#include "net/gate.hpp"
#include "net/reader.hpp"
#include "net/readers.hpp"
#include "telemetry/metrics.hpp"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace eventweft::net {

/// Whether who came in on that is still somebody, or why not.
using still_in = std::function<expected<void>(const auth::standing&)>;

/// All readers of one I/O thread. The calls of `live_lane` come from anywhere
/// and become one handler each on that thread; everything else belongs to the
/// thread. May be held for longer than the thread lives: calls are then
/// ignored.
class lane final : public live_lane, public std::enable_shared_from_this<lane> {
 public:
  lane(gate_ptr way_in, const config::streaming_settings& settings,
       metrics& figures);
  ~lane() override;

  // -- from the hub and the subscriptions, on any thread ---------------------

  void publish(lane_batch batch, std::function<void()> done) override;
  void join(reader_id reader, uint32_t epoch, group_id group,
            log_range backlog) override;
  void page(reader_id reader, uint32_t epoch, log_range events) override;
  void end(reader_id reader, reader_end why, std::string message) override;
  void restart(reader_id reader) override;

  /// The readers of `stream` with ids beyond `after`, at most the first
  /// `limit`; `done` is called on this lane's thread, or by the caller if that
  /// has ended.
  void describe(std::string stream, reader_id after, size_t limit,
                std::function<void(std::vector<reader_view>)> done);

  // -- on the I/O thread -----------------------------------------------------

  void add(std::shared_ptr<reader> r);
  /// May destroy `r` unless somebody else holds it.
  void remove(reader& r);

  /// From now on `r` gets what is published for `group`.
  void enter(reader& r, group_id group);
  void leave(reader& r);

  /// The last seq that all live readers have been handed.
  seq_t position() const noexcept { return position_; }

  /// Pings, time-outs and figures; called every `tick_interval`.
  void tick(steady_clock::time_point now);
  /// The time of the last tick.
  steady_clock::time_point now() const noexcept { return now_; }

  /// Ends the readers that were let in on what is not `alive` any more.
  void recheck(const still_in& alive);

  /// Ends all readers, those to come as well.
  void stop(reader_end why);
  void abort_all();
  /// Lets go of all readers; for the end of the thread.
  void clear();

  const config::streaming_settings& settings() const noexcept {
    return settings_;
  }
  metrics& figures() noexcept { return figures_; }
  packed_frames& packed() noexcept { return packed_; }
  size_t size() const noexcept { return readers_.size(); }

  std::shared_ptr<reader::tally> tally_for(const std::string& stream);

 private:
  void deliver(const lane_batch& batch);
  reader* find(reader_id id) const;
  void report();

  gate_ptr way_in_;
  config::streaming_settings settings_;
  metrics& figures_;
  std::unordered_map<reader_id, std::shared_ptr<reader>> readers_;
  std::unordered_map<group_id, std::vector<reader*>> groups_;
  std::unordered_map<std::string, std::shared_ptr<reader::tally>> tallies_;
  seq_t position_ = 0;
  steady_clock::time_point now_;
  bool stopping_ = false;
  reader_end stopping_why_ = reader_end::going_away;
  packed_frames packed_;
  /// Used again for every batch.
  std::array<encoded_events, wire_style_count> encoded_;
};

} // namespace eventweft::net
