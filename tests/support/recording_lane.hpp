// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/live.hpp"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::testing {

/// A lane that does what `messages/live.hpp` asks of one, keeps what each of
/// its readers has seen, and deals with batches only when told to.
class recording_lane final : public live_lane {
 public:
  struct reader {
    uint32_t epoch = 0;
    bool live = false;
    group_id group = 0;
    seq_t cursor = -1;
    std::vector<seq_t> seen;
    /// What the events that were seen say of their threads.
    std::map<seq_t, std::optional<uuid>> threads;
    size_t joins = 0;
    size_t pages = 0;
    std::vector<std::pair<reader_end, std::string>> ends;
    /// An answer has come and `next` has to be called.
    bool wants_next = false;
    std::vector<std::string> faults;
  };

  std::map<reader_id, reader> readers;
  std::deque<std::function<void()>> unacknowledged;
  std::vector<std::pair<seq_t, seq_t>> batches;
  /// Acknowledges at once.
  bool eager = true;

  void publish(lane_batch batch, std::function<void()> done) override {
    batches.emplace_back(batch.first, batch.last);
    for (auto& [id, r] : readers) {
      if (!r.live)
        continue;
      if (batch.first != r.cursor + 1)
        r.faults.push_back("batch " + std::to_string(batch.first) +
                           " after cursor " + std::to_string(r.cursor));
      for (const auto& [group, range] : batch.groups)
        if (group == r.group)
          take(r, *range);
      r.cursor = batch.last;
    }
    if (eager)
      done();
    else
      unacknowledged.push_back(std::move(done));
  }

  void join(reader_id id, uint32_t epoch, group_id group,
            log_range backlog) override {
    auto& r = readers[id];
    if (epoch != r.epoch)
      return;
    ++r.joins;
    if (r.cursor >= 0 && backlog.first != r.cursor + 1)
      r.faults.push_back("join at " + std::to_string(backlog.first) +
                         " after cursor " + std::to_string(r.cursor));
    take(r, backlog);
    r.cursor = backlog.last;
    r.live = true;
    r.group = group;
  }

  void page(reader_id id, uint32_t epoch, log_range events) override {
    auto& r = readers[id];
    if (epoch != r.epoch)
      return;
    ++r.pages;
    if (r.cursor >= 0 && events.first != r.cursor + 1)
      r.faults.push_back("page at " + std::to_string(events.first) +
                         " after cursor " + std::to_string(r.cursor));
    take(r, events);
    r.cursor = events.last;
    r.live = false;
    r.wants_next = true;
  }

  void end(reader_id id, reader_end why, std::string message) override {
    readers[id].live = false;
    readers[id].ends.emplace_back(why, std::move(message));
  }

  /// Deals with the oldest batch; false if there is none.
  bool acknowledge() {
    if (unacknowledged.empty())
      return false;
    auto done = std::move(unacknowledged.front());
    unacknowledged.pop_front();
    done();
    return true;
  }

 private:
  static void take(reader& r, const log_range& range) {
    for (const auto& ev : range.events) {
      r.seen.push_back(ev->seq);
      r.threads[ev->seq] = ev->correlation_id;
    }
  }
};

} // namespace eventweft::testing
