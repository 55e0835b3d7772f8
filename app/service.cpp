// SPDX-License-Identifier: Apache-2.0
#include "app/service.hpp"

#include "actors/platforms/registry.hpp"
#include "app/access_bridge.hpp"
#include "app/actor_host.hpp"
#include "app/cluster_node.hpp"
#include "app/cluster_plan.hpp"
#include "app/correlation.hpp"
#include "app/delivery_options.hpp"
#include "app/local_platform.hpp"
#include "app/lone_node.hpp"
#include "app/lone_owner.hpp"
#include "app/memory_hooks.hpp"
#include "app/node_work.hpp"
#include "app/poster.hpp"
#include "app/processors.hpp"
#include "app/proofs.hpp"
#include "app/retention.hpp"
#include "app/rules_bridge.hpp"
#include "app/shutdown.hpp"
#include "app/spool_adapter.hpp"
#include "app/store_options.hpp"
#include "app/upkeep.hpp"
#include "config/node_name.hpp"
#include "persistence/auto_migrate.hpp"
#include "persistence/newer_schema.hpp"
#include "persistence/store.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

namespace eventweft {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

store_options options_of(const config::settings& s) {
  auto out = store_options_of(s);
  if (s.cluster.enabled)
    if (auto name = node_name(s.cluster))
      out.node = std::move(*name);
  return out;
}

error start_ended() {
  return {ec::shutting_down,
          "the server was told to end before it had started"};
}

// Another one for each start; people read what is before the slash.
std::string lone_name(const config::cluster_settings& s, const clock& time,
                      random_source& random) {
  return node_name(s).value_or("a server") + '/' +
         to_string(uuid::v7(time.now(), random));
}

} // namespace

// The members' order is the order of their making; the server goes first.
struct service::state {
  config::settings settings;
  logger_ptr log;
  std::shared_ptr<component_logs> logs;
  fatal_handler fatal;
  std::vector<correlation::rule_ptr> own_rules;
  service_options options;
  std::mutex giving_up;
  std::atomic<bool> given_up = false;
  /// Null until it is opened.
  store_ptr store;
  std::shared_ptr<system_clock> time = std::make_shared<system_clock>();
  std::shared_ptr<system_random> random = std::make_shared<system_random>();
  std::shared_ptr<metrics> figures = std::make_shared<metrics>();
  std::unique_ptr<cluster_node> cluster;
  std::shared_ptr<store_figures> stored;
  std::shared_ptr<void> levels_changed;
  std::unique_ptr<upkeep> keeper;
  std::unique_ptr<access_bridge> access;
  std::unique_ptr<rules_bridge> rules;
  std::shared_ptr<net::tls_keeper> tls;
  std::shared_ptr<outgoing::poster> poster;
  std::shared_ptr<processing::registry> processors =
      std::make_shared<processing::registry>();
  std::unique_ptr<actor_host> actors;
  std::unique_ptr<net::server> server;

  void use(store_ptr opened) {
    const std::lock_guard guard{giving_up};
    store = std::move(opened);
    if (store && given_up)
      store->give_up();
  }

  void give_up() {
    const std::lock_guard guard{giving_up};
    given_up = true;
    if (store)
      store->give_up();
  }
};

service::service(config::settings settings, logger_ptr log, fatal_handler fatal,
                 service_options options)
    : state_(std::make_unique<state>()) {
  state_->settings = std::move(settings);
  state_->logs = std::make_shared<component_logs>(log);
  state_->log = std::move(log);
  state_->fatal = std::move(fatal);
  state_->options = std::move(options);
  if (state_->options.processors)
    state_->processors = state_->options.processors;
}

service::~service() = default;

void service::add_correlation_rule(correlation::rule_ptr rule) {
  state_->own_rules.push_back(std::move(rule));
}

expected<net::bound_address> service::start() {
  auto& s = *state_;
  auto policy = retention_of(s.settings);
  if (!policy)
    return fail(policy.error());
  const auto keep_audit = audit_retention_of(s.settings);
  if (!keep_audit)
    return fail(keep_audit.error());
  // What is kept in memory only needs no disk to survive on.
  if (s.settings.store.url.starts_with("memory:"))
    s.settings.store.spool_directory.clear();
  if (auto there = check_store_place(s.settings.store); !there)
    return fail(std::move(there.error()));
  auto storing = options_of(s.settings);
  storing.memory =
      memory_hooks_of(s.processors, s.figures, s.logs->get("dead_letters"));
  auto opened = open_store(storing);
  if (!opened)
    return fail(opened.error());
  const auto store = with_schema_check(*opened, s.settings.store.auto_migrate);
  s.use(store);
  const auto ready =
      s.settings.store.auto_migrate ? store->migrate() : store->check_schema();
  if (s.given_up)
    return fail(start_ended());
  if (!ready) {
    const bool may_come_back = ready.error().code == ec::store_unavailable;
    if (!may_come_back || s.settings.store.spool_directory.empty())
      return fail(ready.error().code,
                  store->describe() + ": " + ready.error().message);
    s.log->warn("{} does not answer ({}); events go to the spool until it does",
                store->describe(), ready.error().message);
  }
  if (ready)
    if (const auto newer = newer_schema(*ready); !newer.empty())
      s.log->info("{}: {}", store->describe(), newer);
  const auto rules = make_rules(
      s.settings, s.own_rules,
      [log = s.logs->get("correlation"), figures = s.figures](
          std::string_view rule, std::string_view what, bool disabled) {
        figures->rule_failed(rule, disabled);
        if (disabled)
          log->error("the correlation rule {} failed again and again ({}); it "
                     "is out of use until it is another one or the server is "
                     "started anew",
                     rule, what);
      });
  if (!rules)
    return fail(rules.error());
  // What can't be read now is looked up when it is needed.
  if (*rules && ready) {
    if (const auto known = learn_facts(*store, *(*rules)->known()); !known)
      s.log->warn("reading what correlation knows failed ({})",
                  to_string(known.error()));
    s.figures->set_vocabulary((*rules)->known()->size());
  }
  auto spools = spool_source::open(s.settings.store, *rules);
  if (!spools)
    return fail(spools.error());
  auto made =
      platforms::make_platforms(s.settings.platforms, *s.time, *s.random,
                                s.settings.event.platforms_directory);
  if (!made)
    return fail(made.error());
  platforms::platform_ptr local;
  if (s.options.local_events) {
    auto made_local =
        make_local_platform(s.settings, *made, *s.time, *s.random);
    if (!made_local)
      return fail(made_local.error());
    local = std::move(*made_local);
  }
  auto delivering = subscriptions_options_of(s.settings);
  if (!delivering)
    return fail(delivering.error());
  delivering->types = deliverable_types();
  auto poster = make_poster(s.settings.webhooks);
  if (!poster)
    return fail(poster.error());
  warn_of_unsigned(s.settings, *s.log);
  tell_of_unproven(s.settings, *s.log);
  if (needs_poster(s.settings)) {
    // One of their own, by the same rules: subscribers that hang must not use
    // up what handlers and alerts are sent with.
    auto own = make_poster(s.settings.webhooks);
    if (!own)
      return fail(own.error());
    s.poster = std::move(*own);
  }
  auto guard = std::make_shared<processing::program_guard>(
      [log = s.logs->get("processing")](const std::string& why) {
        log->warn("{}", why);
      });
  if (auto added = add_configured(*s.processors, s.settings, s.poster, s.time,
                                  std::move(guard));
      !added)
    return fail(added.error());
  // Before anything can come in. Where the store does not answer, the engine
  // asks it once it is back.
  if (ready) {
    if (const auto head = store->open_session()->head())
      s.processors->starts_at(head->seq);
    else
      s.log->warn("the end of the log can't be read ({})",
                  to_string(head.error()));
  }
  auto alert = make_alert(s.settings.dead_letters, s.poster, s.time,
                          s.logs->get("dead_letters"));
  if (!alert)
    return fail(alert.error());
  s.log->info("store: {}", store->describe());

  if (s.settings.cluster.enabled) {
    auto node = cluster_node::make(
        {s.settings.cluster, work_of_node(*delivering, *policy), store,
         s.figures, s.logs->get("cluster"), s.random, s.fatal});
    if (!node)
      return fail(node.error());
    s.cluster = std::move(*node);
    s.levels_changed = s.cluster->control()->subscribe(
        control_kind::log_level, [logs = s.logs](const control_event& e) {
          // Who said so has checked it; nothing is said by an empty one.
          const auto [component, level] = read_log_level(e.what);
          [[maybe_unused]] const auto set = logs->set_level(component, level);
        });
  }
  expected<std::shared_ptr<ownership>> owner;
  if (s.cluster)
    owner = s.cluster->owner();
  else
    owner = own_alone(*store, ready.has_value(),
                      {lone_name(s.settings.cluster, *s.time, *s.random),
                       lone_owner_options{}.pause, s.fatal},
                      s.log);
  if (!owner)
    return fail(std::move(owner.error()));
  if (const auto idle = idle_cluster(s.settings.cluster); !idle.empty())
    s.log->warn("{}", idle);
  access_options guarding;
  guarding.auth = s.settings.auth;
  guarding.limits = s.settings.limits;
  guarding.ingest_proves_itself = events_prove_themselves(s.settings);
  guarding.keep_audit = *keep_audit;
  guarding.share_tickets = s.settings.cluster.enabled;
  s.access = std::make_unique<access_bridge>(
      store, std::move(guarding), *s.time, *s.random, s.logs->get("access"));
  const auto& tls = s.settings.server.tls;
  if (!tls.certificate.empty() || !tls.key.empty() || !tls.client_ca.empty()) {
    auto keeper = net::tls_keeper::open(tls);
    if (!keeper)
      return fail(keeper.error());
    s.tls = std::move(*keeper);
    s.access->at_intervals([keeper = s.tls, log = s.log] {
      const auto taken = keeper->look();
      if (!taken)
        log->error("TLS: the certificate in use stays: {}",
                   taken.error().message);
      else if (*taken)
        log->info("TLS: a new certificate is in use");
    });
  }
  if (auto guarded = s.access->start(); !guarded)
    return fail(guarded.error());

  const auto control =
      s.cluster ? s.cluster->control() : std::make_shared<control_bus>();
  if (*rules) {
    s.rules = std::make_unique<rules_bridge>(rules_bridge_parts{
        store->open_correlation_rules(), *rules, control, s.figures,
        s.logs->get("correlation"), s.settings.store.poll_interval});
    if (ready)
      s.rules->read_first();
    s.rules->start();
  }

  s.stored = std::make_shared<store_figures>(s.settings.telemetry.sample_every);
  upkeep_options keeping;
  keeping.stored = s.stored;
  keeping.retention = std::move(*policy);
  s.keeper = std::make_unique<upkeep>(store, std::move(keeping), s.time,
                                      s.logs->get("upkeep"), *owner);

  actor_host_parts parts;
  parts.settings = s.settings;
  parts.store = store;
  parts.open_spool = std::move(*spools);
  parts.platforms = std::move(*made);
  parts.rules = *rules;
  parts.processors = s.processors;
  parts.alert = std::move(*alert);
  parts.local = std::move(local);
  parts.poster = std::move(*poster);
  parts.subscriptions = std::move(*delivering);
  parts.figures = s.figures;
  parts.stored = s.stored;
  parts.log = s.log;
  parts.logs = s.logs;
  parts.time = s.time;
  parts.random = s.random;
  parts.escalate = s.fatal;
  parts.owner = std::move(*owner);
  if (s.cluster) {
    parts.others = s.cluster->others();
    parts.prepare = s.cluster->preparation();
    parts.cluster = s.cluster.get();
  }
  parts.control = control;
  parts.access = s.access.get();
  parts.rules_port = s.rules.get();
  // A host's own come when the actors are there.
  s.processors->set_complete(false);
  s.actors = std::make_unique<actor_host>(std::move(parts));
  // Streams of the store are there before the first reader asks for one; the
  // part that looks after them reads them again when it comes to it.
  if (auto kept = ready ? store->open_subscriptions() : nullptr) {
    if (auto streams = kept->streams())
      s.actors->streams().replace(std::move(*streams));
    else
      s.log->warn("the streams can't be read ({})", to_string(streams.error()));
  }
  if (s.options.prepared)
    if (auto prepared = s.options.prepared(*s.actors); !prepared) {
      stop();
      return fail(prepared.error());
    }
  expected<net::bound_address> address;
  if (s.given_up) {
    address = fail(start_ended());
  } else if (s.options.http) {
    s.server = std::make_unique<net::server>(
        s.settings.server, s.settings.streaming, s.actors->backend(),
        *s.figures, s.logs->get("http"), *s.time, *s.random);
    if (s.tls)
      s.server->use_tls(s.tls);
    address = s.server->start();
  }
  if (address && s.cluster) {
    const auto http = s.options.http ? net::to_string(*address) : std::string{};
    if (auto joined = s.cluster->start(*s.actors, http); !joined)
      address = fail(joined.error());
  }
  if (!address) {
    if (s.options.undo)
      s.options.undo();
    stop();
    return address;
  }
  s.processors->set_complete(true);
  return address;
}

void service::give_up() {
  state_->give_up();
}

void service::reload() {
  if (state_->access)
    state_->access->refresh();
}

actor_host& service::actors() noexcept {
  return *state_->actors;
}

metrics& service::figures() noexcept {
  return *state_->figures;
}

bool service::stop() {
  auto& s = *state_;
  const auto begin = steady_clock::now();
  const shutdown_plan plan{s.settings.server.shutdown_timeout};
  const auto left = [begin](milliseconds until) {
    return std::max(milliseconds{1}, std::chrono::duration_cast<milliseconds>(
                                         begin + until - steady_clock::now()));
  };
  // Whatever hangs in a call of the store's then ends, however the parts that
  // call it wait for each other.
  const alarm_clock patience{begin + plan.store, [&s] {
                               s.log->warn("the store is waited for no longer");
                               s.give_up();
                             }};
  bool clean = true;
  if (s.cluster)
    s.cluster->detach();
  // Webhooks that are still being read are taken, too: who sent them may not
  // send them again.
  if (s.server)
    clean =
        s.server->stop(left(plan.server), s.cluster ? reader_end::restarting
                                                    : reader_end::going_away);
  // Even when readers had to be cut off, what is acknowledged gets its time.
  if (s.actors)
    clean = s.actors->stop(left(plan.actors)) && clean;
  s.server.reset();
  s.actors.reset();
  s.rules.reset();
  s.access.reset();
  s.poster.reset();
  s.keeper.reset();
  s.levels_changed.reset();
  // Nothing works any more: others may take over at once.
  if (s.cluster)
    s.cluster->leave();
  s.cluster.reset();
  s.use(nullptr);
  return clean && !s.given_up;
}

} // namespace eventweft
