// SPDX-License-Identifier: Apache-2.0
#include "bench/latency.hpp"

#include "bench/engine.hpp"
#include "bench/parts.hpp"
#include "bench/poster.hpp"

#include <fmt/format.h>

namespace eventweft::bench {

latency_result measure_paced(const stream_target& sender,
                             const endpoint& reader, uint64_t count) {
  const auto marks = make_marks(count);
  reader_swarm swarm{
      {reader, sender.websocket_path, stream_kind::websocket, 1, true}, marks};
  auto posts = post_all(
      {.to = sender.address, .connections = 16, .count = count, .rate = 500},
      [&](uint64_t n, std::string& request) {
        request += sender.request(n);
        (*marks)[n] = now_ns();
      });
  if (!swarm.wait_delivered(count, 30))
    throw bench_error("not all events came through");
  swarm.stop();
  return {swarm.latency(), std::move(posts.latency)};
}

void measure_latency(const setting& s, report& out) {
  for (const auto& e : all_engines(s)) {
    const auto store = e->fresh();
    {
      hub server{s, "latency", store};
      // For less than the server waits for a header: a connection that nobody
      // needs so far says nothing.
      const auto seen = measure_paced(target_of(server, 1), server.address(),
                                      s.scaled(4'000, 1'000));
      out.figure("latency",
                 fmt::format("{}, POST to WebSocket, 500/s, p50", e->name()),
                 seen.delivery.quantile_ms(0.5), "ms", 1.5);
      out.figure("latency",
                 fmt::format("{}, POST to WebSocket, 500/s, p99", e->name()),
                 seen.delivery.quantile_ms(0.99), "ms");
      out.figure("latency",
                 fmt::format("{}, POST to its answer, 500/s, p50", e->name()),
                 seen.answer.quantile_ms(0.5), "ms");
      server.stop();
    }
    e->drop(store);
  }
}

} // namespace eventweft::bench
