// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/actor_board.hpp"
#include "actors/context.hpp"
#include "messages/protocols.hpp"

#include <caf/actor.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace eventweft {

/// The order in which the parts end.
enum class stop_phase : uint8_t {
  edges,      ///< platform workers
  writer,     ///< after its flush
  processors, ///< the engine, after its flush
  streams,    ///< the hub, with all subscriptions
  readers,    ///< what reads the store, dead letters, askers
  workers,    ///< the store's and the spool's
};
inline constexpr size_t stop_phase_count = 6;

std::string_view to_string(stop_phase p) noexcept;

/// How one child is made.
struct child_spec {
  /// For logs and metrics: "storage_writer", "platform_worker:github". Equal
  /// for those that do the same.
  std::string name;
  stop_phase phase = stop_phase::edges;
  /// Spawns it and enters it into the directory.
  std::function<caf::actor()> start;
  /// Takes it out of the directory.
  std::function<void()> gone;
  /// Whether there is to be one at all by now; what ends after that has not
  /// failed. Empty: always.
  std::function<bool()> wanted{};
};

struct supervisor_options {
  std::chrono::milliseconds restart_min{50};
  std::chrono::milliseconds restart_max{5'000};
  /// More restarts than this within the window are too many.
  uint32_t max_restarts = 20;
  std::chrono::milliseconds restart_window{60'000};
  /// Called once, with a sentence, when there were too many: the process
  /// should end. Nothing is restarted after that.
  std::function<void(std::string)> escalate;
  /// Where it tells how everybody is; null: nowhere.
  std::shared_ptr<actor_board> board;
  /// Ends all subscriptions; called when the streams' turn has come to stop.
  std::function<void()> end_subscriptions;
};

/// Spawns the supervisor and through it all children, in the order given; those
/// that there is more to know for first are handed to it later (`put_atom`). It
/// watches them (it is not linked to them), so the end of one is nobody else's:
/// it restarts it after a pause that grows with each restart of it.
supervisor_actor spawn_supervisor(caf::actor_system& sys, actor_context ctx,
                                  supervisor_options options,
                                  std::vector<child_spec> children);

} // namespace eventweft
