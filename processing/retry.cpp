// SPDX-License-Identifier: Apache-2.0
#include "processing/retry.hpp"

#include <algorithm>
#include <cmath>

namespace eventweft::processing {

using std::chrono::microseconds;

std::optional<microseconds> pause_after(const processor& p, uint32_t attempts,
                                        const outcome& o,
                                        random_source& random) {
  if (attempts > p.max_retries)
    return std::nullopt;
  auto pause = std::chrono::duration<double, std::micro>(p.retry_delay);
  pause *= std::pow(2.0, std::min(attempts - 1, 40u));
  pause = std::min<decltype(pause)>(pause, p.max_retry_delay);
  // From -1 to 1.
  const auto at_random =
      static_cast<double>(random.next() >> 11) / (1ull << 52) - 1;
  pause *= 1 + p.jitter * at_random;
  auto out = std::chrono::duration_cast<microseconds>(pause);
  if (o.retry_after)
    out = std::max<microseconds>(out,
                                 std::min(*o.retry_after, p.max_retry_after));
  return std::max(out, microseconds{0});
}

} // namespace eventweft::processing
