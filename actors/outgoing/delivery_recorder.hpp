// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "messages/protocols.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstddef>

namespace eventweft {

struct delivery_recorder_options {
  /// In one transaction.
  size_t max_reports = 500;
  size_t max_attempts = 2'000;
  /// More that wait are refused (`overloaded`); each sender has one at most.
  size_t queue_max = 20'000;
  std::chrono::milliseconds timeout{60'000};
};

/// Spawns the recorder: what arrives while a transaction is under way goes into
/// the next one, so that a thousand senders cost what a few do.
delivery_recorder_actor
spawn_delivery_recorder(caf::actor_system& sys, actor_context ctx,
                        delivery_recorder_options options);

} // namespace eventweft
