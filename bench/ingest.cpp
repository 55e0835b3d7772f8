// SPDX-License-Identifier: Apache-2.0
#include "bench/ingest.hpp"

#include "bench/parts.hpp"

#include <fmt/format.h>

#include <map>
#include <span>
#include <utility>

namespace eventweft::bench {

void add_to(ingest_result& total, const ingest_result& one) {
  total.posts.accepted += one.posts.accepted;
  total.posts.seconds += one.posts.seconds;
  total.posts.latency.add(one.posts.latency);
  total.server_cpu += one.server_cpu;
  total.engine_cpu += one.engine_cpu;
  total.own_cpu += one.own_cpu;
}

ingest_result ingest_at(const std::vector<const hub*>& servers, const engine& e,
                        const ingest_load& load) {
  post_options options{.to = servers.front()->address(),
                       .connections = load.senders};
  for (const auto* server : std::span{servers}.subspan(1))
    options.others.push_back(server->address());
  const auto post = [&](uint64_t first, uint64_t count) {
    options.count = count;
    return post_all(options, [&](uint64_t n, std::string& out) {
      n += first;
      append_request(out, load.examples[n % load.examples.size()], load.salt,
                     n);
    });
  };
  const auto servers_cpu = [&] {
    double seconds = 0;
    for (const auto* server : servers)
      seconds += cpu_seconds(server->pid());
    return seconds;
  };
  if (load.warm_up > 0)
    post(load.count, load.warm_up);
  const auto own = own_cpu_seconds();
  const auto engine_before = e.cpu();
  const auto server_before = servers_cpu();
  ingest_result result;
  result.posts = post(0, load.count);
  result.own_cpu = own_cpu_seconds() - own;
  result.engine_cpu = e.cpu() - engine_before;
  result.server_cpu = servers_cpu() - server_before;
  return result;
}

ingest_result
ingest(const setting& s, engine& e, const std::string& url,
       const ingest_load& load,
       std::vector<std::pair<std::string, std::string>> environment) {
  hub server{s, "ingest", url, std::move(environment)};
  auto result = ingest_at({&server}, e, load);
  server.stop();
  return result;
}

namespace {

constexpr const char* ingest_part = "ingest";

/// What it costs, and how long a sender waits.
void tell_costs(const std::string& what, const ingest_result& total,
                report& out) {
  const auto figure = [&](const char* of, double value, const char* unit) {
    out.figure(ingest_part, what + of, value, unit);
  };
  figure(": time to the answer, p50", total.posts.latency.quantile_ms(0.5),
         "ms");
  figure(": time to the answer, p99", total.posts.latency.quantile_ms(0.99),
         "ms");
  const auto cpu = [&](const char* of, double seconds) {
    figure(of, total.us_per_event(seconds), "µs/event");
  };
  cpu(": CPU of eventweft", total.server_cpu);
  if (total.engine_cpu > 0)
    cpu(": CPU of the engine", total.engine_cpu);
  cpu(": CPU of the load generator", total.own_cpu);
}

void measure(const setting& s, engine& e, report& out) {
  const auto examples = load_examples(s.examples);
  const auto count = s.scaled(20'000, 4'000);
  std::unique_ptr<row_set> rows;
  std::map<uint32_t, ingest_result> totals;
  double loading = 0;
  for (uint32_t round = 1; round <= turns; ++round) {
    for (const auto senders : sender_counts) {
      const auto url = e.fresh();
      e.settle();
      const auto result = ingest(s, e, url, {examples, count, round, senders});
      add_to(totals[senders], result);
      progress(fmt::format("{} {}, {} connections: {:.0f} events/s, p50 {:.1f} "
                           "ms",
                           e.name(), ingest_part, senders,
                           result.posts.per_second(),
                           result.posts.latency.quantile_ms(0.5)));
      if (!rows)
        rows = e.capture(url);
      e.drop(url);
    }
    // Threads that are found to be one are told of by an event, too.
    if (rows->size() < count || rows->size() > count + examples.size())
      throw bench_error(
          fmt::format("{} of {} events are stored", rows->size(), count));
    e.settle();
    const auto took = e.load(*rows, {});
    loading += took;
    progress(fmt::format("{} limit: {:.0f} rows/s", e.name(),
                         static_cast<double>(count) / took));
  }
  const auto one_load = static_cast<double>(count);
  for (const auto& [senders, total] : totals) {
    const auto what = fmt::format("{}, {} connections", e.name(), senders);
    out.rate(ingest_part, what, total.posts.per_second(), "events/s",
             std::string{e.load_name()}, turns * one_load / loading, 0.7);
    tell_costs(what, total, out);
  }
  const auto what = fmt::format("{}, {} connections", e.name(), few_senders);
  const auto rate = totals[few_senders].posts.per_second();
  out.rate(ingest_part, what, rate, "events/s", "the same, 64 events a commit",
           one_load / e.load(*rows, {.batch = 64}));
  out.rate(ingest_part, what, rate, "events/s", "the same into `events` alone",
           one_load / e.load(*rows, {.events_only = true}));
}

} // namespace

void measure_ingest(const setting& s, report& out) {
  for (const auto& e : all_engines(s))
    measure(s, *e, out);
}

void measure_growth(const setting& s, report& out) {
  const std::string part = "growth";
  const auto examples = load_examples(s.examples);
  const auto stored = s.scaled(s.growth, s.growth / 10);
  const auto count = s.scaled(20'000, 4'000);
  std::vector<webhook_example> small;
  for (uint64_t n = 0; n < 1'000; ++n)
    small.push_back(tagged_webhook(n));
  for (const auto& e : all_engines(s)) {
    const auto full = e->fresh();
    ingest(s, *e, full, {small, small.size(), 1});
    const auto start = now_ns();
    e->grow(full, stored);
    progress(fmt::format("{}: {} events stored in {:.0f} s", e->name(), stored,
                         seconds_between(start, now_ns())));
    double grown = 0;
    double empty = 0;
    for (uint32_t round = 2; round <= 3; ++round) {
      const auto url = e->fresh();
      e->settle();
      empty += ingest(s, *e, url, {examples, count, round}).posts.seconds;
      e->drop(url);
      e->settle();
      grown += ingest(s, *e, full, {examples, count, round}).posts.seconds;
    }
    e->drop(full);
    const auto all = 2.0 * static_cast<double>(count);
    out.rate(part, fmt::format("{} with {} events stored", e->name(), stored),
             all / grown, "events/s", "an empty store", all / empty, 0.9);
  }
}

} // namespace eventweft::bench
