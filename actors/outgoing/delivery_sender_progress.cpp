// SPDX-License-Identifier: Apache-2.0
#include "actors/caf_compat.hpp"
#include "actors/outgoing/delivery_sender_state.hpp"

#include <algorithm>
#include <utility>

// What was delivered, on its way to the store.
namespace eventweft {

// -- what is written down ----------------------------------------------------

delivery::progress_mark delivery_sender_state::full_mark() const {
  auto mark = queue_->mark();
  for (const auto& [seq, lost] : lost_)
    mark.open.push_back({seq, lost.attempts, {}, ctx_.time->now()});
  std::ranges::stable_sort(mark.open, {}, &delivery::unfinished::seq);
  // What was asked for once more while its dead letter waits is in there twice;
  // the queue's own comes first.
  const auto twice =
      std::ranges::unique(mark.open, {}, &delivery::unfinished::seq);
  mark.open.erase(twice.begin(), twice.end());
  for (auto& u : mark.open)
    if (const auto i = failures_.find(u.seq); i != failures_.end())
      u.history = i->second;
  if (mark.endpoint != delivery::endpoint_health{})
    mark.endpoint.version = order_.what.version;
  return mark;
}

void delivery_sender_state::save() {
  if (!queue_ || !dirty_ || saving_ || resting_)
    return;
  // Progress alone is not worth a transaction each time.
  if (attempts_.empty() && disabled_reason_.empty() && once_saved_.empty() &&
      !flushing_) {
    if (!std::exchange(idle_save_due_, true))
      run_after(self_, options_.idle_save, [this] {
        idle_save_due_ = false;
        save_now();
      });
    return;
  }
  save_now();
}

void delivery_sender_state::save_now() {
  if (!queue_ || !dirty_ || saving_ || resting_)
    return;
  auto recorder = ctx_.peers->delivery_recorder.get();
  if (!recorder || !proof_) {
    save_later();
    return;
  }
  delivery_report report;
  report.subscription_id = order_.what.id;
  report.proof = *proof_;
  const auto mark = full_mark();
  progress_.mark = delivery::mark_json(mark);
  progress_.done_until =
      mark.open.empty() ? mark.cursor : mark.open.front().seq - 1;
  progress_.replay = replay_ ? codec::replay_json(*replay_) : std::string{};
  report.progress = progress_;
  report.attempts = std::exchange(attempts_, {});
  report.disabled_reason = disabled_reason_;
  saving_ = true;
  dirty_ = false;
  auto sent = std::make_shared<delivery_report>(report);
  auto waiting = std::make_shared<std::vector<std::function<void()>>>(
      std::exchange(once_saved_, {}));
  ask(self_, recorder, options_.store_timeout, save_atom_v, std::move(report))
      .then(
          [this, life = life_, sent, waiting] {
            // Now that it is written, and not when it was found out.
            if (!sent->disabled_reason.empty())
              ctx_.control->announce({control_kind::subscriptions,
                                      to_string(sent->subscription_id)});
            if (life != life_)
              return;
            saving_ = false;
            pauses_.reset();
            for (auto& tell_it : *waiting)
              tell_it();
            if (disabled_reason_ == sent->disabled_reason)
              disabled_reason_.clear();
            pump();
          },
          [this, life = life_, sent, waiting](const caf::error& e) {
            if (life != life_)
              return;
            saving_ = false;
            once_saved_.insert(once_saved_.begin(),
                               std::make_move_iterator(waiting->begin()),
                               std::make_move_iterator(waiting->end()));
            not_saved(from_caf(e), *sent);
          });
}

void delivery_sender_state::not_saved(const error& why, delivery_report& sent) {
  if (why.code == ec::not_owner) {
    ctx_.log->info("{}: another node delivers it now", work_);
    stop_work("elsewhere");
    run_after(self_, lookup_again, [this] { look(); });
    return;
  }
  ctx_.log->warn("{}: what was delivered can't be written down: {}", work_,
                 to_string(why));
  dirty_ = true;
  attempts_.insert(attempts_.begin(),
                   std::make_move_iterator(sent.attempts.begin()),
                   std::make_move_iterator(sent.attempts.end()));
  // What the store refuses for what it is would be refused for ever.
  if (why.code == ec::row_refused)
    attempts_.clear();
  save_later();
}

void delivery_sender_state::save_later() {
  resting_ = true;
  run_after(self_, pauses_.next(*ctx_.random), [this] {
    resting_ = false;
    pump();
  });
}

} // namespace eventweft
