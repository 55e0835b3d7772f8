// SPDX-License-Identifier: Apache-2.0
#include "actors/cluster/port_watch.hpp"

#include "actors/caf_compat.hpp"
#include "actors/cluster/port_guard.hpp"

#include <caf/io/middleman.hpp>
#include <caf/io/network/multiplexer.hpp>

#include <chrono>
#include <utility>

namespace eventweft {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds between_looks{250};
constexpr std::chrono::minutes between_lines{1};

/// Of one port; touched by CAF's thread only.
struct watched_port {
  port_guard guard;
  std::optional<steady_clock::time_point> told;
};

void look_at(watched_port& port, mesh_core& core) {
  const auto now = steady_clock::now();
  const auto ended =
      port.guard.look(now.time_since_epoch(), core.members_at_port());
  if (ended == 0 || (port.told && now - *port.told < between_lines))
    return;
  port.told = now;
  core.ctx.log->warn("cluster: {} connections to the port of links were ended: "
                     "they did not become a link in time, or were too many",
                     ended);
}

void look_later(caf::event_based_actor* self,
                const std::shared_ptr<mesh_core>& core,
                std::shared_ptr<watched_port> port) {
  run_after(self, between_looks, [self, core, port = std::move(port)] {
    auto watched = port;
    if (!watched) {
      std::lock_guard guard{core->mutex};
      if (core->port != 0)
        watched = std::make_shared<watched_port>(watched_port{
            port_guard{core->port, core->options.limits}, std::nullopt});
    }
    if (watched)
      core->sys.middleman().backend().post(
          [core, watched] { look_at(*watched, *core); });
    look_later(self, core, watched);
  });
}

} // namespace

void watch_port(caf::event_based_actor* self,
                const std::shared_ptr<mesh_core>& core) {
  look_later(self, core, nullptr);
}

} // namespace eventweft
