// SPDX-License-Identifier: Apache-2.0
#include "app/cluster_node.hpp"

#include "actors/caf_compat.hpp"
#include "actors/cluster/mesh.hpp"
#include "app/actor_host.hpp"
#include "app/cluster_identity.hpp"
#include "app/cluster_plan.hpp"
#include "app/cluster_ring.hpp"
#include "app/cluster_status.hpp"
#include "app/link_fanout.hpp"
#include "app/node_keeper.hpp"

#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace eventweft {

namespace {

using namespace std::chrono_literals;

/// The work of appending for all where several nodes write, and its kind.
constexpr const char* appends = "appends";

/// Goes on while the process is stopped and while the machine sleeps.
std::chrono::nanoseconds boot_time() {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}

bool known_level(std::string_view level) {
  constexpr std::array levels{"trace", "debug", "info", "warn", "error", "off"};
  return std::ranges::find(levels, level) != levels.end();
}

/// The actors, as long as they may be spoken to.
class actor_line {
 public:
  void set(actor_host* actors) {
    std::lock_guard guard{mutex_};
    actors_ = actors;
  }

  template <class F>
  void with(F f) {
    std::lock_guard guard{mutex_};
    if (actors_)
      f(*actors_);
  }

 private:
  std::mutex mutex_;
  actor_host* actors_ = nullptr;
};

} // namespace

// The members' order is the order of their making: threads go first.
struct cluster_node::state {
  explicit state(cluster_node_parts p) : parts(std::move(p)) {}

  void heard(const store_bell& bell);
  void wake_hub(std::optional<seq_t> reaches);
  void drain();
  /// Whether the store has all that was acknowledged here.
  bool emptied();
  /// After each heartbeat.
  void turned(store_nodes& store);
  expected<void> open_links(actor_host& host);

  cluster_node_parts parts;
  std::string name;
  std::shared_ptr<membership> members;
  std::shared_ptr<control_bus> control = std::make_shared<control_bus>();
  std::shared_ptr<link_fanout> others = std::make_shared<link_fanout>();
  std::shared_ptr<cluster_identity> identity;
  /// Where to take links, if at all.
  std::optional<std::pair<std::string, uint16_t>> address;
  std::string http;
  /// When the certificate's files are looked at again.
  std::chrono::steady_clock::time_point next_look;
  actor_line actors;
  std::atomic<bool> draining{false};
  bool spool_told = false;
  std::shared_ptr<void> carrier;
  std::shared_ptr<void> level;
  std::unique_ptr<node_keeper> keeper;
  std::unique_ptr<bell_listener> listener;
  std::mutex mutex;
  /// As the last heartbeat found them.
  std::vector<lease_record> leases;
  std::condition_variable_any wake;
  std::jthread drainer;
};

void cluster_node::state::wake_hub(std::optional<seq_t> reaches) {
  actors.with([&](actor_host& host) {
    auto hub = host.peers().hub.get();
    if (!hub)
      return;
    if (reaches)
      tell_anon(hub, poll_atom_v, *reaches);
    else
      tell_anon(hub, poll_atom_v);
  });
}

void cluster_node::state::heard(const store_bell& bell) {
  switch (bell.what) {
  case store_bell::kind::connected:
    // Whatever was said while nobody listened.
    wake_hub(std::nullopt);
    control->resync();
    break;
  case store_bell::kind::committed:
    if (bell.from != name)
      wake_hub(bell.seq);
    break;
  case store_bell::kind::rung:
    if (bell.text == general_ring) {
      control->resync();
    } else if (auto rung = read_ring(bell.text); !rung.event) {
      // Of a newer program: something may have changed that is kept here.
      if (rung.node != name)
        control->resync();
    } else if (rung.node != name ||
               rung.event->kind == control_kind::log_level) {
      // A level of ours, too: between it and its bell another node's may have
      // rung, and all nodes are to end with the same one.
      control->deliver(*rung.event);
    }
    break;
  }
}

// The store's id is part of every hello: links are opened once the store
// answers.
void cluster_node::state::turned(store_nodes& store) {
  constexpr auto between_looks = 5s;
  if (auto seen = store.leases()) {
    std::lock_guard guard{mutex};
    leases = std::move(*seen);
  }
  if (address && !others->get())
    actors.with([this](actor_host& host) {
      const auto open = open_links(host);
      if (open || open.error().code == ec::store_unavailable)
        return;
      address.reset();
      parts.fatal(open.error().message);
    });
  const auto links = others->get();
  if (!links)
    return;
  links->see(members->members(), members->options().dead_after());
  if (parts.settings.relay_appends)
    links->set_appender(members->chosen(appends));
  const auto now = std::chrono::steady_clock::now();
  if (!identity || now < next_look)
    return;
  next_look = now + between_looks;
  if (identity->look(*parts.log, system_clock{}.now()))
    links->while_idle([i = identity] { i->swap(); });
}

expected<void> cluster_node::state::open_links(actor_host& host) {
  auto store = parts.store->open_nodes()->store_id();
  if (!store)
    return fail(store.error());
  const auto me = members->me();
  mesh_options options;
  options.me.protocol_min = me.protocol_min;
  options.me.protocol = me.protocol;
  options.me.types = transport_types();
  options.me.node = me.name;
  options.me.incarnation = me.incarnation;
  options.me.store = *store;
  options.tls = identity != nullptr;
  options.window = parts.settings.window_bytes;
  options.reachable = listens_at;
  std::shared_ptr<const link::identity> proof = identity;
  if (!proof)
    proof = std::make_shared<link::no_identity>();
  auto links =
      std::make_shared<mesh>(host.system(), host.context(), host.supervisor(),
                             options, std::move(proof));
  auto port = links->listen(address->first, address->second);
  if (!port) {
    links->close();
    return fail(port.error());
  }
  auto advertised = parts.settings.advertise;
  if (advertised.empty()) {
    const bool v6 = address->first.find(':') != std::string::npos;
    advertised = (v6 ? "[" + address->first + "]" : address->first) + ":" +
                 std::to_string(*port);
  }
  parts.log->info("cluster: taking links at {}{}", advertised,
                  identity ? "" : ", without TLS");
  others->set(std::move(links));
  members->set_addresses(advertised, http_address(http, advertised));
  return {};
}

// Whoever drains a node may throw its disk away.
bool cluster_node::state::emptied() {
  const auto spooled = parts.figures->spooled();
  if (spooled != 0 && !std::exchange(spool_told, true))
    parts.log->warn("cluster: {} events are still in the spool; this node "
                    "has left once the store has them",
                    spooled);
  return spooled == 0 && parts.figures->unanswered() == 0;
}

// Readiness first, so that the load balancer sends nobody new; then what it
// owns; then those who are still here.
void cluster_node::state::drain() {
  if (draining.exchange(true))
    return;
  parts.log->info("cluster: draining: handing over what this node owns");
  actors.with([](actor_host& host) { host.set_draining(); });
  members->drain();
  drainer = std::jthread{[this](const std::stop_token& stop) {
    const auto pause = [this, &stop](std::chrono::milliseconds t) {
      std::unique_lock lock{mutex};
      wake.wait_for(lock, stop, t, [] { return false; });
      return !stop.stop_requested();
    };
    if (!pause(parts.settings.drain_delay))
      return;
    actors.with([](actor_host& host) { host.send_elsewhere(); });
    while (!emptied() || !members->drained())
      if (!pause(50ms))
        return;
    keeper->leave();
    parts.log->info("cluster: drained; this node can be stopped");
  }};
}

cluster_node::cluster_node(std::unique_ptr<state> s) : state_(std::move(s)) {}

cluster_node::~cluster_node() {
  detach();
  auto& s = *state_;
  s.drainer = {};
  s.carrier.reset();
  s.keeper.reset();
}

expected<std::unique_ptr<cluster_node>>
cluster_node::make(cluster_node_parts parts) {
  auto plan = plan_node(parts.settings, *parts.store);
  if (!plan)
    return fail(std::move(plan.error()));
  auto s = std::make_unique<state>(std::move(parts));
  s->name = plan->name;
  s->address = std::move(plan->address);
  s->identity = std::move(plan->identity);
  membership_options options;
  options.me.name = plan->name;
  options.me.incarnation = uuid::v7(system_clock{}.now(), *s->parts.random);
  options.me.protocol_min = link::oldest_protocol;
  options.me.protocol = link::newest_protocol;
  options.me.capabilities = EVENTWEFT_VERSION;
  options.me.runs = s->parts.runs;
  if (s->parts.settings.relay_appends)
    options.me.runs->emplace_back(appends);
  options.lease = s->parts.settings.lease;
  s->members = std::make_shared<membership>(std::move(options), boot_time,
                                            s->parts.figures, s->parts.log);
  return std::unique_ptr<cluster_node>{new cluster_node{std::move(s)}};
}

std::shared_ptr<ownership> cluster_node::owner() const {
  return state_->members;
}

std::shared_ptr<control_bus> cluster_node::control() const {
  return state_->control;
}

std::shared_ptr<fanout> cluster_node::others() const {
  return state_->others;
}

std::function<void(caf::actor_system_config&)>
cluster_node::preparation() const {
  auto& s = *state_;
  if (!s.address)
    return {};
  std::optional<transport_files> tls;
  if (s.identity)
    tls = s.identity->files();
  return [tls](caf::actor_system_config& config) {
    prepare_transport(config, tls);
  };
}

expected<void> cluster_node::start(actor_host& actors,
                                   const std::string& http) {
  auto& s = *state_;
  s.actors.set(&actors);
  s.http = http;
  s.members->set_addresses({}, http);
  node_keeper::hooks hooks;
  hooks.turned = [&s](store_nodes& store) { s.turned(store); };
  hooks.fatal = s.parts.fatal;
  s.keeper = std::make_unique<node_keeper>(
      s.members, s.parts.store->open_nodes(), std::move(hooks), s.parts.log);
  s.carrier = s.control->carry([&s](const control_event& e) {
    s.keeper->ring(ring_text(s.name, e));
    if (const auto links = s.others->get())
      links->announce(e);
  });
  s.level = s.control->subscribe(
      control_kind::log_level, [log = s.parts.log](const control_event& e) {
        if (!known_level(e.what))
          return;
        log->set_level(spdlog::level::from_str(e.what));
        log->log(std::max(log->level(), spdlog::level::info),
                 "cluster: the log level is {} now", e.what);
      });
  s.listener = std::make_unique<bell_listener>(
      s.parts.store->open_listener(),
      [&s](const store_bell& bell) { s.heard(bell); }, s.control->hears_bell(),
      s.parts.random, s.parts.log);
  s.parts.log->info("cluster: this is node {}, incarnation {}", s.name,
                    to_string(s.members->me().incarnation));
  return {};
}

void cluster_node::detach() {
  auto& s = *state_;
  s.listener.reset();
  s.actors.set(nullptr);
  if (const auto links = s.others->get()) {
    s.others->set(nullptr);
    links->close();
  }
}

void cluster_node::leave() {
  if (state_->keeper)
    state_->keeper->leave();
}

void cluster_node::status(reply answer) {
  auto& s = *state_;
  cluster_view view;
  view.me = s.members->me();
  view.draining = s.draining;
  view.left = s.keeper && s.keeper->left();
  view.spooled = s.parts.figures->spooled();
  view.hears = s.control->hears_bell();
  view.dead_after = s.members->options().dead_after();
  view.nodes = s.members->members();
  view.held = s.members->holding();
  view.since_beat = s.members->since_beat();
  {
    std::lock_guard guard{s.mutex};
    view.leases = s.leases;
  }
  if (const auto links = s.others->get()) {
    view.links = links->links();
    view.appender = links->appender();
    view.head = links->head();
  }
  // What other nodes wrote comes by links or, without them, by the database.
  view.head = std::max(view.head, s.parts.figures->head());
  answer(status_json(view));
}

void cluster_node::set_log_level(const std::string& level, reply answer) {
  if (!known_level(level)) {
    answer(fail(ec::unprocessable,
                "a log level is trace, debug, info, warn, error or off"));
    return;
  }
  state_->control->announce({control_kind::log_level, level});
  status(std::move(answer));
}

void cluster_node::drain(reply answer) {
  if (!state_->keeper) {
    answer(fail(ec::shutting_down, "the server starts"));
    return;
  }
  state_->drain();
  status(std::move(answer));
}

} // namespace eventweft
