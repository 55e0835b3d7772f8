// SPDX-License-Identifier: Apache-2.0
#include "bench/engine.hpp"
#include "bench/parts.hpp"
#include "bench/poster.hpp"
#include "bench/streams.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

namespace eventweft::bench {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr unsigned fanout_readers = 1'000;
/// Events before the measurement: when they have arrived, all readers are live.
constexpr uint64_t warm_up = 20;

struct fanout_result {
  double per_second = 0;
  double p50 = 0;
  double p99 = 0;
  /// CPU µs of the server for one delivery.
  double cpu = 0;
};

class fanout {
 public:
  fanout(const stream_target& target, stream_kind kind, uint64_t events)
      : target_(target),
        marks_(make_marks(warm_up + events)),
        swarm_({.to = target.address,
                .path = target.path(kind),
                .kind = kind,
                .readers = fanout_readers,
                .headers = target.headers},
               marks_) {
    poster sender{target_.address};
    for (uint64_t n = 0; n < warm_up; ++n) {
      sender.post(target_.request(n));
      expect((n + 1) * fanout_readers);
    }
  }

  /// One event at a time, at most 200 a second, for `seconds`.
  fanout_result paced(double seconds) {
    poster sender{target_.address};
    const auto cpu = cpu_seconds(target_.pid);
    const auto start = now_ns();
    const auto end = start + static_cast<int64_t>(seconds * 1e9);
    uint64_t n = warm_up;
    for (; n < marks_->size() && now_ns() < end; ++n) {
      const auto request = target_.request(n);
      const auto began = now_ns();
      (*marks_)[n] = began;
      sender.post(request);
      expect((n + 1) * fanout_readers);
      std::this_thread::sleep_for(
          std::chrono::nanoseconds{began + 5'000'000 - now_ns()});
    }
    const auto result = finish(n - warm_up, start, cpu);
    if (swarm_.faults() != 0)
      throw bench_error(target_.name +
                        ": events lost, doubled or out of order");
    return result;
  }

  /// As many as there are marks for, as fast as they are taken.
  fanout_result burst() {
    const auto cpu = cpu_seconds(target_.pid);
    const auto start = now_ns();
    post_all({.to = target_.address,
              .connections = 64,
              .count = marks_->size() - warm_up},
             [&](uint64_t i, std::string& out) {
               const auto n = warm_up + i;
               out += target_.request(n);
               (*marks_)[n] = now_ns();
             });
    expect(marks_->size() * fanout_readers);
    return finish(marks_->size() - warm_up, start, cpu);
  }

 private:
  void expect(uint64_t deliveries) {
    if (!swarm_.wait_delivered(deliveries, 120))
      throw bench_error(fmt::format("{}: only {} of {} deliveries",
                                    target_.name, swarm_.delivered(),
                                    deliveries));
  }

  fanout_result finish(uint64_t events, int64_t start, double cpu) {
    swarm_.stop();
    const auto deliveries = static_cast<double>(events) * fanout_readers;
    return {deliveries / seconds_between(start, swarm_.last_delivery()),
            swarm_.latency().quantile_ms(0.5),
            swarm_.latency().quantile_ms(0.99),
            (cpu_seconds(target_.pid) - cpu) * 1e6 / deliveries};
  }

  const stream_target& target_;
  std::shared_ptr<send_marks> marks_;
  reader_swarm swarm_;
};

using measurement = std::function<fanout_result(const stream_target&)>;

fanout_result of_hub(const setting& s, engine& e, const measurement& measure) {
  const auto store = e.fresh();
  fanout_result result;
  {
    hub server{s, "fanout", store};
    result = measure(target_of(server, 1));
    server.stop();
  }
  e.drop(store);
  return result;
}

/// Makes an API key in the store.
std::string make_key(const setting& s, const std::string& store,
                     std::vector<std::string> options) {
  const auto log = s.work / "fanout" / "key.json";
  fs::remove(log);
  std::vector<std::string> argv{s.binary, "keys",    "create",
                                "--json", "--store", store};
  std::ranges::move(options, std::back_inserter(argv));
  run({std::move(argv), {}, s.work / "fanout", log, std::nullopt}, 30s);
  std::ifstream in{log};
  const std::string said{std::istreambuf_iterator<char>{in}, {}};
  const std::string mark = R"("key":")";
  const auto at = said.find(mark);
  if (at == std::string::npos)
    throw bench_error("no API key: " + said);
  const auto begin = at + mark.size();
  return said.substr(begin, said.find('"', begin) - begin);
}

/// With all that guards streams switched on: readers show an API key that
/// forces a filter on them, requests are counted against limits, compression is
/// on offer, and a subscription's filter looks at every event.
fanout_result of_guarded_hub(const setting& s, engine& e,
                             const measurement& measure) {
  const auto store = e.fresh();
  fanout_result result;
  {
    const auto reading = make_key(
        s, store,
        {"--scope", "stream:*", "--filter", R"({"platforms":["github"]})"});
    const auto managing = make_key(s, store, {"--scope", "manage"});
    hub server{s,
               "fanout",
               store,
               {{"EVENTWEFT_AUTH_REQUIRED", "true"},
                {"EVENTWEFT_LIMITS_KEY_RATE", "1000000"},
                {"EVENTWEFT_LIMITS_KEY_BURST", "1000000"},
                {"EVENTWEFT_LIMITS_ADDRESS_RATE", "1000000"},
                {"EVENTWEFT_LIMITS_ADDRESS_BURST", "1000000"},
                {"EVENTWEFT_LIMITS_WEBHOOK_RATE", "1000000"},
                {"EVENTWEFT_LIMITS_WEBHOOK_BURST", "1000000"},
                {"EVENTWEFT_STREAMING_COMPRESSION", "true"},
                {"EVENTWEFT_WEBHOOKS_ALLOW_PRIVATE_NETWORKS", "true"}}};
    run({{s.binary, "subscriptions", "create", "all_events", "--url",
          fmt::format("http://127.0.0.1:{}", server.address().port), "--to",
          "http://127.0.0.1:9/", "--filter", R"({"event_types":["never"]})"},
         {{"EVENTWEFT_TOKEN", managing}},
         s.work / "fanout",
         s.work / "fanout" / "subscription.log",
         std::nullopt},
        30s);
    auto target = target_of(server, 1);
    target.headers = "Authorization: Bearer " + reading + "\r\n";
    result = measure(target);
    server.stop();
  }
  e.drop(store);
  return result;
}

/// The better of one worker and one for each processor.
fanout_result of_nchan(const setting& s, const std::string& event,
                       const measurement& measure) {
  fanout_result best;
  for (const auto* workers : {"1", "auto"}) {
    const nchan_server server{s, std::string{"nchan-"} + workers, workers};
    const auto result = measure(target_of(server, event));
    progress(fmt::format("nchan, {} worker(s): {:.0f} deliveries/s, p50 {:.1f} "
                         "ms, p99 {:.1f} ms",
                         workers, result.per_second, result.p50, result.p99));
    if (result.per_second > best.per_second)
      best = result;
  }
  return best;
}

void measure_kind(const setting& s, engine& e, const std::string& event,
                  stream_kind kind, report& out) {
  const auto name = to_string(kind);
  const double seconds = s.quick ? 2 : 6;
  const measurement paced = [&](const stream_target& t) {
    return fanout{t, kind, 5'000}.paced(seconds);
  };
  const measurement burst = [&](const stream_target& t) {
    return fanout{t, kind, s.scaled(1'000, 300)}.burst();
  };
  const measurement longer = [&](const stream_target& t) {
    return fanout{t, kind, s.scaled(6'000, 1'000)}.burst();
  };
  const auto ours = of_hub(s, e, paced);
  const auto guarded = of_guarded_hub(s, e, paced);
  const auto theirs = of_nchan(s, event, paced);
  const std::string part = "fanout";
  out.rate(part, fmt::format("{}, paced", name), ours.per_second,
           "deliveries/s", "nchan", theirs.per_second, 1.0);
  out.cost(part, fmt::format("{}, paced, p50", name), ours.p50, "ms", "nchan",
           theirs.p50);
  out.cost(part, fmt::format("{}, paced, p99", name), ours.p99, "ms", "nchan",
           theirs.p99, 1.0);
  out.rate(part, fmt::format("{}, paced, all guards on", name),
           guarded.per_second, "deliveries/s", "nchan", theirs.per_second, 1.0);
  const auto our_burst = of_hub(s, e, burst);
  const auto guarded_burst = of_guarded_hub(s, e, burst);
  const auto their_burst = of_nchan(s, event, burst);
  out.rate(part, fmt::format("{}, burst", name), our_burst.per_second,
           "deliveries/s", "nchan", their_burst.per_second, 3.0);
  out.rate(part, fmt::format("{}, burst, all guards on", name),
           guarded_burst.per_second, "deliveries/s", "nchan",
           their_burst.per_second, 3.0);
  out.cost(part, fmt::format("{}, burst, p99", name), our_burst.p99, "ms",
           "nchan", their_burst.p99);
  const auto our_longer = of_hub(s, e, longer);
  out.rate(part, fmt::format("{}, burst of six times the length", name),
           our_longer.per_second, "deliveries/s", "nchan, the short one",
           their_burst.per_second);
  out.cost(part, fmt::format("{}, paced, CPU for one delivery", name), ours.cpu,
           "µs", "nchan", theirs.cpu);
  out.cost(part, fmt::format("{}, burst, CPU for one delivery", name),
           our_burst.cpu, "µs", "nchan", their_burst.cpu);
}

} // namespace

void measure_fanout(const setting& s, report& out) {
  const auto e = make_sqlite(s);
  std::string event;
  {
    const auto store = e->fresh();
    hub server{s, "fanout", store};
    event = sample_event(target_of(server, 1));
    server.stop();
    e->drop(store);
  }
  progress(fmt::format("an event of the fan-out has {} bytes", event.size()));
  for (const auto kind : {stream_kind::websocket, stream_kind::sse})
    measure_kind(s, *e, event, kind, out);
}

} // namespace eventweft::bench
