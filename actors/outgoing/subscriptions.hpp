// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/outgoing/delivery_sender.hpp"
#include "actors/streams.hpp"
#include "messages/protocols.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>

namespace eventweft {

struct subscriptions_options {
  delivery_sender_options sender;
  /// Whether anything is delivered at all.
  bool deliver = true;
  /// Which types this program can deliver to.
  std::set<subscription_type> types{subscription_type::webhook};
  uint32_t max_streams = 10'000;
  uint32_t max_subscriptions = 10'000;
  /// How often it is looked whether others have changed something.
  std::chrono::milliseconds poll_interval{10'000};
  std::chrono::milliseconds retry_min{100};
  std::chrono::milliseconds retry_max{10'000};
  std::chrono::milliseconds timeout{40'000};
  /// For what is under way when the program stops.
  std::chrono::milliseconds stop_timeout{5'000};
};

/// Spawns the one who knows all streams and subscriptions: it keeps the
/// catalogue as the store has it, has a sender for each subscription, and
/// changes either in the store first. Until the store has answered once there
/// are the default streams and no senders.
///
/// A sender that dies is started again from what the store has. Asked to end
/// with `user_shutdown`, it first lets every sender finish what is under way.
subscriptions_actor spawn_subscriptions(
    caf::actor_system& sys, actor_context ctx, delivery_tools tools,
    std::shared_ptr<stream_catalogue> catalogue, subscriptions_options options);

} // namespace eventweft
