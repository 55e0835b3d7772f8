// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/streams.hpp"

#include <cstdint>

namespace eventweft::bench {

struct latency_result {
  /// From the POST to the reader.
  histogram delivery;
  /// From the POST to its answer.
  histogram answer;
};

/// Posts `count` events to `sender`, 500 a second, while one WebSocket reader
/// at `reader`, which may be another node, takes them all. Throws if one does
/// not come through.
latency_result measure_paced(const stream_target& sender,
                             const endpoint& reader, uint64_t count);

} // namespace eventweft::bench
