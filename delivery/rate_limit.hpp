// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/time.hpp"

namespace eventweft::delivery {

/// A token bucket: `burst` at once, `per_second` in the long run.
class rate_limit {
 public:
  /// `per_second` ≤ 0: no limit. `burst` is at least 1.
  rate_limit(double per_second, double burst);

  /// Takes a token if there is one.
  bool take(timestamp now) noexcept;
  /// When the next token is there; not later than `now` if it is already.
  timestamp next(timestamp now) const noexcept;

 private:
  double tokens_at(timestamp now) const noexcept;

  double per_second_;
  double burst_;
  double tokens_;
  // Set with the first token taken; a clock that goes back earns nothing.
  timestamp as_of_{};
};

} // namespace eventweft::delivery
