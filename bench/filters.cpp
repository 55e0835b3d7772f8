// SPDX-License-Identifier: Apache-2.0
#include "bench/engine.hpp"
#include "bench/parts.hpp"
#include "bench/poster.hpp"
#include "bench/streams.hpp"
#include "bench/webhooks.hpp"
#include "bench/wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace eventweft::bench {

namespace {

struct filters_result {
  /// Events a second, from the first request to the last delivery.
  double per_second = 0;
  /// CPU µs of the server for one event: taken in, stored, matched, delivered.
  double cpu = 0;
};

/// The filter of one reader alone, as it stands in a URL.
std::string filter_for(unsigned reader) {
  return "?filter=%7B%22custom_filters%22:%7B%22payload.n%22:%22" +
         tag_text(reader) + "%22%7D%7D";
}

/// `readers` of one event each in turn: as many different filters, and each
/// event matches one of them, and that of a witness who reads everything.
filters_result with_filters(const setting& s, engine& e, unsigned readers,
                            uint64_t events) {
  const auto store = e.fresh();
  filters_result result;
  {
    hub server{s, "filters", store};
    const auto target = target_of(server, 1);
    reader_swarm many{{target.address, target.websocket_path,
                       stream_kind::websocket, readers, false, filter_for},
                      nullptr};
    reader_swarm witness{{target.address, target.websocket_path,
                          stream_kind::websocket, 1, false},
                         nullptr};
    uint64_t sent = 0;
    const auto post = [&](uint64_t count) {
      const auto first = sent;
      post_all({.to = target.address, .connections = 32, .count = count},
               [&](uint64_t i, std::string& out) {
                 const auto n = first + i;
                 append_request(out, tagged_webhook(n % readers), 1, n);
               });
      sent += count;
      if (!witness.wait_delivered(sent, 120) || !many.wait_delivered(sent, 120))
        throw bench_error(fmt::format("{} filters: {} of {} events", readers,
                                      many.delivered(), sent));
    };
    // Until each has had an event, some may not be live yet.
    post(std::max<uint64_t>(readers, 500));
    const auto cpu = cpu_seconds(target.pid);
    const auto start = now_ns();
    post(events);
    const auto last = std::max(many.last_delivery(), witness.last_delivery());
    result.per_second =
        static_cast<double>(events) / seconds_between(start, last);
    result.cpu =
        (cpu_seconds(target.pid) - cpu) * 1e6 / static_cast<double>(events);
    many.stop();
    witness.stop();
    server.stop();
  }
  e.drop(store);
  return result;
}

} // namespace

void measure_filters(const setting& s, report& out) {
  const auto e = make_sqlite(s);
  const auto events = s.scaled(10'000, 2'000);
  const auto one = with_filters(s, *e, 1, events);
  out.figure("filters", "one filter, CPU for one event", one.cpu, "µs");
  for (const unsigned readers :
       {100u, static_cast<unsigned>(s.scaled(10'000, 2'000))}) {
    const auto many = with_filters(s, *e, readers, events);
    const auto what = fmt::format("{} readers, each with its own", readers);

    out.rate("filters", what, many.per_second, "events/s", "one filter",
             one.per_second);
    // Any number of filters may not cost half as much again.
    out.cost("filters", what + ", CPU for one event", many.cpu, "µs",
             "one filter", one.cpu, 0.66);
  }
}

} // namespace eventweft::bench
