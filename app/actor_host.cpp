// SPDX-License-Identifier: Apache-2.0
#include "app/actor_host.hpp"

#include "actors/asker.hpp"
#include "actors/caf_compat.hpp"
#include "actors/dead_letters.hpp"
#include "actors/platform_worker.hpp"
#include "actors/storage_reader.hpp"
#include "actors/storage_writer.hpp"
#include "actors/store_worker.hpp"
#include "actors/stream_hub.hpp"
#include "actors/supervisor.hpp"
#include "app/bridge.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <thread>
#include <utility>

namespace eventweft {

namespace {

constexpr size_t asker_count = 2;

uint32_t processors() {
  return std::max(std::thread::hardware_concurrency(), 1u);
}

/// Work sharing keeps idle threads on a condition variable: an event is picked
/// up at once. Work stealing, CAF's default, polls and then sleeps for up to
/// 10 ms, which is ten times what a whole webhook may take.
struct host_config : caf::actor_system_config {
  host_config() {
    set("caf.scheduler.policy", "sharing");
    set("caf.scheduler.max-threads",
        static_cast<size_t>(std::clamp(processors(), 2u, 8u)));
  }
};

uint32_t read_worker_count(const config::settings& s) {
  auto connections = std::max(s.database.max_connections, 2u) - 1;
  return std::clamp(connections, 1u, std::max(2u, processors()));
}

storage_writer_options writer_options(const config::settings& s, bool spool) {
  storage_writer_options out;
  out.batch_max_events = std::max(s.store.batch_max_events, 1u);
  out.batch_max_bytes = s.store.batch_max_bytes;
  out.queue_max_events =
      std::max(2 * s.event.queue_maxsize, 2 * s.store.batch_max_events);
  out.retry_min = s.store.retry_min;
  out.retry_max = s.store.retry_max;
  out.store_timeout = s.database.connect_timeout +
                      s.database.statement_timeout + s.database.lock_timeout +
                      std::chrono::seconds{15};
  out.spool = spool;
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

subscription_options reader_options(const config::settings& s) {
  subscription_options out;
  out.page_events = std::max(s.streaming.page_events, 1u);
  out.page_bytes = s.streaming.page_bytes;
  out.retry_min = s.store.retry_min;
  out.retry_max = s.store.retry_max;
  return out;
}

bridge_options bridge_settings(const actor_host_parts& parts) {
  const auto& s = parts.settings;
  bridge_options out;
  out.queue_maxsize = std::max(s.event.queue_maxsize, 1u);
  out.queue_wait = s.event.queue_wait;
  out.streaming = s.event.enable_streaming;
  out.subscriptions = reader_options(s);
  for (const auto& p : parts.platforms)
    out.platforms.emplace(p->name());
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

actor_context make_context(const actor_host_parts& parts) {
  return {std::make_shared<directory>(),
          std::make_shared<status_board>(),
          parts.figures,
          parts.log,
          parts.time,
          parts.random};
}

struct message_types {
  message_types() { init_message_types(); }
};

} // namespace

// The members' order is the order of their making: CAF must know the types
// before its system, and the bridge must go before it.
struct actor_host::state {
  explicit state(actor_host_parts p)
      : parts(std::move(p)),
        ctx(make_context(parts)),
        catalogue(std::make_shared<stream_catalogue>()),
        system(config),
        line(std::make_unique<eventweft::bridge>(
            system, ctx, bridge_settings(parts), catalogue)) {}

  std::vector<child_spec> children();

  message_types types;
  actor_host_parts parts;
  actor_context ctx;
  std::shared_ptr<stream_catalogue> catalogue;
  host_config config;
  caf::actor_system system;
  std::unique_ptr<eventweft::bridge> line;
  supervisor_actor supervisor;
  bool stopped = false;
};

// In an order in which everybody finds whom it asks at its start.
std::vector<child_spec> actor_host::state::children() {
  const auto& s = parts.settings;
  auto& sys = system;
  auto context = ctx;
  auto peers = ctx.peers;
  auto store = parts.store;
  std::vector<child_spec> out;
  out.push_back(child(
      "store_worker", stop_phase::workers,
      [&sys, store] { return spawn_store_worker(sys, store->open_session()); },
      [peers](store_worker_actor h) {
        peers->write_worker.set(std::move(h));
      }));
  auto readers = read_worker_count(s);
  for (size_t i = 0; i < readers; ++i)
    out.push_back(child(
        "store_worker", stop_phase::workers,
        [&sys, store] {
          return spawn_store_worker(sys, store->open_session());
        },
        [peers, i](store_worker_actor h) {
          peers->read_workers.set(i, std::move(h));
        }));
  if (parts.open_spool)
    out.push_back(child(
        "spool_worker", stop_phase::workers,
        [&sys, open = parts.open_spool] {
          return spawn_spool_worker(sys, open());
        },
        [peers](spool_worker_actor h) {
          peers->spool_worker.set(std::move(h));
        }));
  out.push_back(child(
      "storage_reader", stop_phase::readers,
      [&sys, context, readers] {
        storage_reader_options options;
        options.workers = readers;
        return spawn_storage_reader(sys, context, options);
      },
      [peers](storage_reader_actor h) { peers->reader.set(std::move(h)); }));
  out.push_back(child(
      "dead_letters", stop_phase::readers,
      [&sys, context] { return spawn_dead_letters(sys, context, {}); },
      [peers](dead_letters_actor h) {
        peers->dead_letters.set(std::move(h));
      }));
  out.push_back(child(
      "stream_hub", stop_phase::streams,
      [&sys, context, options = hub_options(s), lanes = make_live_lanes()] {
        return spawn_stream_hub(sys, context, options, lanes);
      },
      [peers](stream_hub_actor h) { peers->hub.set(std::move(h)); }));
  out.push_back(child(
      "storage_writer", stop_phase::writer,
      [&sys, context,
       options = writer_options(s, static_cast<bool>(parts.open_spool))] {
        return spawn_storage_writer(sys, context, options);
      },
      [peers](storage_writer_actor h) { peers->writer.set(std::move(h)); }));
  for (const auto& platform : parts.platforms)
    for (size_t i = 0; i < std::max(s.event.max_workers, 1u); ++i)
      out.push_back(child(
          "platform_worker", stop_phase::edges,
          [&sys, context, platform] {
            return spawn_platform_worker(sys, context, platform);
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

actor_host::actor_host(actor_host_parts parts)
    : state_(std::make_unique<state>(std::move(parts))) {
  auto& s = *state_;
  const auto& settings = s.parts.settings.supervisor;
  supervisor_options options;
  options.restart_min = settings.restart_min;
  options.restart_max = settings.restart_max;
  options.max_restarts = settings.max_restarts;
  options.restart_window = settings.restart_window;
  options.escalate = s.parts.escalate;
  options.end_subscriptions = [line = s.line.get()] {
    line->end_subscriptions();
  };
  s.supervisor =
      spawn_supervisor(s.system, s.ctx, std::move(options), s.children());
}

actor_host::~actor_host() {
  if (!state_->stopped)
    stop(std::chrono::seconds{5});
}

net::backend& actor_host::backend() noexcept {
  return *state_->line;
}

stream_catalogue& actor_host::streams() noexcept {
  return *state_->catalogue;
}

directory& actor_host::peers() noexcept {
  return *state_->ctx.peers;
}

void actor_host::refuse() {
  state_->line->refuse();
}

bool actor_host::stop(std::chrono::milliseconds deadline) {
  using namespace std::chrono_literals;
  auto& s = *state_;
  if (std::exchange(s.stopped, true))
    return true;
  auto end = std::chrono::steady_clock::now() + deadline;
  s.line->refuse();
  // What is in flight may take half of the time.
  while (s.line->in_flight() > 0 &&
         std::chrono::steady_clock::now() < end - deadline / 2)
    std::this_thread::sleep_for(5ms);
  auto clean = s.line->in_flight() == 0;
  auto left =
      std::max(1ms, std::chrono::duration_cast<std::chrono::milliseconds>(
                        end - std::chrono::steady_clock::now()));
  {
    caf::scoped_actor self{s.system};
    self->request(s.supervisor, left + 1'000ms, stop_atom_v,
                  static_cast<uint32_t>(left.count()))
        .receive([] {}, [&clean](const caf::error&) { clean = false; });
  }
  s.line->stop();
  s.supervisor = nullptr;
  return clean && std::chrono::steady_clock::now() <= end;
}

} // namespace eventweft
