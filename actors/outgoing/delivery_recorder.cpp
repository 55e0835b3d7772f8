// SPDX-License-Identifier: Apache-2.0
#include "actors/outgoing/delivery_recorder.hpp"

#include "actors/caf_compat.hpp"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

class delivery_recorder_state {
 public:
  static inline constexpr const char* name = "delivery_recorder";

  delivery_recorder_state(delivery_recorder_actor::pointer self,
                          actor_context ctx, delivery_recorder_options options)
      : self_(self), ctx_(std::move(ctx)), options_(options) {}

  delivery_recorder_actor::behavior_type make_behavior() {
    return {
        [this](save_atom, const delivery_report& r) { return take(r); },
    };
  }

 private:
  struct waiting {
    delivery_report report;
    caf::typed_response_promise<void> promise;
  };

  caf::result<void> take(const delivery_report& r) {
    if (queue_.size() >= options_.queue_max)
      return to_caf(ec::overloaded, "too many reports wait to be written");
    auto promise = self_->make_response_promise<void>();
    queue_.push_back({r, promise});
    pump();
    return promise;
  }

  void pump() {
    if (busy_ || queue_.empty())
      return;
    busy_ = true;
    auto round =
        std::make_shared<std::vector<caf::typed_response_promise<void>>>();
    report_batch batch;
    size_t attempts = 0;
    // The store writes a batch's reports in no order: of one subscription the
    // later one is the next batch's.
    const auto is_there = [&batch](const uuid& id) {
      return std::ranges::find(batch.reports, id,
                               &delivery_report::subscription_id) !=
             batch.reports.end();
    };
    while (
        !queue_.empty() && !is_there(queue_.front().report.subscription_id) &&
        round->size() < options_.max_reports &&
        (round->empty() || attempts + queue_.front().report.attempts.size() <=
                               options_.max_attempts)) {
      attempts += queue_.front().report.attempts.size();
      batch.reports.push_back(std::move(queue_.front().report));
      round->push_back(std::move(queue_.front().promise));
      queue_.pop_front();
    }
    auto worker = ctx_.peers->subscription_worker.get();
    if (!worker) {
      fail_all(*round, to_caf(ec::overloaded, "the store's part restarts"));
      return;
    }
    ask(self_, worker, options_.timeout, save_atom_v, std::move(batch))
        .then(
            [this, round](const report_results& results) {
              for (size_t i = 0; i < round->size(); ++i) {
                if (i < results.items.size() && results.items[i])
                  (*round)[i].deliver(to_caf(*results.items[i]));
                else
                  (*round)[i].deliver();
              }
              busy_ = false;
              pump();
            },
            [this, round](const caf::error& e) { fail_all(*round, e); });
  }

  void fail_all(std::vector<caf::typed_response_promise<void>>& round,
                const caf::error& e) {
    for (auto& promise : round)
      promise.deliver(e);
    busy_ = false;
    pump();
  }

  delivery_recorder_actor::pointer self_;
  actor_context ctx_;
  delivery_recorder_options options_;
  std::deque<waiting> queue_;
  bool busy_ = false;
};

} // namespace

delivery_recorder_actor
spawn_delivery_recorder(caf::actor_system& sys, actor_context ctx,
                        delivery_recorder_options options) {
  using impl = caf::stateful_actor<delivery_recorder_state,
                                   delivery_recorder_actor::impl>;
  return sys.spawn<impl>(std::move(ctx), options);
}

} // namespace eventweft
