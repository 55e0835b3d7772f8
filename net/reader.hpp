// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auth/principal.hpp"
#include "config/settings.hpp"
#include "messages/live.hpp"
#include "net/coalescing_stream.hpp"
#include "net/encoding.hpp"
#include "net/readers.hpp"
#include "telemetry/metrics.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft::net {

class lane;

/// Counts one open connection for as long as it lives.
using connection_slot = std::shared_ptr<void>;

/// What a reader is made of, whatever its protocol.
struct reader_setup {
  reader_id id = 0;
  /// As in the path, for metrics.
  std::string stream;
  wire_format format = wire_format::native;
  std::shared_ptr<reader_control> control;
  connection_slot slot;
  /// Pull mode from the start: how many events the client takes.
  std::optional<uint64_t> credit;
  /// What it was let in on.
  auth::standing in;
  /// The peer's, for those who ask.
  std::string address;
  /// Its own, JSON.
  std::string filter;
  timestamp opened_at{};
  /// When its credentials expire.
  steady_clock::time_point ends_at = steady_clock::time_point::max();
};

/// One WebSocket or SSE subscription: what is in its outbox, how far it got,
/// and whether it is live. Lives on its lane's I/O thread, and there only. It
/// is kept alive by the lane and by its pending operations; `abort` or a
/// graceful end make those finish, which takes it out of the lane.
class reader : public outbox_owner,
               public std::enable_shared_from_this<reader> {
 public:
  reader(lane& home, reader_setup setup, wire_style style);
  ~reader() override;
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;

  reader_id id() const noexcept { return setup_.id; }
  wire_style style() const noexcept { return style_; }
  reader_kind kind() const noexcept {
    return style_.frame == framing::websocket ? reader_kind::websocket
                                              : reader_kind::sse;
  }
  const std::string& stream_name() const noexcept { return setup_.stream; }
  const auth::standing& in() const noexcept { return setup_.in; }

  /// The last seq up to which everything that matches is in the outbox or
  /// sent; negative before the start.
  seq_t cursor() const noexcept;
  /// What the client is told to go on from: the cursor, or, until that is
  /// known, where it asked to begin. Negative if neither is a seq by now.
  seq_t place_to_go_on() const noexcept;
  /// In pull mode: what the client still takes.
  uint64_t credit() const noexcept { return credit_; }

  /// How it is; `head` is the end of the log.
  reader_view view(seq_t head, steady_clock::time_point now) const;

  // -- from the lane ---------------------------------------------------------

  /// A batch whose first seq is `first` for this live reader.
  void deliver(const encoded_events& batch, seq_t first);
  void join(uint32_t epoch, group_id group, log_range backlog);
  void page(uint32_t epoch, log_range events);
  /// Flushes, tells the client why and ends.
  void end(reader_end why, std::string_view message);
  /// Begins again where it is.
  void restart();
  void tick(steady_clock::time_point now);
  /// Closes the socket at once.
  void abort();

  /// Its place in its group's list, kept by the lane.
  struct membership {
    group_id group = 0;
    size_t index = 0;
    bool live = false;
  };
  membership& place() noexcept { return place_; }

  /// Counted by the lane for metrics.
  struct tally {
    size_t events = 0;
    size_t bytes = 0;
    seq_t last = 0;
  };

 protected:
  // -- from the protocol -----------------------------------------------------

  /// The connection is ready for events: asks for the first ones.
  void begin();
  void pause();
  void resume();
  void change_filter(filter f);
  /// The client has dealt with everything up to `seq`, or up to the cursor if
  /// that is less.
  void acknowledge(seq_t seq);
  /// Pull mode: the client takes `n` more events, and no more than granted.
  void grant(uint64_t n);
  /// The connection is gone: leaves the lane.
  void gone();
  /// A message of the client's was refused.
  void refused() noexcept { ++refused_; }
  /// Something came from the peer.
  void heard() noexcept;
  /// From now on no events; `tick` aborts when it takes too long.
  void closing();
  bool is_closing() const noexcept { return closing_; }
  lane& home() noexcept { return home_; }
  /// Whether the place to go on from moved since the client was last told;
  /// then it counts as told.
  bool place_moved() noexcept;

  virtual coalescing_stream& out() noexcept = 0;
  /// False once the protocol allows no more events.
  virtual bool open() const noexcept = 0;
  /// The cursor is known by now: tells it to clients that want to know.
  virtual void announce() = 0;
  virtual void send_ping() = 0;
  /// Tells the client why, after what waits.
  virtual void start_close(reader_end why, std::string_view message) = 0;
  /// The outbox went below its limit again.
  virtual void room_again() {}
  /// At least a second has passed since the last call.
  virtual void second_passed() {}

 private:
  void outbox_drained_some() final;
  /// Fills the outbox from the backlog, then asks for more, as there is room.
  void pump();
  void fill();
  void ask();
  void leave_lane(seq_t cursor);
  void count_sent(size_t events, size_t bytes, seq_t last);
  /// For `lag_seconds`: is it at the end of the log?
  void look_at_lag(steady_clock::time_point now);
  /// What was asked for is not wanted any more: the next answer is dropped.
  void change_mind();
  /// Whether this is the answer that is waited for.
  bool is_answer(uint32_t epoch, const log_range& range);
  void drop_backlog();
  /// Ends it if its peer takes nothing, or says nothing, for too long.
  bool lost_patience(steady_clock::time_point now);
  bool backlog_empty() const noexcept {
    return backlog_next_ == backlog_.events.size();
  }

  lane& home_;
  reader_setup setup_;
  wire_style style_;
  membership place_;
  std::shared_ptr<tally> sent_;
  /// Valid while not live.
  seq_t cursor_ = -1;
  seq_t told_ = -1;
  seq_t acknowledged_ = -1;
  uint64_t events_sent_ = 0;
  uint64_t bytes_sent_ = 0;
  uint64_t refused_ = 0;
  seq_t last_sent_ = 0;
  uint32_t epoch_ = 0;
  /// Events that the client still takes.
  uint64_t credit_ = std::numeric_limits<uint64_t>::max();
  /// Goes out with the next question. One question at a time is on its way, so
  /// that a client which changes its mind all the time fills no mailbox.
  std::unique_ptr<filter> next_filter_;
  bool begun_ = false;
  bool filled_ = false;
  bool asked_ = false;
  bool changed_mind_ = false;
  bool paused_ = false;
  bool closing_ = false;
  bool gone_ = false;
  bool answered_ = false;
  /// The group to enter once the backlog is in the outbox.
  bool joining_ = false;
  group_id joining_group_ = 0;
  /// What was answered and is not yet in the outbox.
  log_range backlog_;
  size_t backlog_next_ = 0;
  steady_clock::time_point heard_at_;
  /// When the outbox last moved or was empty.
  steady_clock::time_point moved_at_;
  steady_clock::time_point second_at_;
  /// When it was last seen at the end of the log.
  steady_clock::time_point current_at_;
  steady_clock::time_point ping_at_;
  steady_clock::time_point close_by_;
};

} // namespace eventweft::net
