// SPDX-License-Identifier: Apache-2.0
#include "processing/retry.hpp"

#include <algorithm>
#include <cmath>

namespace eventweft::processing {

using std::chrono::microseconds;

namespace {

/// `by` is from -1 to 1.
microseconds pause_before(const processor& p, uint32_t retry, double by) {
  auto pause = std::chrono::duration<double, std::micro>(p.retry_delay);
  pause *= std::pow(2.0, std::min(retry - 1, 40u));
  pause = std::min<decltype(pause)>(pause, p.max_retry_delay);
  pause *= 1 + p.jitter * by;
  return std::chrono::duration_cast<microseconds>(pause);
}

} // namespace

std::optional<microseconds> pause_after(const processor& p, uint32_t attempts,
                                        const outcome& o,
                                        random_source& random) {
  if (attempts > p.max_retries)
    return std::nullopt;
  // From -1 to 1.
  const auto at_random =
      static_cast<double>(random.next() >> 11) / (1ull << 52) - 1;
  auto out = pause_before(p, attempts, at_random);
  if (o.retry_after)
    out = std::max<microseconds>(out,
                                 std::min(*o.retry_after, p.max_retry_after));
  return std::max(out, microseconds{0});
}

microseconds longest_pause(const processor& p) {
  return std::max<microseconds>(
      p.max_retry_after, pause_before(p, std::max(p.max_retries, 1u), 1));
}

} // namespace eventweft::processing
