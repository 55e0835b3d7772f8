// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/time.hpp"

namespace eventweft::delivery {

/// At most so many in any second, spaced evenly.
class rate_limit {
 public:
  /// `per_second` ≤ 0: no limit.
  explicit rate_limit(double per_second);

  /// Takes a turn if there is one.
  bool take(timestamp now) noexcept;
  /// When the next turn is there; not later than `now` if it is already.
  timestamp next(timestamp now) const noexcept;

 private:
  double tokens_at(timestamp now) const noexcept;

  // A token bucket.
  double per_second_;
  double burst_;
  double tokens_;
  // Set with the first token taken; a clock that goes back earns nothing.
  timestamp as_of_{};
};

} // namespace eventweft::delivery
