// SPDX-License-Identifier: Apache-2.0
#include "app/actor_host.hpp"

#include "actors/caf_compat.hpp"
#include "actors/log_follower.hpp"
#include "actors/processing_engine.hpp"
#include "actors/supervisor.hpp"
#include "app/access_bridge.hpp"
#include "app/actor_tree.hpp"
#include "app/actors_bridge.hpp"
#include "app/bridge.hpp"
#include "app/hardware.hpp"
#include "app/threads_bridge.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <thread>
#include <utility>

namespace eventweft {

namespace {

/// Work sharing keeps idle threads on a condition variable: an event is picked
/// up at once. Work stealing, CAF's default, polls and then sleeps for up to
/// 10 ms, which is ten times what a whole webhook may take.
struct host_config : caf::actor_system_config {
  explicit host_config(
      const std::function<void(caf::actor_system_config&)>& prepare) {
    if (prepare)
      prepare(*this);
    set("caf.scheduler.policy", "sharing");
    set("caf.scheduler.max-threads",
        static_cast<size_t>(std::clamp(hardware_threads(), 2u, 8u)));
    // CAF counts what waits in mailboxes for those that are listed.
    const std::vector<std::string> everybody{"*"};
#if CAF_MAJOR_VERSION >= 1
    set("caf.metrics.filters.actors.includes", everybody);
#else
    set("caf.metrics-filters.actors.includes", everybody);
#endif
  }
};

subscription_options reader_options(const config::settings& s) {
  subscription_options out;
  out.page_events = std::max(s.streaming.page_events, 1u);
  out.page_bytes = s.streaming.page_bytes;
  out.retry_min = s.store.retry_min;
  out.retry_max = s.store.retry_max;
  return out;
}

bool keeps_streams(const actor_host_parts& parts) {
  return parts.store->open_subscriptions() != nullptr;
}

bridge_options bridge_settings(const actor_host_parts& parts) {
  const auto& s = parts.settings;
  bridge_options out;
  out.queue_maxsize = std::max(s.event.queue_maxsize, 1u);
  out.queue_wait = s.event.queue_wait;
  out.stored = parts.stored;
  out.streaming = s.event.enable_streaming;
  out.keeps_streams = keeps_streams(parts);
  out.subscriptions = reader_options(s);
  out.cluster = parts.cluster;
  if (auto threads = parts.store->open_threads())
    out.threads = std::make_shared<threads_bridge>(std::move(threads));
  out.access = parts.access;
  out.rules = parts.rules_port;
  out.poster = parts.poster;
  for (const auto& p : parts.platforms) {
    out.platforms.emplace(p->name());
    out.challenges.emplace(p->name(), p->challenge());
    if (auto limit = p->answer_within(); limit.count() > 0)
      out.answer_within.emplace(p->name(), limit);
  }
  return out;
}

/// The default streams, and until the store was read whatever it has.
std::shared_ptr<stream_catalogue>
make_catalogue(const actor_host_parts& parts) {
  auto out = std::make_shared<stream_catalogue>();
  if (keeps_streams(parts))
    out->await_store();
  return out;
}

actor_context make_context(const actor_host_parts& parts) {
  actor_context out{std::make_shared<directory>(),
                    std::make_shared<status_board>(),
                    parts.figures,
                    parts.log,
                    parts.time,
                    parts.random,
                    parts.owner,
                    make_follower_lane(),
                    parts.control,
                    parts.others};
  out.rules = parts.rules;
  // Until the storage writer tells more.
  out.status->set("store", health::degraded, "it has not answered yet");
  return out;
}

/// Asynchronous handlers return at once; one that does not must not hold up
/// all others.
constexpr size_t starter_count = 2;

void add_runners(actor_host_parts& parts, const actor_context& ctx) {
  if (!parts.processors)
    parts.processors = std::make_shared<processing::registry>();
  const size_t workers = std::max(parts.settings.event.max_workers, 1u);
  if (!parts.workers)
    parts.workers = make_runner(ctx.peers, workers, workers);
  if (!parts.starters)
    parts.starters = make_runner(ctx.peers, starter_count, starter_count);
}

actor_host_parts with_logs(actor_host_parts parts) {
  if (!parts.logs)
    parts.logs = std::make_shared<component_logs>(parts.log);
  return parts;
}

struct message_types {
  message_types() { init_message_types(); }
};

} // namespace

// The members' order is the order of their making: CAF must know the types
// before its system, and the bridge must go before it.
struct actor_host::state {
  explicit state(actor_host_parts p)
      : parts(with_logs(std::move(p))),
        ctx(make_context(parts)),
        catalogue(make_catalogue(parts)),
        config(parts.prepare),
        system(config),
        line(std::make_unique<eventweft::bridge>(
            system, ctx, bridge_settings(parts), catalogue)) {
    if (parts.access == nullptr)
      return;
    keys_changed = ctx.control->subscribe(
        control_kind::keys, [access = parts.access](const control_event& e) {
          if (const auto id = read_revoked_key(e.what); !id.empty())
            access->revoked(id);
          access->refresh();
        });
    parts.access->on_change(
        [control = ctx.control](const std::string& id, bool revoked) {
          control->announce(
              {control_kind::keys, revoked ? revoked_key_text(id) : id});
        });
  }
  ~state() {
    if (parts.access != nullptr)
      parts.access->on_change(nullptr);
  }

  message_types types;
  actor_host_parts parts;
  actor_context ctx;
  std::shared_ptr<stream_catalogue> catalogue;
  host_config config;
  caf::actor_system system;
  std::unique_ptr<eventweft::bridge> line;
  std::shared_ptr<void> keys_changed;
  std::shared_ptr<actor_board> board;
  supervisor_actor supervisor;
  bool stopped = false;
};

actor_host::actor_host(actor_host_parts parts) {
  no_logger_left on_this_thread;
  state_ = std::make_unique<state>(std::move(parts));
  auto& s = *state_;
  add_runners(s.parts, s.ctx);
  const auto& settings = s.parts.settings.supervisor;
  queue_limits limits;
  limits.ingest = std::max(s.parts.settings.event.queue_maxsize, 1u);
  limits.writer = writer_queue_limit(s.parts.settings);
  s.board = std::make_shared<actor_board>();
  s.line->set_actors(std::make_unique<actors_bridge>(
      s.system, s.board, s.parts.logs, s.parts.figures, limits, s.ctx.control));
  supervisor_options options;
  options.board = s.board;
  options.restart_min = settings.restart_min;
  options.restart_max = settings.restart_max;
  options.max_restarts = settings.max_restarts;
  options.restart_window = settings.restart_window;
  options.escalate = s.parts.escalate;
  options.end_subscriptions = [line = s.line.get()] {
    line->end_subscriptions();
  };
  auto supervised = s.ctx;
  supervised.log = s.parts.logs->get("supervisor");
  s.supervisor = spawn_supervisor(
      s.system, supervised, std::move(options),
      actor_tree(s.system, s.ctx, s.parts, worker_thread::own, s.catalogue));
  // Whoever asks the bridge from now on finds everybody in place.
  caf::scoped_actor self{s.system};
  self->request(s.supervisor, caf::infinite, ready_atom_v)
      .receive([] {}, [](const caf::error&) {});
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

std::unique_ptr<log_follower> actor_host::follow(followed_events what,
                                                 seq_t after,
                                                 follower_options options,
                                                 log_follower::sink deliver) {
  return std::make_unique<log_follower>(state_->system, state_->ctx,
                                        std::move(what), after,
                                        std::move(options), std::move(deliver));
}

directory& actor_host::peers() noexcept {
  return *state_->ctx.peers;
}

void actor_host::set_draining() {
  state_->ctx.status->set("cluster", health::down,
                          "this node is being drained");
}

void actor_host::send_elsewhere() {
  state_->line->send_elsewhere();
}

const actor_context& actor_host::context() const noexcept {
  return state_->ctx;
}

caf::actor_system& actor_host::system() noexcept {
  return state_->system;
}

const supervisor_actor& actor_host::supervisor() const noexcept {
  return state_->supervisor;
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
    no_logger_left on_this_thread;
    caf::scoped_actor self{s.system};
    self->request(s.supervisor, left + 1'000ms, stop_atom_v,
                  static_cast<uint32_t>(left.count()))
        .receive([] {}, [&clean](const caf::error&) { clean = false; });
  }
  s.line->stop();
  s.supervisor = nullptr;
  s.parts.poster = nullptr;
  return clean && std::chrono::steady_clock::now() <= end;
}

} // namespace eventweft
