// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "messages/protocols.hpp"
#include "telemetry/store_figures.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <memory>

namespace eventweft {

struct storage_writer_options {
  /// The most events and payload bytes in one transaction.
  uint32_t batch_max_events = 500;
  uint64_t batch_max_bytes = 8ull << 20;
  /// So many go to the store while it makes others durable; fewer wait for
  /// that, since a transaction costs something by itself.
  uint32_t overtaking_events = 32;
  /// At least so many are handed to the store's worker while it has others in
  /// hand, and three quarters of what those are.
  uint32_t ready_events = 24;
  /// What may wait; beyond that senders get `overloaded`.
  uint32_t queue_max_events = 10'000;
  uint64_t queue_max_bytes = 256ull << 20;
  /// Between attempts to reach a store that is away.
  std::chrono::milliseconds retry_min{100};
  std::chrono::milliseconds retry_max{5'000};
  /// For one transaction of the store, one write of the spool.
  std::chrono::milliseconds store_timeout{60'000};
  /// With a spool: how long senders wait for a store that says nothing.
  std::chrono::milliseconds spool_after{5'000};
  std::chrono::milliseconds spool_timeout{30'000};
  /// How often a store that is not needed is asked whether it is there.
  std::chrono::milliseconds watch_interval{5'000};
  /// Where several nodes write: how long another one appends before it is
  /// tried again without it, and how long not after it failed.
  std::chrono::milliseconds relay_for{60'000};
  std::chrono::milliseconds relay_pause{5'000};
  /// How long it may take for a batch.
  std::chrono::milliseconds relay_timeout{1'000};
  /// Whether there is a spool.
  bool spool = false;
  /// Where samples of how long events took go; may be null.
  std::shared_ptr<store_figures> samples;
};

/// Spawns the one actor that appends to the log.
///
/// - *Group commit*: the store's worker has one batch in hand, the next forms
///   meanwhile; an idle system commits at once. Once it is large enough it is
///   handed over, too, so that the worker has not to wait for this actor.
/// - *Under load* the store may answer before a batch is durable: the next one,
///   if it is large, goes to it while another worker makes that one so.
///   Nobody is told of a batch before it is durable, and of none before those
///   appended earlier.
/// - After a commit it tells the hub what is new, with the thread that each
///   event is in, and the rules what the events taught; then it answers the
///   senders. An
///   event that the store knows under the very id it has here was stored by an
///   attempt of ours whose outcome got lost: not a duplicate.
/// - Where several nodes write at once, their writers wait for each other and
///   read anew what the others changed: one of them appends for all then
///   (`fanout::relay`), and who can't reach it appends by itself, as ever. What
///   it may have appended all the same is found again by its id.
/// - While the store is away, or silent for too long, everything goes to the
///   spool, whose events are stored in order, before anything newer, once the
///   store is back. Without a spool senders get `store_unavailable`.
/// - If it dies, whoever waits for an answer gets an error and may offer the
///   same event again; what was committed without the hub being told, the hub
///   finds by itself. On restart it drains the spool before it takes new ones.
storage_writer_actor spawn_storage_writer(caf::actor_system& sys,
                                          actor_context ctx,
                                          storage_writer_options options);

} // namespace eventweft
