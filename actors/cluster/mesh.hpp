// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/cluster/link_channel.hpp"
#include "actors/cluster/port_guard.hpp"
#include "actors/context.hpp"
#include "actors/fanout.hpp"
#include "messages/protocols.hpp"
#include "persistence/nodes.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace eventweft {

/// One link as this node sees it.
struct link_view {
  std::string peer;
  /// "up", "connecting", "waiting: …", "down: …", "refused: …".
  std::string state;
  std::optional<std::chrono::nanoseconds> round_trip;
  /// The end of the log as far as the peer knows it.
  seq_t peer_head = 0;
  /// Whether the peer is sent events, and not only how far the log is.
  bool gets_events = true;
};

/// PEM files that stay readable, for CAF, which reads them for each
/// connection and ends the process when it can't.
struct transport_files {
  std::string certificate;
  std::string key;
  std::string authority;
};

/// Loads CAF's networking into a configuration; with `tls` its OpenSSL module
/// as well. To be called before the actor system is made.
void prepare_transport(caf::actor_system_config& config,
                       const std::optional<transport_files>& tls);

/// Stands for what the transport itself sends: nodes whose CAF numbers its
/// types differently must not talk.
uint64_t transport_types();

struct mesh_options {
  /// All but nonce and certificate.
  link::hello me;
  bool tls = true;
  uint64_t window = 4ull << 20;
  /// For those who come to the port.
  port_limits limits;
  /// First and longest pause between attempts to reach a peer.
  std::chrono::milliseconds retry_min{100};
  std::chrono::milliseconds retry_max{2'000};
  /// Whether something listens there. CAF connects without a limit of time,
  /// one after the other: what can't be reached is not to be tried. Blocks.
  std::function<bool(const std::string& host, uint16_t port)> reachable;
};

struct mesh_core;

/// HOST and PORT of "HOST:PORT" or "[HOST]:PORT".
std::optional<std::pair<std::string, uint16_t>>
split_address(const std::string& address);

/// The links to all peers, a full mesh: of two nodes the one whose name comes
/// first dials. One actor a link; nothing but the gate, which the others dial,
/// and the links themselves can be reached from outside. Everything else of
/// the program sees what comes through the context's hub and control bus.
///
/// Links that fail are made anew by the next heartbeat, the gate and what
/// looks for peers by the supervisor.
///
/// Thread-safe. Must be closed before the actor system ends, and before the
/// supervisor stops.
class mesh final : public fanout {
 public:
  mesh(caf::actor_system& sys, actor_context ctx, supervisor_actor supervisor,
       mesh_options options, std::shared_ptr<const link::identity> self);
  ~mesh() override;
  mesh(const mesh&) = delete;
  mesh& operator=(const mesh&) = delete;

  /// Takes links from now on; the port. Blocks.
  expected<uint16_t> listen(const std::string& host, uint16_t port);

  /// Who is there, after each heartbeat: dials those that are to be dialled,
  /// and says so once of those that should have dialled for `dead_after`.
  /// Those that have left, or are not remembered any more, are forgotten.
  void see(const std::vector<node_record>& members,
           std::chrono::milliseconds dead_after);

  /// To all peers.
  void committed(const log_range_ptr& range) override;
  void replied(const uuid& event,
               const std::optional<processing::reply>& r) override;
  bool hears_replies() const override;
  void wants_events(bool wanted) override;
  std::optional<append_relay> relay() const override;

  /// The node that appends for all where several write; empty: nobody does.
  void set_appender(const std::string& node);
  std::string appender() const;
  void announce(const control_event& e);

  /// Runs `swap` where no connection is being made: for files that CAF reads.
  /// False if now is not the time.
  bool while_idle(std::function<void()> swap);

  std::vector<link_view> links() const;
  /// As far as the log is known to reach.
  seq_t head() const;

  /// Says goodbye to all and takes no more links.
  void close();

 private:
  std::shared_ptr<mesh_core> core_;
  supervisor_actor supervisor_;
};

} // namespace eventweft
