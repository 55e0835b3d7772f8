// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/protocols.hpp"

#include <caf/fwd.hpp>

namespace eventweft {

/// What an asker does for a thread that is no actor: it asks with
/// `ask(self, …).then(…)` and hands the answer on. Whoever drops the last
/// reference without an answer having come must answer in its destructor:
/// that is how the asker's own death shows.
struct ask_job : std::enable_shared_from_this<ask_job> {
  virtual ~ask_job() = default;
  virtual void run(asker_actor::pointer self) = 0;
};

asker_actor spawn_asker(caf::actor_system& sys);

} // namespace eventweft
