// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/cluster/mesh.hpp"

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/error.hpp>
#include <caf/io/middleman_actor.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace eventweft {

class link_life;

/// Has an actor run `f` between its messages.
void order(const caf::actor& who, std::function<void()> f);

/// What the links of a mesh have in common. Thread-safe.
struct mesh_core : std::enable_shared_from_this<mesh_core> {
  struct record {
    caf::actor link;
    std::shared_ptr<link_life> life;
    std::string state = "connecting";
    uint32_t protocol = 0;
    std::optional<std::chrono::nanoseconds> round_trip;
    /// Whether the link is one that the peer made, and from where: its
    /// connection came to our port.
    bool came = false;
    std::optional<std::string> far_end;
    seq_t head = 0;
    bool gets_events = true;
    std::string logged;
    /// Of a living peer that dials us: since when there has been no link.
    std::optional<std::chrono::steady_clock::time_point> missed_since;
    bool missed_told = false;
  };

  mesh_core(caf::actor_system& s, actor_context c, mesh_options o,
            std::shared_ptr<const link::identity> i)
      : sys(s), ctx(std::move(c)), options(std::move(o)), self(std::move(i)) {}

  caf::io::middleman_actor middleman();
  std::string nonce();
  link::channel_options channel(const std::string& peer) const;
  /// The log is known to reach that far.
  void reached(seq_t seq);
  /// How far that is. What the hub found in the store counts as well: after a
  /// start of all nodes nothing may be committed for long.
  seq_t known_head() const;
  void set_head(const std::string& peer, seq_t seq);
  void set_interest(const std::string& peer, bool events);
  void set_round_trip(const std::string& peer, std::chrono::nanoseconds d);
  /// From here on the peer gets what it gets through `life`.
  void up(const std::string& peer, const std::shared_ptr<link_life>& life,
          const caf::actor& link, uint32_t protocol);
  void down(const std::string& peer, const caf::actor& link,
            const std::string& reason, bool refusal);
  /// The peer's `link` is over a connection to our port from `far_end`, which
  /// may not be known yet.
  void came_from(const std::string& peer, const caf::actor& link,
                 std::optional<std::string> far_end);
  /// Where all the links come from that others have made; nothing as long as
  /// that is not known of one of them.
  std::optional<std::set<std::string>> members_at_port();
  /// `peers` are alive and dial this node. Whom TLS turns away never gets to
  /// say its name here: all that can be told of it is that it does not come.
  void await(const std::set<std::string>& peers,
             std::chrono::milliseconds patience);
  /// Lets go of those that have no link and are not among `peers`: they have
  /// left, and are not only away.
  void keep(const std::set<std::string>& peers);
  bool wants(const std::string& peer);
  /// Whether this node appends for others.
  bool is_appender();
  std::string address_of(const std::string& peer);
  /// For the figures.
  void tell_link(const std::string& peer, bool stands);
  /// No file that CAF reads is changed until what it returns is gone; null: now
  /// is not the time.
  std::shared_ptr<void> begin_dial();
  /// One more handshake that somebody else has under way with us, until what
  /// it returns is gone; null: there are too many.
  std::shared_ptr<void> begin_visit();
  /// The actor of this link is gone; `peer`: whom it dialled, if anybody.
  void ended(caf::actor_id id, const link_life* life, std::string peer,
             const caf::error& why);
  /// Has every link that is up run `f` in its actor.
  void each_link(const std::function<void(link_life&)>& f);

  caf::actor_system& sys;
  actor_context ctx;
  mesh_options options;
  std::shared_ptr<const link::identity> self;
  std::atomic<seq_t> head{0};
  std::atomic<int> strangers{0};
  /// Grows under the mutex only.
  std::atomic<int> dialling{0};
  /// Whether anybody reads live events here.
  std::atomic<bool> wants_events{true};

  std::mutex mutex;
  bool closed = false;
  bool swapping = false;
  std::map<std::string, record> records;
  /// Who appends where several nodes write.
  std::string appender;
  /// Those that the figures have something of.
  std::set<std::string> counted;
  /// Why those without a name were refused, and when that was logged.
  std::map<std::string, std::chrono::steady_clock::time_point> strangers_told;
  /// Those to be dialled, with their addresses.
  std::map<std::string, std::string> wanted;
  std::map<std::string, caf::actor> dialers;
  /// Every link's actor, also while it is not up.
  std::map<caf::actor_id, caf::actor> actors;
  caf::actor gate;
  caf::actor prober;
  /// Where links are taken.
  std::string host;
  uint16_t port = 0;
  /// Which gate was published there last.
  caf::actor_addr published;
};

} // namespace eventweft
