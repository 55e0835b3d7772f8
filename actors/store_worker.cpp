// SPDX-License-Identifier: Apache-2.0
#include "actors/store_worker.hpp"

#include "actors/answer.hpp"
#include "actors/caf_compat.hpp"

#include <utility>

namespace eventweft {

namespace {

class store_worker_state {
 public:
  static inline constexpr const char* name = "store_worker";

  store_worker_state(store_worker_actor::pointer,
                     std::unique_ptr<store_session> session)
      : session_(std::move(session)) {}

  store_worker_actor::behavior_type make_behavior() {
    return {
        [this](append_atom,
               const event_batch& batch) -> caf::result<append_results> {
          return answer(batch.sync_later
                            ? session_->append_unsynced(batch.events)
                            : session_->append_and_join(batch.events));
        },
        [this](sync_atom,
               const std::vector<log_mark>& marks) -> caf::result<void> {
          return answer(session_->make_durable(marks));
        },
        [this](head_atom) -> caf::result<seq_t> {
          return answer(session_->head().map(
              [](const log_head& head) { return head.seq; }));
        },
        [this](page_atom, const page_request& p) -> caf::result<log_range> {
          return answer(
              session_->read_after(p.after, p.max_events, p.max_bytes));
        },
        [this](query_atom, const event_query& q) -> caf::result<event_page> {
          return answer(session_->query(q));
        },
        [this](find_atom, const uuid& id) -> caf::result<event_ptr> {
          return answer(
              session_->find(id).map([](std::optional<event_ptr>&& found) {
                return found ? std::move(*found) : event_ptr{};
              }));
        },
        [this](seek_atom, timestamp t) -> caf::result<seq_t> {
          return answer(session_->seq_before(t));
        },
        [this](find_atom, const std::vector<uuid>& threads)
            -> caf::result<std::vector<uuid>> {
          return answer(session_->present_threads(threads));
        },
        [this](find_atom, const places_request& r) -> caf::result<places_page> {
          return answer(session_->places(r));
        },
        [this](dead_letter_atom, const dead_letter& d) -> caf::result<void> {
          return answer(session_->add_dead_letter(d));
        },
        [this](list_atom, const dead_letter_query& q)
            -> caf::result<std::vector<dead_letter>> {
          return answer(session_->dead_letters(q));
        },
        [this](drop_atom, const uuid& id) -> caf::result<bool> {
          return answer(session_->drop_dead_letter(id));
        },
    };
  }

 private:
  std::unique_ptr<store_session> session_;
};

} // namespace

store_worker_actor spawn_store_worker(caf::actor_system& sys,
                                      std::unique_ptr<store_session> session,
                                      worker_thread where) {
  using impl =
      caf::stateful_actor<store_worker_state, store_worker_actor::impl>;
  if (where == worker_thread::own)
    return sys.spawn<impl, caf::detached>(std::move(session));
  return sys.spawn<impl>(std::move(session));
}

} // namespace eventweft
