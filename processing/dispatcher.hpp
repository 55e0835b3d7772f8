// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"
#include "processing/turns.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace eventweft::processing {

/// What one processor has to run, by lane, and how much of it runs.
struct workload {
  /// Its attempts hold no worker.
  bool async = false;
  uint32_t concurrency = 1;
  /// Its handler may end the process.
  bool risky = false;
  size_t running = 0;
  std::array<std::deque<seq_t>, lane_count> ready;
  /// Whether it stands in line; the dispatcher's.
  std::array<bool, lane_count> enrolled{};
};

/// What is handed out next: the lanes take turns by their shares, and in a lane
/// the processors that have something for it, round robin. Those without
/// workers have lanes of their own. Owns no workload: whoever adds one removes
/// it before it goes.
class dispatcher {
 public:
  struct pick {
    workload* whose = nullptr;
    size_t lane = 0;
    seq_t seq = 0;
  };

  /// Nothing of the `lanes` lowest lanes is picked until told otherwise; how
  /// many were held before. Those let go of are found by `enroll` again.
  size_t hold(size_t lanes) noexcept;

  /// Nothing risky is picked until told otherwise; whether that was so before.
  /// What is let go of is found by `enroll` again.
  bool hold_risky(bool held) noexcept;

  void add(workload& w, size_t lane, seq_t seq);
  /// Puts the workload in line wherever it has something that may run.
  void enroll(workload& w);
  /// What is to run now; it is running from here on.
  std::optional<pick> next(bool async);
  /// What was picked runs no more.
  void ended(workload& w);
  /// Forgets the workload and all that it has ready.
  void remove(workload& w);

  /// What is ready.
  std::array<size_t, lane_count> depth() const noexcept;

 private:
  /// Those that have something in a lane.
  using ring = std::deque<workload*>;

  bool eligible(const workload& w, size_t lane) const;

  /// Those without workers have the second of each pair.
  static size_t side(bool async) noexcept { return async ? 1 : 0; }

  /// So many of the lowest lanes.
  size_t held_ = 0;
  bool risky_held_ = false;
  std::array<std::array<ring, lane_count>, 2> rings_;
  std::array<turns, 2> turns_;
  std::array<std::array<size_t, lane_count>, 2> depth_{};
};

} // namespace eventweft::processing
