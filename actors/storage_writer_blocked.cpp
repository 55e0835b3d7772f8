// SPDX-License-Identifier: Apache-2.0
// An event at the spool's head that the store can't take, in such a way that
// the store seems to be away: its insert takes longer than any may, say. Left
// where it is, it would keep all others out for good.
//
// Where the head fails again and again while the store answers otherwise, it is
// tried alone; and where it fails alone, another event of the spool is stored
// before it. If that works, twice, it is the event and not the store: it
// becomes a dead letter. The other one is a duplicate when its turn comes.
#include "actors/caf_compat.hpp"
#include "actors/storage_writer_state.hpp"

#include <algorithm>
#include <utility>

namespace eventweft {

namespace {

/// Failures in a row after which the head goes alone, failures alone after
/// which another one is tried, and proofs that it takes.
constexpr unsigned failures_together = 2;
constexpr unsigned failures_alone = 2;
constexpr unsigned proofs = 2;
/// So many events behind the head are looked at for one that goes in.
constexpr uint32_t choice_of_proofs = 50;

} // namespace

void storage_writer_state::not_drained(const std::vector<event_ptr>& events,
                                       const error& why) {
  // A full disk is nobody's fault.
  if (why.code != ec::store_unavailable) {
    drain_failed(why);
    return;
  }
  // What was known of another one went when this page was read.
  blocked_.id = events.front()->id;
  ++blocked_.failed;
  if (events.size() == 1)
    ++blocked_.failed_alone;
  if (events.size() == 1 && blocked_.failed_alone >= failures_alone &&
      blocked_.overtaken >= proofs) {
    give_up(events, {{events.front(),
                      error{ec::row_refused,
                            "the store takes others, but not this one: " +
                                why.message}}});
    return;
  }
  if (blocked_.failed >= failures_together)
    drain_singles_ = std::max<size_t>(drain_singles_, 1);
  // Between two proofs it has its chance once more.
  blocked_.prove = blocked_.failed_alone >= failures_alone;
  drain_failed(why);
}

uint32_t storage_writer_state::drain_at_most() const {
  if (blocked_.prove)
    return std::max(options_.batch_max_events, choice_of_proofs);
  return drain_singles_ == 0 ? options_.batch_max_events : 1;
}

void storage_writer_state::prove_with_another(
    const std::vector<event_ptr>& events) {
  auto worker = ctx_.peers->write_worker.get();
  if (!worker) {
    drain_failed({ec::overloaded, "the store's worker restarts"});
    return;
  }
  draining_busy_ = true;
  blocked_.prove = false;
  // A different one each time: the next may be of the same kind.
  const auto at = 1 + blocked_.tries++ % (events.size() - 1);
  const std::vector<event_ptr> other{events[at]};
  ask(self_, worker, options_.store_timeout, append_atom_v, event_batch{other})
      .then(
          [this, other](const append_results& results) {
            if (results.items.size() != 1 || results.items[0].refused) {
              drain_failed(
                  {ec::internal, "another event did not go in either"});
              return;
            }
            proven();
            tell_hub(other, results);
            joined(results.threads);
            // One that the log had before, as a proof of late, proves nothing.
            const auto& done = results.items[0].outcome;
            if (done.id == other.front()->id && done.seq > head_back_then_)
              ++blocked_.overtaken;
            draining_busy_ = false;
            if (mode_ == mode::draining)
              drain_next();
          },
          [this](const caf::error& e) {
            drain_failed(store_error(e, options_.store_timeout));
          });
}

} // namespace eventweft
