// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/streams.hpp"
#include "actors/subscription.hpp"
#include "messages/outgoing.hpp"
#include "net/backend.hpp"
#include "telemetry/store_figures.hpp"

#include <caf/fwd.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace eventweft {

struct bridge_options {
  /// Webhooks in flight; beyond that senders wait so long, then get
  /// `overloaded`. As many again may wait.
  uint32_t queue_maxsize = 1'000;
  std::chrono::milliseconds queue_wait{2'000};
  /// For one webhook, from its place in the queue to its answer.
  std::chrono::milliseconds accept_timeout{60'000};
  /// For anything else that is asked.
  std::chrono::milliseconds timeout{40'000};
  /// Whether readers are let in.
  bool streaming = true;
  /// Whether the store keeps streams and subscriptions: then it may have some
  /// that this process does not know yet.
  bool keeps_streams = true;
  subscription_options subscriptions;
  /// Whose webhooks are taken.
  std::set<std::string, std::less<>> platforms;
  /// Null: the store has no threads.
  std::shared_ptr<net::threads_port> threads{};
  /// How long the senders of some of them wait, if that is shorter.
  std::map<std::string, std::chrono::milliseconds, std::less<>> answer_within;
  /// How each of the platforms asks for its proof.
  std::map<std::string, std::string, std::less<>> challenges;
  /// Null: this node is no part of a cluster.
  net::cluster_port* cluster = nullptr;
  /// Who may do what; null: everybody may do everything. Outlives the bridge.
  net::access_port* access = nullptr;
  /// Correlation rules; null where there are none. Outlives the bridge.
  net::rules_port* rules = nullptr;
  /// Whose report is part of the metrics; may be null.
  std::shared_ptr<store_figures> stored;
  /// Knows where webhooks may be sent; null: nothing is sent.
  std::shared_ptr<outgoing::poster> poster;
};

class processing_bridge;

/// The HTTP server's line to the actors. Thread-safe; every call returns at
/// once and every reply is called exactly once, also if the asked actor, or
/// the one that asks for us, dies. A webhook whose platform worker died under
/// it is given to another one, once: the store takes it only once.
///
/// Must be told to `stop` before the actor system ends.
class bridge final : public net::backend {
 public:
  bridge(caf::actor_system& sys, actor_context ctx, bridge_options options,
         std::shared_ptr<stream_catalogue> catalogue);
  ~bridge() override;

  bool knows_platform(std::string_view name) const override;
  std::string challenge(std::string_view platform) const override;
  void accept(webhook w, net::reply_to<webhook_answer> reply) override;
  void query(event_query q, net::reply_to<event_page> reply) override;
  void find(uuid id, net::reply_to<std::optional<event_ptr>> reply) override;
  void present_threads(std::vector<uuid> ids,
                       net::reply_to<std::vector<uuid>> reply) override;
  void present_filter(filter f, const filter& forced,
                      net::reply_to<filter> reply) override;
  void
  open_reader(reader_request request,
              net::reply_to<std::shared_ptr<reader_control>> reply) override;
  net::processing_port* processing() override;
  net::threads_port* threads() override { return options_.threads.get(); }
  net::access_port* access() override { return options_.access; }
  net::rules_port* rules() override { return options_.rules; }
  net::subscriptions_port* subscriptions() override;
  net::readiness ready() const override;
  std::string metrics_json() const override;
  std::string metrics_text() const override;
  net::cluster_port* cluster() override { return options_.cluster; }

  net::actors_port* actors() override { return actors_.get(); }
  /// Before anybody asks.
  void set_actors(std::unique_ptr<net::actors_port> port) {
    actors_ = std::move(port);
  }

  /// New webhooks and readers are refused with `shutting_down` from now on;
  /// what is in flight goes on.
  void refuse();
  /// The same for readers, and those that are here are told to go on
  /// elsewhere.
  void send_elsewhere();
  /// How many webhooks are in flight or wait.
  size_t in_flight() const;
  /// Ends all subscriptions.
  void end_subscriptions();
  /// Lets go of the actor system: what is asked after this is refused.
  void stop();

 private:
  actor_context ctx_;
  bridge_options options_;
  std::shared_ptr<stream_catalogue> catalogue_;
  std::atomic<bool> elsewhere_{false};
  std::unique_ptr<net::actors_port> actors_;
  std::shared_ptr<class ingress> ingress_;
  std::shared_ptr<class subscription_registry> subscriptions_;
  std::unique_ptr<processing_bridge> processing_;
  std::unique_ptr<class subscriptions_bridge> streams_;
};

} // namespace eventweft
