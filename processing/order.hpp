// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"
#include "processing/processor.hpp"

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

namespace eventweft::processing {

/// Events with the same key go to the processor one after the other; empty:
/// this one is free of any order.
std::string order_key(const processor& p, const event& ev);

/// Who waits for whom: one line for each key, whose first may run.
class order_lines {
 public:
  /// Puts the event at the end of the key's line. Whether it is the first.
  bool enter(const std::string& key, seq_t seq);
  /// The first of the line is done. Who is first now; nothing if the line is
  /// empty.
  std::optional<seq_t> leave(const std::string& key);

 private:
  std::unordered_map<std::string, std::deque<seq_t>> lines_;
};

} // namespace eventweft::processing
