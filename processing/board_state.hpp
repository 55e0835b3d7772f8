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
};

} // namespace eventweft::processing
