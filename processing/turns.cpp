// SPDX-License-Identifier: Apache-2.0
#include "processing/turns.hpp"

namespace eventweft::processing {

// Smooth weighted round robin: everybody who is ready earns its share, the
// richest one pays for all.
std::optional<size_t>
turns::next(const std::array<lane_work, lane_count>& work) {
  std::optional<size_t> best;
  int64_t total = 0;
  for (size_t i = lane_count; i-- > 0;) {
    if (work[i] == lane_work::none)
      credit_[i] = 0;
    if (work[i] != lane_work::ready)
      continue;
    credit_[i] += lane_shares[i];
    total += lane_shares[i];
    if (!best || credit_[i] > credit_[*best])
      best = i;
  }
  if (best)
    credit_[*best] -= total;
  return best;
}

} // namespace eventweft::processing
