// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/ownership.hpp"
#include "messages/change_listeners.hpp"
#include "persistence/nodes.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace eventweft {

/// The node that rendezvous hashing chooses for `work`, the same on all nodes
/// that see the same members; empty if there are none. When a member comes or
/// goes, only its own share of the work moves.
std::string chosen_member(const std::string& work,
                          const std::vector<std::string>& members);

struct membership_options {
  /// Its name, incarnation, addresses, versions and what it runs.
  node_record me;
  /// After a crash its work is somebody else's within this time. All others
  /// follow from it: a beat every tenth; a lease in the database for eight
  /// tenths, of which the owner itself uses six by its own clock; silent for
  /// seven tenths counts as dead.
  std::chrono::milliseconds lease{10'000};
  /// Between not working on something any more and giving its lease away when
  /// it moves to another node, so that what is under way gets done.
  std::chrono::milliseconds handover{500};
  /// Work that nobody here has asked for in so long is forgotten.
  std::chrono::milliseconds forget{60'000};

  std::chrono::milliseconds beat() const { return lease / 10; }
  std::chrono::milliseconds ttl() const { return lease * 8 / 10; }
  std::chrono::milliseconds valid() const { return lease * 6 / 10; }
  std::chrono::milliseconds dead_after() const { return lease * 7 / 10; }
};

/// Who is there and who owns what, as this node sees it. `turn` is called by
/// one thread, all others by any; only `turn` and `leave` block.
///
/// - A node owns a piece of work while rendezvous hashing over the living
///   members chooses it *and* it holds the lease in the database. It learns of
///   work by being asked for it. Processors may be known to some nodes only,
///   and other work may be switched off: each says what it runs, and the choice
///   is between those that do.
/// - It counts the lease from before it asked for it, by a clock that goes on
///   while the process is frozen, and stops well before others may take over:
///   a node cut from the database, or frozen, holds nothing any more.
/// - Should a clock go wrong all the same, the fence that every write carries
///   is what the database checks.
class membership final : public ownership {
 public:
  using nanoseconds = std::chrono::nanoseconds;
  /// Monotonic; must go on while the machine sleeps.
  using clock_type = std::function<nanoseconds()>;

  membership(membership_options options, clock_type now,
             std::shared_ptr<metrics> figures, logger_ptr log);

  // -- ownership -------------------------------------------------------------
  std::optional<fence> held(const std::string& work) override;
  std::optional<fence> held_of(const std::string& kind,
                               const std::string& work) override;
  void ended(const std::string& work) override;
  std::shared_ptr<void> on_change(std::function<void()> changed) override;
  std::string holder(const std::string& work) const override;
  /// Whom rendezvous hashing chooses for it by now, of those that run its kind;
  /// empty if nobody does.
  std::string chosen(const std::string& work) const;

  // -- the keeper's thread ---------------------------------------------------

  /// One beat: tells the database that we are there, sees who else is, takes,
  /// renews and gives back. `conflict` if another node has our name.
  expected<void> turn(store_nodes& store);

  /// After a turn that found another node with our name: whether that has gone
  /// on for longer than this node's own last process, had it crashed, would be
  /// taken for alive.
  bool name_taken() const { return name_taken_; }

  /// When `turn` is due again, and what time it is.
  nanoseconds next_turn() const;
  nanoseconds now() const { return now_(); }

  /// Called, on any thread, when a turn is due earlier than it was.
  void on_hurry(std::function<void()> hurry);

  /// Gives everything back: others take over at once.
  expected<void> leave(store_nodes& store);

  // -- the state of things ---------------------------------------------------

  /// From the next turn on this node takes nothing and gives back all it has.
  void drain();
  /// Whether a drain has given back everything.
  bool drained() const;
  bool draining() const;

  /// All nodes seen by the last turn, this one included.
  std::vector<node_record> members() const;
  /// Those of them that are alive and take work.
  std::vector<std::string> workers() const;
  /// What is held right now.
  std::vector<fence> holding() const;
  node_record me() const;
  /// Where it is reached, once that is known.
  void set_addresses(std::string links, std::string http);
  const membership_options& options() const noexcept { return options_; }
  /// Since the last turn that worked.
  nanoseconds since_beat() const;

 private:
  struct item {
    nanoseconds asked{0};
    /// What a node must run to do it; empty: its name says so.
    std::string kind;
    /// 0: the lease is not ours.
    int64_t token = 0;
    nanoseconds valid_until{0};
    /// Set while it moves away: when the lease is given back.
    std::optional<nanoseconds> give_at;
    /// Whether it was held when somebody was told last.
    bool told = false;
  };

  bool valid(const item& i, nanoseconds now) const {
    return i.token != 0 && !i.give_at && now < i.valid_until;
  }
  /// What to say of the other node with our name.
  error of_namesake(store_nodes& store, error e);
  void tell_of(const node_record& n);
  void see(std::vector<node_record> all);
  /// Whether no server without a cluster is at work on the store. Such a one
  /// ends once it sees this node, and no other begins while a node is alive:
  /// looked for until then, and again after a time in which we counted as dead.
  expected<bool> no_lone_server(store_nodes& store);
  expected<void> settle(store_nodes& store);
  /// Of all nodes', once in a while.
  void forget(store_nodes& store);
  /// Those that were asked for lately. Under the lock.
  std::vector<std::string> own_processors() const;
  /// Whom rendezvous hashing chooses. Under the lock.
  std::string chosen_for(const std::string& work) const;
  void note_takeover(const std::string& work);
  void tell_changes();

  membership_options options_;
  clock_type now_;
  std::shared_ptr<metrics> figures_;
  logger_ptr log_;

  mutable std::mutex mutex_;
  std::map<std::string, item> works_;
  std::vector<node_record> members_;
  std::vector<std::string> workers_;
  std::set<std::string> known_;
  bool draining_ = false;
  bool failing_ = false;
  nanoseconds last_beat_{0};
  nanoseconds next_{0};
  /// Of the keeper's thread alone.
  nanoseconds next_forget_{0};
  std::optional<nanoseconds> namesake_since_;
  bool name_taken_ = false;
  bool looked_for_lone_ = false;
  bool waits_for_lone_ = false;
  std::function<void()> hurry_;
  change_listeners listeners_;
};

} // namespace eventweft
