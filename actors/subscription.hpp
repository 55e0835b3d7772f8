// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "messages/protocols.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <functional>

namespace eventweft {

struct subscription_options {
  /// One page of catching up.
  uint32_t page_events = 500;
  uint64_t page_bytes = 1ull << 20;
  std::chrono::milliseconds retry_min{100};
  std::chrono::milliseconds retry_max{5'000};
  std::chrono::milliseconds timeout{40'000};
};

/// Who reads what, and what is to be done at its end.
struct subscription_spec {
  subscription_id id = 0;
  reader_request request;
  /// The stream's own.
  filter stream_filter;
  /// Called once when the actor has ended, on any thread. May be empty.
  std::function<void()> on_end;
};

/// Spawns the subscription of one reader: it answers each `next` by having the
/// hub join the reader, or with a page of the log while the reader is too far
/// back for that; the page after that is then read ahead. While the store is
/// away it tries again with growing pauses; on an error that will not pass, or
/// if it dies, it ends the reader, who comes back with its cursor. Exiting it
/// with `user_shutdown` ends it without a word to the reader.
subscription_actor spawn_subscription(caf::actor_system& sys, actor_context ctx,
                                      subscription_options options,
                                      subscription_spec spec);

} // namespace eventweft
