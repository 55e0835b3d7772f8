// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"

#include <optional>

namespace eventweft {

/// Since when the log has more than somebody has looked at, as far as that
/// can be told by asking now and then.
class behind {
 public:
  /// At `now` the log reaches to `head` and was looked at up to `cursor`.
  /// Nothing: it was looked at to its end.
  std::optional<timestamp> since(seq_t cursor, seq_t head, timestamp now) {
    if (cursor >= head) {
      since_.reset();
    } else if (!since_ || cursor >= head_) {
      // What was new when it was asked last has been looked at since.
      since_ = now;
      head_ = head;
    }
    return since_;
  }

  void reset() { since_.reset(); }

 private:
  std::optional<timestamp> since_;
  seq_t head_ = 0;
};

} // namespace eventweft
