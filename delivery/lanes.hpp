// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/event.hpp"
#include "messages/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

namespace eventweft::delivery {

/// What waits to be sent to one endpoint, first attempts apart from retries:
/// a thousand retries that fall due together must not hold up what is new,
/// nor the other way round. New ones go first, in seq order; every fourth turn
/// is a retry's if one is due, in the order in which they fell due.
class lanes {
 public:
  void add_first(seq_t seq) { first_.insert(seq); }
  void add_retry(seq_t seq, timestamp due) { retries_.emplace(due, seq); }
  void remove(seq_t seq, timestamp due);

  struct turn {
    seq_t seq;
    bool retry;
  };
  /// Takes the next one out; retries only if `allow_retries`.
  std::optional<turn> take(timestamp now, bool allow_retries);

  /// When `take` could give something; nothing if only its owner can change
  /// that.
  std::optional<timestamp> next(timestamp now,
                                bool allow_retries) const noexcept;

  size_t size() const noexcept { return first_.size() + retries_.size(); }

 private:
  std::set<seq_t> first_;
  std::set<std::pair<timestamp, seq_t>> retries_;
  uint32_t first_in_a_row_ = 0;
};

} // namespace eventweft::delivery
