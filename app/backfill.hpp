// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/engine.hpp"
#include "messages/errors.hpp"
#include "messages/time.hpp"
#include "persistence/store.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace eventweft {

struct backfill_progress {
  /// Events that were gone over.
  uint64_t events = 0;
  /// By their numbers, of which retention leaves some without an event: how far
  /// it is, and how far it goes.
  uint64_t done = 0;
  uint64_t total = 0;
  /// Events that got a thread; threads that were joined.
  uint64_t linked = 0;
  uint64_t merges = 0;
  /// By the pace so far.
  std::chrono::seconds left{0};
};

/// How it begins.
struct backfill_start {
  /// The events after this seq are gone over.
  seq_t after = 0;
  /// Where it was left.
  bool resumed = false;
  /// Events up to this seq are none of it: it was begun behind them.
  seq_t left_out = 0;
  /// It was left, but begun with other rules, so it starts over.
  bool other_rules = false;
};

struct backfill_options {
  /// Begins anew at this time; without it, where it was left by the same
  /// rules, else at the first event.
  std::optional<timestamp> since;
  /// How much of the time it works, 0 … 1; it sleeps the rest.
  double share = 0.2;
  uint32_t batch_events = 200;
  uint64_t batch_bytes = 4ull << 20;
  /// Told once, before the first event.
  std::function<void(const backfill_start&)> begun;
  /// Told about once a second.
  std::function<void(const backfill_progress&)> progress;
  /// Whether to stop at the next batch; what is done stays done.
  std::function<bool()> stop;
  /// Sleeps; replaced by tests.
  std::function<void(std::chrono::nanoseconds)> sleep;
};

/// Applies the rules to the events that the store has: keys that are new link
/// their events, as if the rules had been there from the start. Any number of
/// servers may append meanwhile. What is done is noted with each batch, so it
/// may be interrupted at any moment and goes on from there, unless the rules
/// are others by then, which start over. Blocks.
expected<backfill_progress> run_backfill(store& on,
                                         const correlation::engine& rules,
                                         const backfill_options& options);

} // namespace eventweft
