// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/cluster/link_channel.hpp"
#include "actors/cluster/mesh_core.hpp"
#include "messages/backoff.hpp"
#include "messages/flow.hpp"

#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace eventweft {

/// A node that comes back finds its port in TIME_WAIT.
inline constexpr bool reuse_port = true;

/// How long CAF's networking may take for one thing.
inline constexpr std::chrono::milliseconds connect_limit{8'000};

/// Whoever can reach an actor can tell it to end; ours end by themselves.
void harden(caf::event_based_actor* self);

/// One link: a channel around which there are CAF's handles, monitors and
/// connections, none of which anybody else sees. A link that dials lives as
/// long as its peer is wanted and tries again whenever it is down; one that was
/// dialled ends with its connection.
///
/// Touched by its actor only. Each order of the mesh that runs there keeps it
/// alive.
class link_life final : public link::channel_port,
                        public std::enable_shared_from_this<link_life> {
 public:
  /// `peer`: whom to dial; empty: the other side did, which is on a `visit`.
  link_life(caf::event_based_actor* self, std::shared_ptr<mesh_core> core,
            std::string peer, std::shared_ptr<void> visit);

  /// What the link takes: frames from its peer, orders from here.
  caf::behavior behavior();
  void begin();
  /// The other side's first frame.
  void accept(caf::strong_actor_ptr remote, const std::string& bytes);

  void give(const log_range_ptr& range);
  void give(const control_event& e);
  void give(const link::reply_item& x);
  /// The peer is told whether it is to send events.
  void tell_interest();
  void end(const std::string& why);

  // -- link::channel_port ----------------------------------------------------
  void send(std::string bytes) override;
  void up(const link::hello& peer, uint32_t protocol) override;
  void down(const std::string& reason, bool refusal) override;
  void take(log_range_ptr range) override;
  void reaches(seq_t head) override;
  void changed(const control_event& e) override;
  void replied(link::reply_item x) override;
  void asked(link::append_item x) override;
  void answered(link::appended_item x) override;
  void lost() override;
  void interested(bool events) override;
  void round_trip(std::chrono::nanoseconds d) override;
  void skipped(size_t events) override;

 private:
  /// A batch that the peer's writer was asked to append.
  struct relayed {
    size_t events = 0;
    caf::typed_response_promise<append_results> promise;
  };
  /// One that the peer asked ours to.
  struct relaying;

  /// Events of this node for the peer's writer.
  caf::result<append_results> relay(const relay_order& order);
  void appended(const std::shared_ptr<relaying>& batch, size_t place,
                link::appended what);
  caf::actor actor() const;
  void tick_later();
  void frame(const std::string& bytes);
  void open(caf::strong_actor_ptr remote);
  void remote_gone(const caf::actor_addr& who);
  /// Finds out which connection to our port is this link's.
  void locate();
  void dial();
  void connect(const std::string& host, uint16_t port);
  void missed(const std::string& why);
  void again();

  caf::event_based_actor* self_;
  std::shared_ptr<mesh_core> core_;
  std::string peer_;
  bool dials_;
  /// As long as we do not know who dialled.
  std::shared_ptr<void> visit_;
  /// Whether the peer's own link has answered in place of its gate.
  bool met_ = false;
  bool fell_ = false;
  bool ending_ = false;
  backoff pauses_;
  caf::strong_actor_ptr remote_;
  std::unique_ptr<link::channel> channel_;
  /// How many connections there were.
  uint64_t connection_ = 0;
  uint64_t last_relayed_ = 0;
  std::map<uint64_t, relayed> relayed_;
};

/// A link that dials `peer`.
caf::actor spawn_dialer(const std::shared_ptr<mesh_core>& core,
                        const std::string& peer);

/// The link to whom has dialled, on a `visit`: takes its first frame.
caf::actor spawn_dialled(const std::shared_ptr<mesh_core>& core,
                         const std::shared_ptr<void>& visit,
                         const caf::strong_actor_ptr& remote,
                         const std::string& first);

/// What the other nodes dial: makes a link for each that says hello. Somebody
/// publishes it.
caf::actor spawn_gate(const std::shared_ptr<mesh_core>& core);

/// Likewise, but it takes the place of the one that is published. Meanwhile
/// nobody finds the port, and whoever spoke to the former one hears that it is
/// gone: both come again.
caf::actor spawn_next_gate(const std::shared_ptr<mesh_core>& core);

/// Tells whether something listens at an address. On a thread of its own.
caf::actor spawn_prober(const std::shared_ptr<mesh_core>& core);

} // namespace eventweft
