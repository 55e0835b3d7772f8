// SPDX-License-Identifier: Apache-2.0
#include "bench/engine.hpp"
#include "bench/parts.hpp"
#include "bench/poster.hpp"
#include "bench/streams.hpp"

#include <fmt/format.h>

namespace eventweft::bench {

void measure_latency(const setting& s, report& out) {
  for (const auto& e : all_engines(s)) {
    const auto store = e->fresh();
    {
      hub server{s, "latency", store};
      const auto target = target_of(server, 1);
      const auto count = s.scaled(5'000, 1'000);
      const auto marks = make_marks(count);
      reader_swarm reader{{target.address, target.websocket_path,
                           stream_kind::websocket, 1, true},
                          marks};
      const auto posts = post_all({.to = target.address,
                                   .connections = 16,
                                   .count = count,
                                   .rate = 500},
                                  [&](uint64_t n, std::string& request) {
                                    request += target.request(n);
                                    (*marks)[n] = now_ns();
                                  });
      if (!reader.wait_delivered(count, 30))
        throw bench_error("not all events came through");
      reader.stop();
      const auto& seen = reader.latency();
      out.figure("latency",
                 fmt::format("{}, POST to WebSocket, 500/s, p50", e->name()),
                 seen.quantile_ms(0.5), "ms", 1.5);
      out.figure("latency",
                 fmt::format("{}, POST to WebSocket, 500/s, p99", e->name()),
                 seen.quantile_ms(0.99), "ms");
      out.figure("latency",
                 fmt::format("{}, POST to its answer, 500/s, p50", e->name()),
                 posts.latency.quantile_ms(0.5), "ms");
      server.stop();
    }
    e->drop(store);
  }
}

} // namespace eventweft::bench
