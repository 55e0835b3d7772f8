// SPDX-License-Identifier: Apache-2.0
#include "actors/cluster/mesh.hpp"

#include "actors/caf_compat.hpp"
#include "actors/cluster/link_actor.hpp"
#include "actors/cluster/mesh_core.hpp"
#include "actors/supervisor.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/multiplexer.hpp>
#include <caf/io/publish.hpp>
#include <caf/openssl/manager.hpp>
#include <caf/openssl/publish.hpp>

#include <charconv>
#include <set>
#include <utility>
#include <vector>

namespace eventweft {

using namespace std::chrono_literals;

void prepare_transport(caf::actor_system_config& config,
                       const std::optional<transport_files>& tls) {
  // Once in a process; CAF does not look itself.
  static const bool known = [] {
    caf::io::middleman::init_global_meta_objects();
    caf::openssl::manager::init_global_meta_objects();
    return true;
  }();
  static_cast<void>(known);
  if (tls) {
    config.load<caf::io::middleman>();
    config.load<caf::openssl::manager>();
#if CAF_MAJOR_VERSION >= 1
    config.set("caf.openssl.certificate", tls->certificate);
    config.set("caf.openssl.key", tls->key);
    config.set("caf.openssl.cafile", tls->authority);
#else
    config.openssl_certificate = tls->certificate;
    config.openssl_key = tls->key;
    config.openssl_cafile = tls->authority;
#endif
  } else {
    config.load<caf::io::middleman>();
  }
  // It would open a further port, without TLS.
  config.set("caf.middleman.enable-automatic-connections", false);
  // Ours are on the links. CAF's see to it that what is left of a connection
  // whose peer is gone makes room for a new one. A tick also ends a
  // connection that is just being made, so it must be rare.
  config.set("caf.middleman.heartbeat-interval", caf::timespan{2s});
  config.set("caf.middleman.connection-timeout", caf::timespan{6s});
}

uint64_t transport_types() {
  uint64_t h = 0xcbf29ce484222325ull;
  const auto add = [&h](std::string_view text) {
    for (const char c : text) {
      h ^= static_cast<unsigned char>(c);
      h *= 0x100000001b3ull;
    }
  };
  add("eventweft link 1");
  for (caf::type_id_t id = 0; id < caf::first_custom_type_id; ++id) {
    const auto name = caf::query_type_name(id);
    add({name.data(), name.size()});
    add({"\0", 1});
  }
  return h;
}

std::optional<std::pair<std::string, uint16_t>>
split_address(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos)
    return std::nullopt;
  auto host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  uint16_t port = 0;
  const auto* end = address.data() + address.size();
  const auto [at, bad] = std::from_chars(address.data() + colon + 1, end, port);
  if (bad != std::errc{} || at != end || host.empty())
    return std::nullopt;
  return std::pair{std::move(host), port};
}

namespace {

using spawn_part = caf::actor (*)(const std::shared_ptr<mesh_core>&);

/// One of the mesh's own actors, as the supervisor keeps it: in `place`, until
/// the mesh is closed.
child_spec_ptr make_part(const char* name,
                         const std::shared_ptr<mesh_core>& core,
                         caf::actor mesh_core::*place, spawn_part spawn) {
  auto out = std::make_shared<child_spec>();
  out->name = name;
  out->phase = stop_phase::edges;
  out->start = [core, place, spawn] {
    {
      // The first one may be there.
      std::lock_guard guard{core->mutex};
      if (auto& there = (*core).*place)
        return there;
    }
    auto made = spawn(core);
    std::lock_guard guard{core->mutex};
    if (core->closed)
      end_actor(made, caf::exit_reason::kill);
    else
      (*core).*place = made;
    return made;
  };
  out->gone = [core, place] {
    std::lock_guard guard{core->mutex};
    (*core).*place = nullptr;
  };
  out->wanted = [core] {
    std::lock_guard guard{core->mutex};
    return !core->closed;
  };
  return out;
}

} // namespace

mesh::mesh(caf::actor_system& sys, actor_context ctx,
           supervisor_actor supervisor, mesh_options options,
           std::shared_ptr<const link::identity> self)
    : core_(std::make_shared<mesh_core>(sys, std::move(ctx), std::move(options),
                                        std::move(self))),
      supervisor_(std::move(supervisor)) {
  tell_anon(supervisor_, put_atom_v,
            make_part("link_prober", core_, &mesh_core::prober, spawn_prober));
}

mesh::~mesh() {
  close();
}

expected<uint16_t> mesh::listen(const std::string& host, uint16_t port) {
  no_logger_left on_this_thread;
  auto gate = spawn_gate(core_);
  auto bound = core_->options.tls
                   ? caf::openssl::publish(gate, port, host.c_str(), reuse_port)
                   : caf::io::publish(gate, port, host.c_str(), reuse_port);
  if (!bound) {
    end_actor(gate, caf::exit_reason::kill);
    return fail(ec::bad_configuration, "[cluster] listen: can't listen on " +
                                           host + ":" + std::to_string(port) +
                                           " (" + to_string(bound.error()) +
                                           ")");
  }
  {
    std::lock_guard guard{core_->mutex};
    core_->published = gate.address();
    core_->gate = std::move(gate);
    core_->host = host;
    core_->port = *bound;
  }
  tell_anon(supervisor_, put_atom_v,
            make_part("link_gate", core_, &mesh_core::gate, spawn_next_gate));
  return *bound;
}

void mesh::see(const std::vector<node_record>& members,
               std::chrono::milliseconds dead_after) {
  std::vector<std::string> missing;
  std::set<std::string> awaited;
  std::set<std::string> staying;
  {
    std::lock_guard guard{core_->mutex};
    if (core_->closed)
      return;
    core_->wanted.clear();
    for (const auto& n : members) {
      if (n.state != node_state::left)
        staying.insert(n.name);
      if (!n.alive(dead_after) || n.address.empty() ||
          core_->options.me.node == n.name)
        continue;
      if (n.name < core_->options.me.node) {
        awaited.insert(n.name);
        continue;
      }
      core_->wanted.emplace(n.name, n.address);
      if (!core_->dialers.contains(n.name)) {
        core_->dialers.emplace(n.name, caf::actor{});
        missing.push_back(n.name);
      }
    }
  }
  core_->await(awaited, dead_after);
  core_->keep(staying);
  if (missing.empty())
    return;
  no_logger_left on_this_thread;
  for (const auto& peer : missing) {
    auto dialer = spawn_dialer(core_, peer);
    std::lock_guard guard{core_->mutex};
    core_->dialers[peer] = std::move(dialer);
  }
}

void mesh::committed(const log_range_ptr& range) {
  core_->reached(range->last);
  core_->each_link([range](link_life& life) { life.give(range); });
}

void mesh::replied(const uuid& event,
                   const std::optional<processing::reply>& r) {
  core_->each_link([item = link::reply_item{event, r}](link_life& life) {
    life.give(item);
  });
}

bool mesh::hears_replies() const {
  std::lock_guard guard{core_->mutex};
  return std::ranges::any_of(core_->records, [](const auto& entry) {
    return entry.second.link && entry.second.protocol >= link::replies_protocol;
  });
}

void mesh::wants_events(bool wanted) {
  core_->wants_events = wanted;
  // As it is when they get there: what was said last counts.
  core_->each_link([](link_life& life) { life.tell_interest(); });
}

std::optional<append_relay> mesh::relay() const {
  std::lock_guard guard{core_->mutex};
  const auto r = core_->records.find(core_->appender);
  if (r == core_->records.end() || !r->second.link ||
      r->second.protocol < link::relay_protocol)
    return std::nullopt;
  return append_relay{r->first, r->second.link};
}

void mesh::set_appender(const std::string& node) {
  std::lock_guard guard{core_->mutex};
  core_->appender = node;
}

std::string mesh::appender() const {
  std::lock_guard guard{core_->mutex};
  return core_->appender;
}

void mesh::announce(const control_event& e) {
  core_->each_link([e](link_life& life) { life.give(e); });
}

bool mesh::while_idle(std::function<void()> swap) {
  {
    std::lock_guard guard{core_->mutex};
    if (core_->closed || core_->swapping || core_->dialling != 0)
      return false;
    core_->swapping = true;
  }
  // Those who dial us are served on that thread.
  core_->sys.middleman().backend().post([core = core_, swap = std::move(swap)] {
    swap();
    std::lock_guard guard{core->mutex};
    core->swapping = false;
  });
  return true;
}

std::vector<link_view> mesh::links() const {
  std::lock_guard guard{core_->mutex};
  std::vector<link_view> out;
  for (const auto& [peer, r] : core_->records)
    out.push_back({peer, r.state, r.round_trip, r.head, r.gets_events});
  return out;
}

seq_t mesh::head() const {
  return core_->known_head();
}

void mesh::close() {
  std::vector<std::pair<caf::actor, std::shared_ptr<link_life>>> all;
  std::vector<caf::actor> idle;
  caf::actor gate, prober;
  caf::actor_addr published;
  uint16_t port = 0;
  {
    std::lock_guard guard{core_->mutex};
    if (std::exchange(core_->closed, true))
      return;
    for (const auto& [peer, r] : core_->records)
      if (r.link) {
        all.emplace_back(r.link, r.life);
        core_->actors.erase(r.link.id());
      }
    for (const auto& [id, actor] : core_->actors)
      idle.push_back(actor);
    core_->wanted.clear();
    gate = std::exchange(core_->gate, nullptr);
    prober = std::exchange(core_->prober, nullptr);
    published = core_->published;
    port = core_->port;
  }
  for (auto& [actor, life] : all)
    order(actor, [life = life] { life->end("the node stops"); });
  if (published)
    tell_anon(core_->middleman(), caf::unpublish_atom_v, published, port);
  // Hardened against exits; "kill" is what can't be ignored.
  for (const auto& actor : idle)
    end_actor(actor, caf::exit_reason::kill);
  if (gate)
    end_actor(gate, caf::exit_reason::kill);
  if (prober)
    end_actor(prober, caf::exit_reason::user_shutdown);
}

} // namespace eventweft
