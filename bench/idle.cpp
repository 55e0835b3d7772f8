// SPDX-License-Identifier: Apache-2.0
#include "bench/engine.hpp"
#include "bench/parts.hpp"
#include "bench/poster.hpp"
#include "bench/streams.hpp"

#include <fmt/format.h>

#include <cmath>
#include <thread>

namespace eventweft::bench {

namespace {

using namespace std::chrono_literals;

struct memory {
  /// KiB for each reader that has only connected, and for each after events
  /// have passed.
  double connected = 0;
  double after_events = 0;
};

/// Resident KiB once they stay the same.
double settled_kib(pid_t pid) {
  double last = -1;
  for (int attempt = 0; attempt < 25; ++attempt) {
    const auto now = static_cast<double>(resident_bytes(pid)) / 1024;
    if (std::abs(now - last) < 16)
      return now;
    last = now;
    std::this_thread::sleep_for(200ms);
  }
  return last;
}

memory memory_of(const stream_target& target, stream_kind kind,
                 unsigned readers) {
  // What the first readers cost belongs to the server, not to a reader.
  reader_swarm{{target.address, target.path(kind), kind, 64, false}, nullptr};
  const auto before = settled_kib(target.pid);
  reader_swarm swarm{{target.address, target.path(kind), kind, readers, false},
                     nullptr};
  const double each = readers;
  memory result;
  result.connected = (settled_kib(target.pid) - before) / each;
  poster sender{target.address};
  constexpr uint64_t events = 10;
  for (uint64_t n = 0; n < events; ++n)
    sender.post(target.request(n));
  if (!swarm.wait_delivered(events * readers, 60))
    throw bench_error("not all events reached all readers");
  result.after_events = (settled_kib(target.pid) - before) / each;
  return result;
}

} // namespace

void measure_idle(const setting& s, report& out) {
  const auto readers = static_cast<unsigned>(s.scaled(10'000, 2'000));
  const auto e = make_sqlite(s);
  std::string event;
  for (const auto kind : {stream_kind::websocket, stream_kind::sse}) {
    memory ours;
    const auto store = e->fresh();
    {
      hub server{s, "idle", store};
      if (event.empty())
        event = sample_event(target_of(server, 1));
      ours = memory_of(target_of(server, 2), kind, readers);
      server.stop();
    }
    e->drop(store);
    memory theirs;
    {
      const nchan_server server{s, "nchan-idle", "1"};
      theirs = memory_of(target_of(server, event), kind, readers);
    }
    const auto what =
        fmt::format("{}, each of {} readers", to_string(kind), readers);
    out.figure("idle", what, ours.connected, "KiB", 16);
    out.cost("idle", what + ", after events", ours.after_events, "KiB", "nchan",
             theirs.after_events);
  }
}

} // namespace eventweft::bench
