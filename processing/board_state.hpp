// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "processing/board.hpp"
#include "processing/feeds.hpp"
#include "processing/order.hpp"

/// What a board has of its processors and their events; for its own sources.
namespace eventweft::processing {

/// An event that a processor has in hand.
struct board::item {
  event_ptr event;
  seq_t seq = 0;
  size_t feed = 0;
  size_t lane = 0;
  /// Empty: free of any order.
  std::string key;
  uint32_t attempts = 0;
  timestamp since{};
  /// Of the first attempt.
  timestamp started{};
  timestamp ready_since{};
  /// Of the attempt that runs, or of the next one.
  timestamp due{};
  /// 0: none runs.
  uint64_t job = 0;
  timestamp attempt_began{};
  /// It may have been in hand when a process ended.
  bool suspect = false;
  /// Its last attempt was, for certain.
  bool cut_off = false;
  bool spent = false;
  /// Of how many it was one then; 0: all else ran, too.
  uint32_t company = 0;
  /// Its group has its turn.
  bool in_group = false;
  /// The attempt that is counted is to begin.
  bool announced = false;
  processing::status status = processing::status::pending;
  std::optional<processing::status> told;
  std::optional<double> duration;
  std::vector<failed_attempt> history;
};

/// A processor.
struct board::work : workload {
  registered_ptr what;
  std::vector<log_feed> feeds;
  std::map<seq_t, item> items;
  order_lines lines;
  std::vector<status_row> rows;
  size_t waiting = 0;
  /// What was in hand before came before then.
  timestamp began{};
  /// To be announced by the next write, and by the one under way.
  std::vector<seq_t> announcing;
  std::vector<seq_t> being_written;
  /// The marks are not to wait.
  bool marks_due = false;
};

} // namespace eventweft::processing
