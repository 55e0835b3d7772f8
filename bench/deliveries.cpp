// SPDX-License-Identifier: Apache-2.0
#include "bench/engine.hpp"
#include "bench/parts.hpp"
#include "bench/poster.hpp"
#include "bench/receiver.hpp"
#include "bench/streams.hpp"

#include <fmt/format.h>

namespace eventweft::bench {

void measure_webhooks(const setting& s, report& out) {
  constexpr uint64_t endpoints = 100;
  const auto events = s.scaled(500, 100);
  const auto total = endpoints * events;
  for (const auto& e : all_engines(s)) {
    const auto store = e->fresh();
    std::string sample;
    double ours = 0;
    {
      receiver there;
      hub server{s,
                 "webhooks",
                 store,
                 {{"EVENTWEFT_WEBHOOKS_ALLOW_PRIVATE_NETWORKS", "true"}}};
      poster manager{server.address()};
      for (uint64_t n = 0; n < endpoints; ++n)
        manager.post(
            api_request("POST", "/api/v1/streams/all_events/subscriptions",
                        fmt::format(R"({{"url":"http://127.0.0.1:{}/{}"}})",
                                    there.address().port, n)));
      sample = sample_event(target_of(server, 1));
      const auto target = target_of(server, 2);
      if (!there.wait(endpoints, 30))
        throw bench_error("the first event did not reach every endpoint");
      const auto before = there.count();
      const auto start = now_ns();
      post_all({.to = target.address, .connections = 16, .count = events},
               [&](uint64_t n, std::string& request) {
                 request += target.request(n);
               });
      if (!there.wait(before + total, 300))
        throw bench_error("not all events reached all endpoints");
      ours = static_cast<double>(total) / seconds_between(start, now_ns());
      server.stop();
    }
    e->drop(store);
    // The same bytes from a client that does nothing else.
    receiver there;
    const auto request = api_request("POST", "/x", sample);
    const auto bare =
        post_all({.to = there.address(), .connections = 64, .count = total},
                 [&](uint64_t, std::string& o) { o += request; });
    out.rate(
        "webhooks",
        fmt::format("{}, each event to {} endpoints", e->name(), endpoints),
        ours, "webhooks/s", "bare HTTP client", bare.per_second());
  }
}

} // namespace eventweft::bench
