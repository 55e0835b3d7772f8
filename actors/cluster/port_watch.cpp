// SPDX-License-Identifier: Apache-2.0
#include "actors/cluster/port_watch.hpp"

#include "actors/caf_compat.hpp"
#include "actors/cluster/port_guard.hpp"

#include <caf/io/middleman.hpp>
#include <caf/io/network/multiplexer.hpp>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds between_looks{250};
constexpr std::chrono::minutes between_lines{1};

struct watched_port {
  port_guard guard;
  /// CAF's thread's.
  std::optional<steady_clock::time_point> told;
};

void end_all(watched_port& port, mesh_core& core,
             const std::vector<port_guard::stranger>& overdue) {
  const auto members = core.members_at_port();
  const auto ended = std::ranges::count_if(
      overdue, [&](const auto& one) { return port.guard.end(one, members); });
  const auto now = steady_clock::now();
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
    if (watched) {
      auto overdue = watched->guard.overdue(
          steady_clock::now().time_since_epoch(), core->members_at_port());
      if (!overdue.empty())
        core->sys.middleman().backend().post(
            [core, watched, all = std::move(overdue)] {
              end_all(*watched, *core, all);
            });
    }
    look_later(self, core, watched);
  });
}

} // namespace

void watch_port(caf::event_based_actor* self,
                const std::shared_ptr<mesh_core>& core) {
  look_later(self, core, nullptr);
}

} // namespace eventweft
