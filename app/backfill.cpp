// SPDX-License-Identifier: Apache-2.0
#include "app/backfill.hpp"

#include "codec/payload.hpp"
#include "persistence/thread_batch.hpp"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds between_reports{1};

class filler {
 public:
  filler(store& on, const correlation::engine& rules,
         const backfill_options& options)
      : rules_(rules),
        options_(options),
        session_(on.open_session()),
        threads_(on.open_threads()) {}

  expected<backfill_progress> run() {
    if (!threads_)
      return fail(ec::unprocessable, "this store has no threads");
    if (auto begun = begin(); !begun)
      return fail(begun.error());
    started_ = steady_clock::now();
    auto reported = started_;
    while (state_.last_seq < state_.until_seq) {
      if (options_.stop && options_.stop())
        return progress();
      const auto from = steady_clock::now();
      if (auto done = batch(); !done)
        return fail(done.error());
      const auto now = steady_clock::now();
      if (options_.progress && now - reported >= between_reports) {
        reported = now;
        options_.progress(progress());
      }
      if (state_.last_seq < state_.until_seq)
        rest(now - from);
    }
    if (auto ended = threads_->set_backfill(std::nullopt); !ended)
      return fail(ended.error());
    return progress();
  }

 private:
  expected<void> begin() {
    const auto left = threads_->backfill();
    if (!left)
      return fail(left.error());
    backfill_start start;
    auto rules = rules_.fingerprint();
    const bool was_left = left->has_value() && !options_.since;
    start.resumed = was_left && (*left)->rules == rules;
    start.other_rules = was_left && !start.resumed;
    if (start.resumed) {
      state_ = **left;
    } else {
      const auto head = session_->head();
      if (!head)
        return fail(head.error());
      state_ = {0, head->seq, std::move(rules), 0};
      if (options_.since) {
        const auto before = session_->seq_before(*options_.since);
        if (!before)
          return fail(before.error());
        state_.last_seq = std::min(*before, head->seq);
        state_.after_seq = state_.last_seq;
      }
      if (auto noted = threads_->set_backfill(state_); !noted)
        return noted;
    }
    first_ = start.after = state_.last_seq;
    start.left_out = state_.after_seq;
    if (options_.begun)
      options_.begun(start);
    return {};
  }

  expected<void> batch() {
    const auto range = session_->read_after(
        state_.last_seq, options_.batch_events, options_.batch_bytes);
    if (!range)
      return fail(range.error());
    std::vector<rejoined_event> events;
    uint64_t looked_at = 0;
    auto last = range->events.empty() ? state_.until_seq : range->last;
    for (const auto& e : range->events) {
      if (e->seq > state_.until_seq) {
        last = state_.until_seq;
        break;
      }
      ++looked_at;
      auto again = look_at(*e);
      if (!again)
        return fail(again.error());
      if (!again->empty())
        events.push_back({e, std::move(*again)});
    }
    const auto report = threads_->rejoin(events, last, clock_.now());
    if (!report)
      return fail(report.error());
    for (const auto& [fact, value] : report->facts)
      rules_.known()->learn(fact, value);
    progress_.events += looked_at;
    progress_.linked += report->linked;
    progress_.merges += report->merges.size();
    state_.last_seq = last;
    return {};
  }

  /// The keys that do not link it yet.
  expected<std::vector<correlation_key>> look_at(const event& stored) {
    if (stored.platform == "eventweft")
      return std::vector<correlation_key>{};
    const auto evidence = threads_->evidence(stored.id);
    if (!evidence)
      return fail(evidence.error());
    const auto ev = thread_batch::as_it_arrived(stored, *evidence);
    auto keys =
        thread_batch::not_linked_yet(rules_.keys(ev, reader_), *evidence);
    // Facts are of no use by themselves where they are known.
    std::erase_if(keys, [this](const correlation_key& k) {
      return k.is_fact() && rules_.known()->knows(k.key);
    });
    return keys;
  }

  // So that the store belongs to others for the rest of the time.
  void rest(steady_clock::duration worked) const {
    const auto share = std::clamp(options_.share, 0.001, 1.0);
    const auto pause = std::chrono::duration_cast<std::chrono::nanoseconds>(
        worked * ((1 - share) / share));
    if (pause.count() <= 0)
      return;
    if (options_.sleep)
      options_.sleep(pause);
    else
      std::this_thread::sleep_for(pause);
  }

  backfill_progress progress() const {
    auto out = progress_;
    out.done = static_cast<uint64_t>(state_.last_seq - first_);
    out.total = static_cast<uint64_t>(state_.until_seq - first_);
    if (out.done > 0) {
      const std::chrono::duration<double> spent =
          steady_clock::now() - started_;
      out.left = std::chrono::seconds{
          static_cast<int64_t>(spent.count() / static_cast<double>(out.done) *
                               static_cast<double>(out.total - out.done))};
    }
    return out;
  }

  const correlation::engine& rules_;
  const backfill_options& options_;
  std::unique_ptr<store_session> session_;
  std::unique_ptr<thread_store> threads_;
  codec::payload_reader reader_;
  system_clock clock_;
  backfill_state state_;
  seq_t first_ = 0;
  steady_clock::time_point started_;
  backfill_progress progress_;
};

} // namespace

expected<backfill_progress> run_backfill(store& on,
                                         const correlation::engine& rules,
                                         const backfill_options& options) {
  return filler{on, rules, options}.run();
}

} // namespace eventweft
