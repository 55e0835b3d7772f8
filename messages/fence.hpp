// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace eventweft {

/// Proof of owning a piece of work, given along with everything that is
/// written for it: the store refuses (`not_owner`) what carries a token that
/// was given out before the newest one, so an owner that was frozen and wakes
/// up can't write any more.
struct fence {
  /// "processor:NAME", "subscription:UUID", "retention", …
  std::string work;
  /// Grows with each new owner. 0: there is one node only, nothing is checked.
  int64_t token = 0;

  bool operator==(const fence&) const = default;
};

} // namespace eventweft
