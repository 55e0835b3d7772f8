// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/outgoing/delivery_board.hpp"
#include "delivery/queue.hpp"
#include "messages/outgoing.hpp"
#include "messages/protocols.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <memory>

namespace eventweft {

struct delivery_sender_options {
  /// What a subscription doesn't say itself comes from here.
  delivery::queue_options queue;
  /// For one request, from its start to the end of the answer.
  std::chrono::milliseconds request_timeout{15'000};
  /// Events kept in memory until they are delivered; what does not fit is read
  /// from the store when its turn comes.
  size_t cached_bytes = 4u << 20;
  /// One piece of the log.
  uint32_t page_events = 200;
  uint64_t page_bytes = 1ull << 20;
  /// How much of an answer is written down.
  size_t kept_answer_bytes = 1'024;
  /// Progress without a delivery is written so often.
  std::chrono::milliseconds idle_save{2'000};
  /// Attempts that are not written down yet; beyond, none is started.
  size_t max_unsaved = 1'000;
  std::chrono::milliseconds retry_min{200};
  std::chrono::milliseconds retry_max{10'000};
  std::chrono::milliseconds store_timeout{60'000};
};

/// The most that a test delivery may take, whatever `request_timeout` is:
/// somebody waits for it.
inline constexpr std::chrono::milliseconds longest_test{30'000};

/// What all senders of a node share. No pointer is null.
struct delivery_tools {
  std::shared_ptr<outgoing::poster> poster;
  std::shared_ptr<delivery_board> board;
};

/// Spawns the sender of one subscription: it follows the log from where the
/// subscription is, has `delivery::delivery_queue` decide what is sent when,
/// and has every attempt written down together with how far it is. Whoever
/// starts after it forgets nothing, and repeats only what ended after the last
/// report: at least once.
///
/// It works only while the subscription is this node's (`ownership`); what it
/// reports carries the fence, and `not_owner` makes it stop at once. What it
/// gives up on stays open until the dead letter is stored.
delivery_sender_actor spawn_delivery_sender(caf::actor_system& sys,
                                            actor_context ctx,
                                            delivery_tools tools,
                                            delivery_sender_options options,
                                            delivery_order order);

} // namespace eventweft
