// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "messages/protocols.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstdint>

namespace eventweft {

struct storage_reader_options {
  /// How many of the directory's `read_workers` there are.
  uint32_t workers = 2;
  /// Requests that may wait; beyond that: `overloaded`.
  uint32_t queue_max = 20'000;
  /// For one request to the store.
  std::chrono::milliseconds timeout{35'000};
};

/// Spawns the actor that all reading goes through: a bounded queue before a
/// few workers. Log pages for readers that catch up queue apart from short
/// questions, and both get their turn, so that neither starves the other. A
/// request whose worker dies is given to another one; reading twice is
/// harmless.
storage_reader_actor spawn_storage_reader(caf::actor_system& sys,
                                          actor_context ctx,
                                          storage_reader_options options);

} // namespace eventweft
