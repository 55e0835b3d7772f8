// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "messages/protocols.hpp"
#include "processing/board.hpp"
#include "processing/registry.hpp"
#include "processing/worker_pool.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <memory>

namespace eventweft {

struct processing_engine_options {
  processing::registry_ptr processors;
  /// Where blocking handlers run, and where asynchronous ones are started.
  /// Both outlive the engine and are told to `next_atom` the directory's
  /// engine when they have a free thread.
  std::shared_ptr<processing::runner> workers;
  std::shared_ptr<processing::runner> starters;
  processing::board_options board;
  /// Off: nothing is remembered beyond the process; processors begin at their
  /// start points.
  bool durable = true;
  /// How long what is done may wait to be written.
  std::chrono::milliseconds write_interval{200};
  /// How long what was only read may.
  std::chrono::milliseconds mark_interval{1'000};
  /// Unwritten rows beyond which nothing new is started at low priority; at
  /// twice as many not even what is critical. At least 1.
  size_t max_unwritten = 20'000;
  /// How often ownership is asked for, busy or not: who does not ask does not
  /// want it.
  std::chrono::milliseconds look_interval{20'000};
  std::chrono::milliseconds timeout{60'000};
  std::chrono::milliseconds retry_min{100};
  std::chrono::milliseconds retry_max{5'000};
  /// How long running handlers are waited for at the end, unless whoever asks
  /// for it says how much time there is.
  std::chrono::milliseconds patience{2'000};
};

/// Spawns the engine: it follows the log for each processor that this node
/// owns, hands events to workers as they come free, by priority, and writes
/// what became of them. Workers pull: nothing is queued before a busy one. A
/// handler that throws or takes too long has failed; one that hangs costs its
/// thread, which is replaced. When the engine itself restarts, it goes on from
/// what was written; at most the attempts of the last `write_interval` are
/// made again.
processing_engine_actor
spawn_processing_engine(caf::actor_system& sys, actor_context ctx,
                        processing_engine_options options);

/// Makes `processing_engine_options::workers` and its like.
std::shared_ptr<processing::runner>
make_runner(std::shared_ptr<directory> peers, size_t workers, size_t max_lost);

} // namespace eventweft
