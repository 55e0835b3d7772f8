// SPDX-License-Identifier: Apache-2.0
// What stands beside the links: the gate, and the prober.
#include "actors/caf_compat.hpp"
#include "actors/cluster/link_actor.hpp"
#include "actors/cluster/port_watch.hpp"

#include <set>
#include <utility>

namespace eventweft {

namespace {

struct gate_state {
  static inline constexpr const char* name = "link_gate";
};

struct prober_state {
  static inline constexpr const char* name = "link_prober";
};

/// A gate that takes the place of another one at the port.
struct succession {
  caf::event_based_actor* self;
  std::shared_ptr<mesh_core> core;
  backoff pauses{core->options.retry_min, core->options.retry_max};
  bool told = false;
};

void succeed(const std::shared_ptr<succession>& s);

void publish(const std::shared_ptr<succession>& s) {
  auto& core = *s->core;
  // Whoever closes the mesh undoes it, so it must be known and on its way.
  std::lock_guard guard{core.mutex};
  if (core.closed)
    return;
  core.published = s->self->address();
  ask(s->self, core.middleman(), connect_limit, caf::publish_atom_v, core.port,
      caf::actor_cast<caf::strong_actor_ptr>(s->self), std::set<std::string>{},
      core.host, reuse_port)
      .then([](uint16_t) {},
            [s](const caf::error& why) {
              auto& all = *s->core;
              if (!std::exchange(s->told, true))
                all.ctx.log->warn("cluster: can't listen on {}:{} again ({}), "
                                  "which is tried until it works",
                                  all.host, all.port, caf::to_string(why));
              run_after(s->self, s->pauses.next(*all.ctx.random),
                        [s] { succeed(s); });
            });
}

void succeed(const std::shared_ptr<succession>& s) {
  auto& core = *s->core;
  caf::actor_addr former;
  {
    std::lock_guard guard{core.mutex};
    former = core.published;
  }
  // An error: it was not published.
  ask(s->self, core.middleman(), connect_limit, caf::unpublish_atom_v, former,
      core.port)
      .then([s] { publish(s); }, [s](const caf::error&) { publish(s); });
}

caf::behavior gate_behavior(caf::stateful_actor<gate_state>* self,
                            const std::shared_ptr<mesh_core>& core,
                            bool succeeds) {
  harden(self);
  if (succeeds)
    succeed(std::make_shared<succession>(succession{self, core}));
  watch_port(self, core);
  return {
      [self, core](const std::string& bytes) {
        const auto from = self->current_sender();
        if (!from)
          return;
        if (const auto visit = core->begin_visit())
          spawn_dialled(core, visit, from, bytes);
      },
      [](local_call& call) { call.run(); },
  };
}

} // namespace

caf::actor spawn_gate(const std::shared_ptr<mesh_core>& core) {
  return core->sys.spawn(gate_behavior, core, false);
}

caf::actor spawn_next_gate(const std::shared_ptr<mesh_core>& core) {
  return core->sys.spawn(gate_behavior, core, true);
}

caf::actor spawn_prober(const std::shared_ptr<mesh_core>& core) {
  const auto prober = [](caf::stateful_actor<prober_state>*,
                         const mesh_options& options) -> caf::behavior {
    return {[reachable = options.reachable](const std::string& host,
                                            uint16_t port) {
      return !reachable || reachable(host, port);
    }};
  };
  return core->sys.spawn<caf::detached>(prober, core->options);
}

} // namespace eventweft
