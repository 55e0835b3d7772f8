// SPDX-License-Identifier: Apache-2.0
#include "actors/bulk_retry.hpp"

#include "actors/caf_compat.hpp"

#include <algorithm>
#include <vector>

namespace eventweft {

bulk_retry::bulk_retry(dead_letters_actor::pointer self,
                       const actor_context& ctx, stored_letters& letters,
                       letter_returns& returns, retry_notices& notices,
                       pauses waits)
    : self_(self),
      ctx_(ctx),
      letters_(letters),
      returns_(returns),
      notices_(notices),
      waits_(waits) {}

expected<void> bulk_retry::begin(const dead_letter_query& q, double rate) {
  if (state_.running)
    return fail(ec::conflict, "another retry of dead letters is under way");
  state_ = {};
  state_.running = true;
  state_.started = ctx_.time->now();
  state_.what = q;
  state_.rate = rate;
  notices_.tell(state_);
  ++epoch_;
  page_ = q;
  next_page(epoch_);
  return {};
}

// Each page has older letters than the last: what fails again comes back as a
// newer one, which is not looked at.
void bulk_retry::next_page(uint64_t epoch) {
  letters_.list(page_, [this, epoch](
                           const expected<std::vector<dead_letter>>& found) {
    if (epoch != epoch_ || !state_.running)
      return;
    if (!found) {
      state_.last_error = to_string(found.error());
      notices_.tell(state_);
      run_after(self_, waits_.no_store, [this, epoch] { next_page(epoch); });
      return;
    }
    if (found->empty()) {
      end();
      return;
    }
    page_.before = found->back().id;
    for (const auto& letter : *found)
      ids_.push_back(letter.id);
    next_letter(epoch);
  });
}

void bulk_retry::next_letter(uint64_t epoch) {
  if (epoch != epoch_ || !state_.running)
    return;
  if (ids_.empty()) {
    next_page(epoch);
    return;
  }
  // One at a time: bodies may be large.
  const auto id = ids_.front();
  ids_.pop_front();
  returns_.retry(
      id, letter_returns::asked_by::people,
      [this, id, epoch](const expected<void>& r) { unread(id, r, epoch); },
      [this, epoch](const expected<void>& r) { handed_back(r, epoch); });
}

void bulk_retry::unread(const uuid& id, const expected<void>& r,
                        uint64_t epoch) {
  if (epoch != epoch_ || !state_.running)
    return;
  // Somebody else may have retried or dropped it by now.
  if (r.error().code == ec::not_found) {
    next_letter(epoch);
    return;
  }
  ids_.push_front(id);
  state_.last_error = to_string(r.error());
  notices_.tell(state_);
  run_after(self_, waits_.no_store, [this, epoch] { next_letter(epoch); });
}

void bulk_retry::handed_back(const expected<void>& r, uint64_t epoch) {
  if (epoch != epoch_)
    return;
  if (r) {
    ++state_.retried;
  } else {
    ++state_.failed;
    state_.last_error = to_string(r.error());
  }
  notices_.tell(state_);
  auto pause = std::chrono::milliseconds{0};
  // Rounded up: it is the most that there may be.
  if (state_.rate > 0)
    pause = std::chrono::ceil<std::chrono::milliseconds>(
        std::chrono::duration<double>{1 / state_.rate});
  // Whoever has too much to do gets some time.
  if (!r && r.error().code == ec::overloaded)
    pause = std::max(pause, waits_.overloaded);
  if (pause.count() > 0)
    run_after(self_, pause, [this, epoch] { next_letter(epoch); });
  else
    next_letter(epoch);
}

void bulk_retry::stop() {
  if (!state_.running)
    return;
  state_.stopped = true;
  end();
}

void bulk_retry::end() {
  state_.running = false;
  ids_.clear();
  notices_.tell(state_);
  ctx_.log->info("dead letters: {} retried, {} could not be{}", state_.retried,
                 state_.failed, state_.stopped ? "; then it was stopped" : "");
}

} // namespace eventweft
