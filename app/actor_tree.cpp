// SPDX-License-Identifier: Apache-2.0
#include "app/actor_tree.hpp"

#include "actors/asker.hpp"
#include "actors/dead_letters.hpp"
#include "actors/outgoing/delivery_recorder.hpp"
#include "actors/outgoing/subscription_worker.hpp"
#include "actors/outgoing/subscriptions.hpp"
#include "actors/platform_worker.hpp"
#include "actors/processing_engine.hpp"
#include "actors/processing_journal.hpp"
#include "actors/storage_reader.hpp"
#include "actors/storage_writer.hpp"
#include "actors/store_worker.hpp"
#include "actors/stream_hub.hpp"
#include "app/hardware.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace eventweft {

namespace {

constexpr size_t asker_count = 2;

uint32_t read_worker_count(const config::settings& s) {
  auto connections = std::max(s.database.max_connections, 2u) - 1;
  return std::clamp(connections, 1u, std::max(2u, hardware_threads()));
}

storage_writer_options writer_options(const config::settings& s, bool spool,
                                      std::shared_ptr<store_figures> samples) {
  storage_writer_options out;
  out.samples = std::move(samples);
  out.batch_max_events = std::max(s.store.batch_max_events, 1u);
  out.batch_max_bytes = s.store.batch_max_bytes;
  out.queue_max_events = static_cast<uint32_t>(writer_queue_limit(s));
  out.retry_min = s.store.retry_min;
  out.retry_max = s.store.retry_max;
  out.store_timeout = s.database.connect_timeout +
                      s.database.statement_timeout + s.database.lock_timeout +
                      std::chrono::seconds{15};
  out.spool = spool;
  out.spool_after = s.store.spool_after;
  return out;
}

stream_hub_options hub_options(const config::settings& s) {
  stream_hub_options out;
  out.ring_events = std::max(s.streaming.ring_events, 1u);
  out.ring_bytes = s.streaming.ring_bytes;
  // A live reader must be able to take what may be on its way to it.
  out.batch_bytes =
      std::clamp<uint64_t>(s.streaming.reader_buffer_bytes / (2 * lane_window),
                           16u << 10, 256u << 10);
  out.page_events = std::max(s.streaming.page_events, 1u);
  out.page_bytes = s.streaming.page_bytes;
  out.poll_interval = s.store.poll_interval;
  out.retry_min = s.store.retry_min;
  out.retry_max = s.store.retry_max;
  return out;
}

processing_engine_options engine_options(const actor_host_parts& parts,
                                         bool durable) {
  const auto& s = parts.settings;
  processing_engine_options out;
  out.processors = parts.processors;
  out.workers = parts.workers;
  out.starters = parts.starters;
  out.durable = durable;
  out.board.workers = std::max(s.event.max_workers, 1u);
  out.board.max_unfinished = std::max<size_t>(s.event.queue_maxsize, 16);
  out.retry_min = s.store.retry_min;
  out.retry_max = s.store.retry_max;
  return out;
}

/// Makes a child whose handle lives in one place of the directory.
template <class Spawn, class Put>
child_spec child(std::string name, stop_phase phase, Spawn spawn, Put put) {
  child_spec out;
  out.name = std::move(name);
  out.phase = phase;
  out.start = [spawn, put] {
    auto handle = spawn();
    put(handle);
    return caf::actor_cast<caf::actor>(handle);
  };
  out.gone = [put] { put({}); };
  return out;
}

/// With a logger of its own.
actor_context for_part(const actor_host_parts& parts, actor_context context,
                       std::string_view name) {
  if (parts.logs)
    context.log = parts.logs->get(name);
  return context;
}

/// Streams, subscriptions and their senders.
void add_subscriptions(caf::actor_system& sys, const actor_context& context,
                       const actor_host_parts& parts,
                       std::shared_ptr<stream_catalogue> streams,
                       worker_thread where, std::vector<child_spec>& out) {
  // A store that keeps none of it.
  if (!streams || !parts.store->open_subscriptions())
    return;
  auto peers = context.peers;
  out.push_back(child(
      "subscription_worker", stop_phase::workers,
      [&sys, store = parts.store, where] {
        return spawn_subscription_worker(sys, store->open_subscriptions(),
                                         where);
      },
      [peers](subscription_worker_actor h) {
        peers->subscription_worker.set(std::move(h));
      }));
  out.push_back(child(
      "delivery_recorder", stop_phase::readers,
      [&sys, context] { return spawn_delivery_recorder(sys, context, {}); },
      [peers](delivery_recorder_actor h) {
        peers->delivery_recorder.set(std::move(h));
      }));
  auto options = parts.subscriptions;
  options.deliver = options.deliver && parts.poster;
  delivery_tools tools{parts.poster, std::make_shared<delivery_board>()};
  out.push_back(child(
      "subscriptions", stop_phase::writer,
      [&sys, context, tools, streams, options] {
        return spawn_subscriptions(sys, context, tools, streams, options);
      },
      [peers](subscriptions_actor h) {
        peers->set_letter_taker("subscription",
                                h ? caf::actor_cast<letter_taker_actor>(h)
                                  : letter_taker_actor{});
        peers->subscriptions.set(std::move(h));
      }));
}

} // namespace

uint64_t writer_queue_limit(const config::settings& s) {
  return std::max(2 * s.event.queue_maxsize, 2 * s.store.batch_max_events);
}

// In an order in which everybody finds whom it asks at its start.
std::vector<child_spec> actor_tree(caf::actor_system& sys,
                                   const actor_context& context,
                                   const actor_host_parts& parts,
                                   worker_thread where,
                                   std::shared_ptr<stream_catalogue> streams) {
  const auto& s = parts.settings;
  const auto named = [&](std::string_view name) {
    return for_part(parts, context, name);
  };
  auto peers = context.peers;
  auto store = parts.store;
  std::vector<child_spec> out;
  out.push_back(child(
      "store_worker:writes", stop_phase::workers,
      [&sys, store, where] {
        return spawn_store_worker(sys, store->open_session(), where);
      },
      [peers](store_worker_actor h) {
        peers->write_worker.set(std::move(h));
      }));
  out.push_back(child(
      "store_worker:syncs", stop_phase::workers,
      [&sys, store, where] {
        return spawn_store_worker(sys, store->open_session(), where);
      },
      [peers](store_worker_actor h) { peers->sync_worker.set(std::move(h)); }));
  auto readers = read_worker_count(s);
  for (size_t i = 0; i < readers; ++i)
    out.push_back(child(
        "store_worker:reads", stop_phase::workers,
        [&sys, store, where] {
          return spawn_store_worker(sys, store->open_session(), where);
        },
        [peers, i](store_worker_actor h) {
          peers->read_workers.set(i, std::move(h));
        }));
  if (parts.open_spool)
    out.push_back(child(
        "spool_worker", stop_phase::workers,
        [&sys, open = parts.open_spool, where] {
          return spawn_spool_worker(sys, open(), where);
        },
        [peers](spool_worker_actor h) {
          peers->spool_worker.set(std::move(h));
        }));
  out.push_back(child(
      "storage_reader", stop_phase::readers,
      [&sys, context = named("storage_reader"), readers] {
        storage_reader_options options;
        options.workers = readers;
        return spawn_storage_reader(sys, context, options);
      },
      [peers](storage_reader_actor h) { peers->reader.set(std::move(h)); }));
  out.push_back(child(
      "dead_letters", stop_phase::readers,
      [&sys, context = named("dead_letters"), alert = parts.alert,
       window = s.dead_letters.alert_window] {
        dead_letters_options options;
        options.alert = alert;
        options.alert_window = window;
        return spawn_dead_letters(sys, context, options);
      },
      [peers](dead_letters_actor h) {
        peers->dead_letters.set(std::move(h));
      }));
  out.push_back(child(
      "stream_hub", stop_phase::streams,
      [&sys, context = named("stream_hub"), options = hub_options(s),
       lanes = make_live_lanes()] {
        return spawn_stream_hub(sys, context, options, lanes);
      },
      [peers](stream_hub_actor h) { peers->hub.set(std::move(h)); }));
  add_subscriptions(sys, named("subscriptions"), parts, std::move(streams),
                    where, out);
  out.push_back(child(
      "storage_writer", stop_phase::writer,
      [&sys, context = named("storage_writer"),
       options = writer_options(s, static_cast<bool>(parts.open_spool),
                                parts.stored)] {
        return spawn_storage_writer(sys, context, options);
      },
      [peers](storage_writer_actor h) { peers->writer.set(std::move(h)); }));
  if (parts.processors) {
    const bool durable = store->open_processing() != nullptr;
    if (durable)
      out.push_back(child(
          "processing_journal", stop_phase::workers,
          [&sys, store, where] {
            return spawn_processing_journal(sys, store->open_processing(),
                                            where);
          },
          [peers](processing_journal_actor h) {
            peers->journal.set(std::move(h));
          }));
    out.push_back(child(
        "processing_engine", stop_phase::processors,
        [&sys, context = named("processing_engine"),
         options = engine_options(parts, durable)] {
          return spawn_processing_engine(sys, context, options);
        },
        [peers](processing_engine_actor h) {
          peers->set_letter_taker("processor", h);
          peers->engine.set(std::move(h));
        }));
  }
  auto platforms = parts.platforms;
  if (parts.local)
    platforms.push_back(parts.local);
  for (const auto& platform : platforms)
    for (size_t i = 0; i < std::max(s.event.max_workers, 1u); ++i)
      out.push_back(child(
          "platform_worker:" + std::string{platform->name()}, stop_phase::edges,
          [&sys, context = named("platform_worker"), platform,
           processors = parts.processors] {
            return spawn_platform_worker(sys, context, platform, processors);
          },
          [peers, i, name = std::string{platform->name()}](platform_actor h) {
            peers->set_platform(name, i, std::move(h));
          }));
  for (size_t i = 0; i < asker_count; ++i)
    out.push_back(child(
        "asker", stop_phase::readers, [&sys] { return spawn_asker(sys); },
        [peers, i](asker_actor h) { peers->askers.set(i, std::move(h)); }));
  return out;
}

} // namespace eventweft
