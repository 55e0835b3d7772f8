// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "codec/subscription_json.hpp"
#include "messages/errors.hpp"
#include "messages/subscription.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace eventweft::net {

/// What the HTTP server needs for streams and the subscriptions to them. Every
/// call is thread-safe and returns at once; every reply is called exactly
/// once, on any thread.
class subscriptions_port {
 public:
  template <class T>
  using reply_to = std::function<void(expected<T>)>;

  virtual ~subscriptions_port() = default;

  /// By name. An error that passes until the store's have been read.
  virtual expected<std::vector<stream_definition>> all_streams() const = 0;
  /// `not_found` when it is sure that there is none of that name, whoever made
  /// it at whichever node.
  virtual void find_stream(std::string name,
                           reply_to<stream_definition> reply) = 0;
  /// What it is doing on this node.
  virtual codec::stream_figures figures_of(const std::string& stream) const = 0;

  virtual void create_stream(stream_definition stream,
                             reply_to<stream_definition> reply) = 0;
  virtual void change_stream(std::string name, stream_change change,
                             reply_to<stream_definition> reply) = 0;
  virtual void delete_stream(std::string name, reply_to<bool> reply) = 0;

  virtual void list_subscriptions(std::string stream,
                                  reply_to<subscription_views> reply) = 0;
  virtual void find_subscription(std::string stream, uuid id,
                                 reply_to<subscription_view> reply) = 0;
  /// `unprocessable` if the URL leads where nothing may be sent.
  virtual void create_subscription(new_subscription what,
                                   reply_to<subscription_view> reply) = 0;
  virtual void change_subscription(std::string stream, uuid id,
                                   subscription_change change,
                                   reply_to<subscription_view> reply) = 0;
  virtual void delete_subscription(std::string stream, uuid id,
                                   reply_to<bool> reply) = 0;
  virtual void test_subscription(std::string stream, uuid id,
                                 reply_to<delivery_test> reply) = 0;
  virtual void replay_subscription(std::string stream, uuid id,
                                   replay_request what,
                                   reply_to<replay_answer> reply) = 0;
  virtual void deliveries(std::string stream, uuid id, uuid before,
                          size_t limit, reply_to<delivery_list> reply) = 0;
};

} // namespace eventweft::net
