// SPDX-License-Identifier: Apache-2.0
#include "bench/ingest.hpp"
#include "bench/parts.hpp"
#include "bench/streams.hpp"

#include <fmt/format.h>

namespace eventweft::bench {

namespace {

double read_all(const setting& s, const std::string& store, stream_kind kind,
                uint64_t count) {
  hub server{s, "catchup", store};
  const auto target = target_of(server, 1);
  const auto start = now_ns();
  reader_swarm reader{
      {target.address, target.path(kind) + "?since=earliest", kind, 1, false},
      nullptr};
  if (!reader.wait_delivered(count, 120))
    throw bench_error(fmt::format("only {} of {} events came through",
                                  reader.delivered(), count));
  reader.stop();
  const auto seconds = seconds_between(start, reader.last_delivery());
  server.stop();
  return seconds;
}

} // namespace

void measure_catchup(const setting& s, report& out) {
  const auto examples = load_examples(s.examples);
  const auto count = s.scaled(100'000, 10'000);
  for (const auto& e : all_engines(s)) {
    const auto store = e->fresh();
    ingest(s, *e, store, {examples, examples.size(), 1});
    e->grow(store, count);
    // The first one warms the caches for all.
    e->scan(store);
    const auto events = static_cast<double>(count);
    const auto scan = events / e->scan(store);
    for (const auto kind : {stream_kind::websocket, stream_kind::sse})
      out.rate("catchup", fmt::format("{} from {}", to_string(kind), e->name()),
               events / read_all(s, store, kind, count), "events/s",
               std::string{e->scan_name()} + " of the same rows", scan, 0.5);
    e->drop(store);
  }
}

} // namespace eventweft::bench
