// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/cluster/frame.hpp"
#include "messages/errors.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft::link {

/// Proves who a node is: with its certificate, since CAF checks only that a
/// peer's certificate is from the right authority, not whose it is.
class identity {
 public:
  virtual ~identity() = default;
  /// PEM, the node's first; empty without TLS.
  virtual std::string certificate() const = 0;
  virtual expected<std::string> sign(std::string_view text) const = 0;
  /// Whether `certificate` is from the authority, valid now, for `name`, and
  /// `signature` over `text` was made with its key.
  virtual expected<void> verify(const std::string& certificate,
                                const std::string& name, std::string_view text,
                                std::string_view signature) const = 0;
};

/// Links without TLS: everybody is who they say.
class no_identity final : public identity {
 public:
  std::string certificate() const override { return {}; }
  expected<std::string> sign(std::string_view) const override {
    return std::string{};
  }
  expected<void> verify(const std::string&, const std::string&,
                        std::string_view, std::string_view) const override {
    return {};
  }
};

struct channel_options {
  /// All but the nonce and the certificate, which are the channel's.
  hello me;
  /// Whom we dial; empty: the other side dialled.
  std::string peer;
  /// Bytes that the peer may have on their way to us.
  uint64_t window = 4ull << 20;
  std::chrono::milliseconds ping{500};
  /// Nothing heard for so long: the link is down.
  std::chrono::milliseconds silence{3'000};
  std::chrono::milliseconds handshake{4'000};
};

/// What a channel asks for; called from within its own calls.
class channel_port {
 public:
  virtual ~channel_port() = default;
  /// Unreliable: what is sent may never come, but nothing comes twice or out
  /// of order unless the transport is worse than CAF's.
  virtual void send(std::string bytes) = 0;
  virtual void up(const hello& peer, uint32_t protocol) = 0;
  /// Once; the channel is dead from then on. `told` if the peer knows.
  virtual void down(const std::string& reason, bool refusal) = 0;
  virtual void take(log_range_ptr range) = 0;
  virtual void reaches(seq_t head) = 0;
  virtual void changed(const control_event& e) = 0;
  virtual void replied(reply_item x) = 0;
  /// The peer wants events appended; what became of some that we sent.
  virtual void asked(append_item x) = 0;
  virtual void answered(appended_item x) = 0;
  /// Something was lost on the way, or is not understood here: look at the
  /// store.
  virtual void lost() = 0;
  /// Whether the peer gets events from now on, or only how far the log is.
  virtual void interested(bool events) = 0;
  virtual void round_trip(std::chrono::nanoseconds d) = 0;
  /// So many events were not sent, for want of credit.
  virtual void skipped(size_t events) = 0;
};

/// One life of a link, without a transport, without a clock and without an
/// actor: those are around it (`link.hpp`), or a simulation is.
///
/// - Handshake: hello, answer, proof, welcome. Each side signs both hellos,
///   with the other one's nonce in them, so that nothing can be replayed.
///   What does not fit is refused with a reason that both sides are given.
/// - Data frames are numbered. A hole in the numbers, or a ping that says that
///   more was sent than came, means "lost": the hub looks at the store. Nothing
///   is sent a second time; the store has it.
/// - Each side says whether anybody there reads live events. A peer where
///   nobody does is told only how far the log is.
/// - A sender has at most the peer's credit on its way. What does not fit is
///   dropped for a note of how far the log is, sent when there is room again:
///   a slow peer costs bounded memory here and delays nobody.
class channel {
 public:
  using nanoseconds = std::chrono::nanoseconds;

  channel(channel_options options, const identity& self, channel_port& port,
          std::string nonce, nanoseconds now);

  /// The one who dials says hello.
  void start();
  void receive(std::string_view bytes, nanoseconds now);
  /// About ten times a second.
  void tick(nanoseconds now, seq_t head);

  /// Whether the peer is to send events. What was said last counts, from before
  /// the handshake as well.
  void want_events(bool wanted);

  void send(const log_range& range);
  void send(const control_event& e);
  /// Dropped where there is no room or the peer is too old for it: whoever
  /// waits for it has a time-out.
  void send(reply_item x);
  /// False if there is no room or the peer is too old for it; no answer comes
  /// then, as none may come at all.
  bool send(append_item x);
  /// Waits for room; dropped where no frame could hold it, as whoever waits for
  /// it has a time-out.
  void send(appended_item x);
  /// Says goodbye.
  void close(const std::string& reason);

  bool up() const noexcept { return state_ == state::up; }
  bool dead() const noexcept { return state_ == state::dead; }
  const hello& peer() const noexcept { return peer_; }
  uint64_t in_flight() const noexcept { return in_flight_; }
  size_t waiting() const noexcept { return controls_.size(); }
  seq_t peer_head() const noexcept { return peer_head_; }

 private:
  enum class state : uint8_t { fresh, greeted, answered, up, dead };

  void on(hello& x);
  void on(answer& x);
  void on(proof& x);
  void on(welcome& x);
  void on(refused& x);
  void on(data& x);
  void on(ack& x);
  void on(ping& x);
  void on(pong& x);
  void on(bye& x);

  std::optional<std::string> misfit(const hello& h) const;
  std::string transcript(std::string_view role) const;
  void refuse(const std::string& reason);
  void die(const std::string& reason, bool refusal = false);
  void opened(uint64_t credit);
  void put(data_item item);
  bool room(size_t bytes) const noexcept;
  void flush();
  void acknowledge();
  void unexpected();

  channel_options options_;
  const identity& self_;
  channel_port& port_;
  state state_ = state::fresh;
  hello mine_;
  hello peer_;
  uint32_t protocol_ = 0;
  nanoseconds now_;
  nanoseconds started_;
  nanoseconds heard_;
  nanoseconds pinged_{0};
  seq_t head_ = 0;
  seq_t peer_head_ = 0;

  // -- sending ---------------------------------------------------------------
  uint64_t sent_ = 0;
  uint64_t credit_ = 0;
  uint64_t in_flight_ = 0;
  /// Number and size of what is not acknowledged.
  std::deque<std::pair<uint64_t, size_t>> unacknowledged_;
  /// How far the log is, if the peer was not sent all of it.
  seq_t behind_ = 0;
  std::deque<control_event> controls_;
  bool peer_wants_ = true;
  /// What the peer is to know of us, whether it was told anything, and whether
  /// it has to be told.
  bool wants_ = true;
  bool interest_told_ = false;
  bool interest_due_ = false;
  std::deque<appended_item> answers_;

  // -- receiving -------------------------------------------------------------
  uint64_t received_ = 0;
  uint64_t acknowledged_ = 0;
  uint64_t since_ack_ = 0;
  /// What the next events brought.
  thread_news news_;
};

} // namespace eventweft::link
