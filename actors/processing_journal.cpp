// SPDX-License-Identifier: Apache-2.0
#include "actors/processing_journal.hpp"

#include "actors/answer.hpp"
#include "actors/caf_compat.hpp"
#include "delivery/progress.hpp"

#include <algorithm>
#include <utility>

namespace eventweft {

namespace {

/// What the marks say, which are in the order of their processors.
std::vector<processing::processor_state>
states_of(const processing::named_marks& all) {
  std::vector<processing::processor_state> out;
  for (const auto& [name, stored] : all) {
    const auto mark = delivery::parse_mark(stored.mark);
    // That it can't be read is said when the processor starts.
    if (!mark)
      continue;
    if (out.empty() || out.back().name != name) {
      auto& x = out.emplace_back();
      x.name = name;
      x.state = "gone";
      x.cursor = stored.cursor;
    }
    out.back().ready += mark->open.size();
    out.back().cursor = std::min(out.back().cursor, stored.cursor);
  }
  return out;
}

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
        [this](list_atom)
            -> caf::result<std::vector<processing::processor_state>> {
          return answer(store_->known().map(states_of));
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
