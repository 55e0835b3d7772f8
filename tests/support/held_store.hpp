// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/held_worker.hpp"
#include "tests/support/spine.hpp"

#include <memory>
#include <string>
#include <vector>

namespace eventweft::testing {

/// A storage writer whose store answers when it is told to.
class held_store : public spine {
 protected:
  std::shared_ptr<held_appends> appends = std::make_shared<held_appends>();
  std::shared_ptr<held_appends> syncs = std::make_shared<held_appends>();
  uint32_t overtaking = 1;
  uint32_t ready = 24;

  void start_held_worker() {
    ctx.peers->write_worker.set(keep(spawn_held_worker(system, appends)));
  }

  void start_held(storage_writer_options options = {}) {
    options.overtaking_events = overtaking;
    options.ready_events = ready;
    appends->late = true;
    start_held_worker();
    ctx.peers->sync_worker.set(keep(spawn_held_worker(system, syncs)));
    start_writer(options);
    run();
  }

  /// The store answers the oldest batch.
  void appended() {
    ASSERT_LT(appends->answered, appends->batches.size());
    tell_anon(ctx.peers->write_worker.get(), head_atom_v);
    run();
  }

  /// The store has made durable what it was asked for first.
  void durable() {
    ASSERT_LT(syncs->synced, syncs->syncs.size());
    tell_anon(ctx.peers->sync_worker.get(), find_atom_v, uuid{});
    run();
  }

  static std::vector<std::string> numbers(const std::vector<event_ptr>& all) {
    std::vector<std::string> out;
    for (const auto& ev : all)
      out.push_back(ev->event_id);
    return out;
  }

  static std::vector<seq_t> seqs(const std::vector<log_mark>& marks) {
    std::vector<seq_t> out;
    for (const auto& mark : marks)
      out.push_back(mark.seq);
    return out;
  }

  using asked_append = std::shared_ptr<asked<append_outcome>>;

  asked_append take(int n) {
    auto out = append(n);
    run();
    return out;
  }
};

} // namespace eventweft::testing
