// SPDX-License-Identifier: Apache-2.0
#include "delivery/schedule.hpp"

#include <algorithm>

namespace eventweft::delivery {

namespace {

/// `by` is from -1 to 1.
microseconds spread(microseconds pause, double jitter, double by) {
  const double factor = 1.0 + std::clamp(jitter, 0.0, 1.0) * by;
  return microseconds{static_cast<microseconds::rep>(
      static_cast<double>(pause.count()) * factor)};
}

} // namespace

std::optional<microseconds>
retry_schedule::pause_after(uint32_t attempts_made, random_source& random,
                            std::optional<microseconds> asked_for) const {
  if (attempts_made == 0 || attempts_made > pauses.size())
    return std::nullopt;
  const auto pause = pauses[attempts_made - 1];
  // 53 bits make every double of [0, 1) that is a multiple of 2⁻⁵³.
  const double unit = static_cast<double>(random.next() >> 11) * 0x1p-53;
  auto out = spread(pause, jitter, 2 * unit - 1);
  if (asked_for)
    out = std::max(out, std::min(*asked_for, max_retry_after));
  return out;
}

microseconds retry_schedule::longest_pause() const {
  auto out = max_retry_after;
  for (const auto pause : pauses)
    out = std::max(out, spread(pause, jitter, 1));
  return out;
}

} // namespace eventweft::delivery
