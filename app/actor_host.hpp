// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/dead_letters.hpp"
#include "actors/log_follower.hpp"
#include "actors/outgoing/subscriptions.hpp"
#include "actors/platforms/platform.hpp"
#include "actors/spool_worker.hpp"
#include "actors/streams.hpp"
#include "config/settings.hpp"
#include "messages/outgoing.hpp"
#include "net/backend.hpp"
#include "persistence/store.hpp"
#include "processing/registry.hpp"
#include "processing/worker_pool.hpp"
#include "telemetry/store_figures.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace eventweft {

class access_bridge;

/// What the actors work with. No pointer is null but `open_spool`, `poster`
/// and `access`.
struct actor_host_parts {
  config::settings settings;
  store_ptr store;
  /// Opens the spool anew for each start of its actor; empty: no spool.
  std::function<std::unique_ptr<spool_port>()> open_spool;
  std::vector<platforms::platform_ptr> platforms;
  /// Null: events get no correlation keys.
  std::shared_ptr<const correlation::engine> rules;
  /// The handlers; may be changed while they run. Null: none.
  processing::registry_ptr processors;
  /// Where they run; made by the host if null.
  std::shared_ptr<processing::runner> workers;
  std::shared_ptr<processing::runner> starters;
  /// See `dead_letters_options`.
  dead_letter_alert alert;
  /// Takes in what the host program itself brings; its name is no one's path.
  /// Null: none.
  platforms::platform_ptr local;
  /// What sends to subscriptions; null: nothing is delivered.
  std::shared_ptr<outgoing::poster> poster;
  subscriptions_options subscriptions;
  std::shared_ptr<metrics> figures;
  /// May be null: nothing is sampled, no report is shown.
  std::shared_ptr<store_figures> stored;
  logger_ptr log;
  /// A logger for each part; null: all use `log`.
  std::shared_ptr<component_logs> logs;
  std::shared_ptr<const clock> time;
  std::shared_ptr<random_source> random;
  /// Null: everybody may do everything. Outlives the host.
  access_bridge* access = nullptr;
  /// Shows and changes `rules`; null without these. Outlives the host.
  net::rules_port* rules_port = nullptr;
  /// Called once, on any thread, when actors failed too often: the process
  /// should end with this sentence.
  std::function<void(std::string)> escalate;
  /// With several nodes, the cluster's.
  std::shared_ptr<ownership> owner = std::make_shared<sole_owner>();
  std::shared_ptr<control_bus> control = std::make_shared<control_bus>();
  std::shared_ptr<fanout> others = std::make_shared<no_fanout>();
  /// Called with the actor system's configuration before that is made.
  std::function<void(caf::actor_system_config&)> prepare;
  /// Null: this node is no part of a cluster. Must outlive the host.
  net::cluster_port* cluster = nullptr;
};

/// All actors of the process and what they run on. Made once; its destructor
/// stops what `stop` did not.
class actor_host {
 public:
  /// Starts everything. The store's schema must be there (or be migrated by
  /// the store's own sessions); the store may be away.
  explicit actor_host(actor_host_parts parts);
  ~actor_host();
  actor_host(const actor_host&) = delete;
  actor_host& operator=(const actor_host&) = delete;

  /// The HTTP server's line to the actors; lives as long as this object.
  net::backend& backend() noexcept;

  stream_catalogue& streams() noexcept;

  /// Follows the log from within the process. Must go before this object.
  std::unique_ptr<log_follower> follow(followed_events what, seq_t after,
                                       follower_options options,
                                       log_follower::sink deliver);

  /// Who is where: for diagnosis and for tests that crash somebody.
  directory& peers() noexcept;

  /// Not ready any more, so that nobody new is sent here; all else goes on.
  void set_draining();

  /// New webhooks and readers are refused from now on, and the readers there
  /// are told to go on at another node.
  void send_elsewhere();

  const actor_context& context() const noexcept;
  caf::actor_system& system() noexcept;
  /// Null once stopped.
  const supervisor_actor& supervisor() const noexcept;

  /// Ends everything in order: refuses new webhooks, lets what is in flight be
  /// answered, flushes the writer, ends readers, closes store and spool. True
  /// if all that was done within `deadline`. Blocks; call it once, from a
  /// thread that is no actor's.
  bool stop(std::chrono::milliseconds deadline);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace eventweft
