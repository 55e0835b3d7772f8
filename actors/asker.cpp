// SPDX-License-Identifier: Apache-2.0
#include "actors/asker.hpp"

#include "actors/caf_compat.hpp"

namespace eventweft {

namespace {

struct asker_state {
  static inline constexpr const char* name = "asker";

  explicit asker_state(asker_actor::pointer self) : self_(self) {}

  asker_actor::behavior_type make_behavior() {
    return {
        [this](const ask_job_ptr& job) {
          if (job)
            job->run(self_);
        },
    };
  }

  asker_actor::pointer self_;
};

} // namespace

asker_actor spawn_asker(caf::actor_system& sys) {
  using impl = caf::stateful_actor<asker_state, asker_actor::impl>;
  return sys.spawn<impl>();
}

} // namespace eventweft
