// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/streams.hpp"
#include "messages/outgoing.hpp"
#include "net/ports/subscriptions.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace eventweft {

/// The HTTP server's line to the actor that knows streams and subscriptions.
class subscriptions_bridge final : public net::subscriptions_port {
 public:
  /// `keeps`: whether the store has streams and subscriptions at all. `poster`
  /// may be null.
  subscriptions_bridge(actor_context ctx, std::chrono::milliseconds timeout,
                       std::shared_ptr<stream_catalogue> catalogue, bool keeps,
                       std::shared_ptr<outgoing::poster> poster);

  expected<std::vector<stream_definition>> all_streams() const override;
  void find_stream(std::string name,
                   reply_to<stream_definition> reply) override;
  codec::stream_figures figures_of(const std::string& stream) const override;
  void create_stream(stream_definition stream,
                     reply_to<stream_definition> reply) override;
  void change_stream(std::string name, stream_change change,
                     reply_to<stream_definition> reply) override;
  void delete_stream(std::string name, reply_to<bool> reply) override;
  void list_subscriptions(std::string stream,
                          reply_to<subscription_views> reply) override;
  void find_subscription(std::string stream, uuid id,
                         reply_to<subscription_view> reply) override;
  void create_subscription(new_subscription what,
                           reply_to<subscription_view> reply) override;
  void change_subscription(std::string stream, uuid id,
                           subscription_change change,
                           reply_to<subscription_view> reply) override;
  void delete_subscription(std::string stream, uuid id,
                           reply_to<bool> reply) override;
  void test_subscription(std::string stream, uuid id,
                         reply_to<delivery_test> reply) override;
  void replay_subscription(std::string stream, uuid id, replay_request what,
                           reply_to<replay_answer> reply) override;
  void deliveries(std::string stream, uuid id, uuid before, size_t limit,
                  reply_to<delivery_list> reply) override;

 private:
  template <class R, class... Ts>
  void ask_actor(reply_to<R> reply, Ts... xs) const;
  template <class... Ts>
  void ask_done(reply_to<bool> reply, Ts... xs) const;
  /// False, and `reply` has been told, where the store keeps none of it.
  template <class R>
  bool kept(const reply_to<R>& reply) const;
  /// Whether `url` may be sent to; then `go`, else the error.
  template <class R>
  void checked(const std::string& url, reply_to<R> reply,
               std::function<void()> go) const;

  actor_context ctx_;
  std::chrono::milliseconds timeout_;
  std::shared_ptr<stream_catalogue> catalogue_;
  bool keeps_;
  std::shared_ptr<outgoing::poster> poster_;
};

} // namespace eventweft
