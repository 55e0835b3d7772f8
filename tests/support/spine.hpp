// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/asker.hpp"
#include "actors/dead_letters.hpp"
#include "actors/storage_reader.hpp"
#include "actors/storage_writer.hpp"
#include "actors/store_worker.hpp"
#include "actors/stream_hub.hpp"
#include "actors/subscription.hpp"
#include "tests/support/deterministic.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/recording_lane.hpp"

#include <memory>
#include <string>
#include <utility>

namespace eventweft::testing {

/// The actors between a webhook and its readers, on a store in memory. Each
/// test starts those that it needs.
class spine : public deterministic {
 protected:
  std::shared_ptr<memory_log> log = std::make_shared<memory_log>();
  std::shared_ptr<memory_spool_content> spooled =
      std::make_shared<memory_spool_content>();
  std::shared_ptr<live_lanes> lanes = make_live_lanes();
  std::shared_ptr<recording_lane> lane = std::make_shared<recording_lane>();

  void start_write_worker() {
    ctx.peers->write_worker.set(keep(spawn_store_worker(
        system, std::make_unique<memory_session>(log), worker_thread::shared)));
    ctx.peers->sync_worker.set(keep(spawn_store_worker(
        system, std::make_unique<memory_session>(log), worker_thread::shared)));
  }

  void start_reader(storage_reader_options options = {}) {
    options.workers = 1;
    ctx.peers->read_workers.set(
        0,
        keep(spawn_store_worker(system, std::make_unique<memory_session>(log),
                                worker_thread::shared)));
    ctx.peers->reader.set(keep(spawn_storage_reader(system, ctx, options)));
  }

  void start_spool_worker() {
    ctx.peers->spool_worker.set(
        keep(spawn_spool_worker(system, std::make_unique<memory_spool>(spooled),
                                worker_thread::shared)));
  }

  void start_writer(storage_writer_options options = {}) {
    ctx.peers->writer.set(keep(spawn_storage_writer(system, ctx, options)));
  }

  void start_hub(stream_hub_options options = {}) {
    ctx.peers->hub.set(keep(spawn_stream_hub(system, ctx, options, lanes)));
  }

  /// The hub dies; another one takes its place.
  void restart_hub(stream_hub_options options = {}) {
    crash(ctx.peers->hub.get());
    ctx.peers->hub.set({});
    run();
    start_hub(options);
  }

  void start_dead_letters() {
    ctx.peers->dead_letters.set(keep(spawn_dead_letters(system, ctx, {})));
  }

  /// All that an event needs on its way to a reader.
  void start_all(storage_writer_options writer = {},
                 stream_hub_options hub = {}) {
    start_write_worker();
    start_reader();
    if (writer.spool)
      start_spool_worker();
    start_dead_letters();
    start_hub(hub);
    start_writer(writer);
    run();
  }

  std::shared_ptr<asked<append_outcome>> append(event e) {
    return request<append_outcome>(ctx.peers->writer.get(), append_atom_v,
                                   event_ptr{std::move(e)});
  }

  std::shared_ptr<asked<append_outcome>> append(int number) {
    return append(make_event(number));
  }

  /// A subscription for a reader of `lane`.
  subscription_actor subscribe(reader_id id, filter f = {},
                               start_point start = {},
                               subscription_options options = {}) {
    subscription_spec spec;
    spec.id = id;
    spec.request = {id, lane, "all_events", std::move(f), start};
    lane->readers[id];
    return keep(spawn_subscription(system, ctx, options, std::move(spec)));
  }

  /// Asks for what comes next, as a reader does.
  void next(const subscription_actor& s, reader_id id) {
    auto& r = lane->readers[id];
    r.wants_next = false;
    tell_anon(s, next_atom_v, r.epoch, r.cursor);
  }
};

} // namespace eventweft::testing
