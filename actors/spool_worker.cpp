// SPDX-License-Identifier: Apache-2.0
#include "actors/spool_worker.hpp"

#include "actors/answer.hpp"
#include "actors/caf_compat.hpp"

#include <utility>

namespace eventweft {

namespace {

class spool_worker_state {
 public:
  static inline constexpr const char* name = "spool_worker";

  spool_worker_state(spool_worker_actor::pointer,
                     std::unique_ptr<spool_port> spool)
      : spool_(std::move(spool)) {}

  spool_worker_actor::behavior_type make_behavior() {
    return {
        [this](append_atom, const event_batch& batch) -> caf::result<uint64_t> {
          return answer(spool_->append(batch.events));
        },
        [this](page_atom, uint32_t max) -> caf::result<event_batch> {
          return answer(
              spool_->peek(max).map([](std::vector<event_ptr>&& events) {
                return event_batch{std::move(events)};
              }));
        },
        [this](drop_atom, uint32_t count) -> caf::result<uint64_t> {
          return answer(spool_->drop(count));
        },
        [this](head_atom) -> caf::result<spool_state> {
          return answer(spool_->state());
        },
    };
  }

 private:
  std::unique_ptr<spool_port> spool_;
};

} // namespace

spool_worker_actor spawn_spool_worker(caf::actor_system& sys,
                                      std::unique_ptr<spool_port> spool,
                                      worker_thread where) {
  using impl =
      caf::stateful_actor<spool_worker_state, spool_worker_actor::impl>;
  if (where == worker_thread::own)
    return sys.spawn<impl, caf::detached>(std::move(spool));
  return sys.spawn<impl>(std::move(spool));
}

} // namespace eventweft
