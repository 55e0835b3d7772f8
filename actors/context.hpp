// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/control_bus.hpp"
#include "actors/directory.hpp"
#include "actors/fanout.hpp"
#include "actors/ownership.hpp"
#include "actors/status.hpp"
#include "codec/match_memo.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

#include <memory>

namespace eventweft {

namespace correlation {
class engine;
} // namespace correlation

class follower_lane;

/// What every actor is given. Copied freely; no member is null but
/// `followers`.
struct actor_context {
  std::shared_ptr<directory> peers;
  std::shared_ptr<status_board> status;
  std::shared_ptr<metrics> figures;
  logger_ptr log;
  std::shared_ptr<const clock> time;
  std::shared_ptr<random_source> random;
  std::shared_ptr<ownership> owner = std::make_shared<sole_owner>();
  /// One for all log followers; those without it have a lane each.
  std::shared_ptr<follower_lane> followers{};
  /// Changes that others keep copies of: here, and on all nodes.
  std::shared_ptr<control_bus> control = std::make_shared<control_bus>();
  /// Committed events to the other nodes.
  std::shared_ptr<eventweft::fanout> others = std::make_shared<no_fanout>();
  /// What reads correlation keys out of events; null if that is switched off.
  std::shared_ptr<const correlation::engine> rules{};
  /// What filters made of events, for readers that catch up.
  std::shared_ptr<codec::match_memo> matches =
      std::make_shared<codec::match_memo>();
};

} // namespace eventweft
