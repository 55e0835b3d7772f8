// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/actor_board.hpp"
#include "actors/control_bus.hpp"
#include "net/ports/actors.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

#include <caf/fwd.hpp>

#include <cstdint>
#include <memory>

namespace eventweft {

/// What is in the queues and how much more would go in.
struct queue_limits {
  uint64_t ingest = 0;
  uint64_t writer = 0;
};

/// Tells how the actors are: the supervisor's board, CAF's own count of what
/// waits in mailboxes, the queues' figures. A log level is announced to all
/// nodes. Must be told to `stop` before the actor system ends.
class actors_bridge final : public net::actors_port {
 public:
  actors_bridge(caf::actor_system& sys, std::shared_ptr<actor_board> board,
                std::shared_ptr<component_logs> logs,
                std::shared_ptr<metrics> figures, queue_limits limits,
                std::shared_ptr<control_bus> control);

  std::string actors_json() const override;
  std::string log_levels_json() const override;
  expected<void> set_log_level(std::string_view component,
                               std::string_view level) override;

 private:
  caf::actor_system& sys_;
  std::shared_ptr<actor_board> board_;
  std::shared_ptr<component_logs> logs_;
  std::shared_ptr<metrics> figures_;
  queue_limits limits_;
  std::shared_ptr<control_bus> control_;
};

} // namespace eventweft
