// SPDX-License-Identifier: Apache-2.0
#include "actors/processing_journal.hpp"

#include "actors/answer.hpp"
#include "actors/caf_compat.hpp"

#include <utility>

namespace eventweft {

namespace {

class processing_journal_state {
 public:
  static inline constexpr const char* name = "processing_journal";

  processing_journal_state(processing_journal_actor::pointer,
                           std::unique_ptr<processing_store> store)
      : store_(std::move(store)) {}

  processing_journal_actor::behavior_type make_behavior() {
    return {
        [this](list_atom, const std::string& processor)
            -> caf::result<std::vector<processing::stored_mark>> {
          return answer(store_->marks(processor));
        },
        [this](append_atom,
               const processing::write_ptr& w) -> caf::result<void> {
          return answer(store_->record(w->processor, w->owner, w->changes));
        },
    };
  }

 private:
  std::unique_ptr<processing_store> store_;
};

} // namespace

processing_journal_actor
spawn_processing_journal(caf::actor_system& sys,
                         std::unique_ptr<processing_store> store,
                         worker_thread where) {
  using impl = caf::stateful_actor<processing_journal_state,
                                   processing_journal_actor::impl>;
  if (where == worker_thread::own)
    return sys.spawn<impl, caf::detached>(std::move(store));
  return sys.spawn<impl>(std::move(store));
}

} // namespace eventweft
