// SPDX-License-Identifier: Apache-2.0
#include "bench/ingest.hpp"

#include "bench/parts.hpp"

#include <fmt/format.h>

#include <span>
#include <utility>

namespace eventweft::bench {

ingest_result ingest_at(const std::vector<const hub*>& servers, const engine& e,
                        const std::vector<webhook_example>& examples,
                        uint64_t count, uint32_t salt) {
  post_options options{
      .to = servers.front()->address(), .connections = 64, .count = count};
  for (const auto* server : std::span{servers}.subspan(1))
    options.others.push_back(server->address());
  const auto servers_cpu = [&] {
    double seconds = 0;
    for (const auto* server : servers)
      seconds += cpu_seconds(server->pid());
    return seconds;
  };
  const auto own = own_cpu_seconds();
  const auto engine_before = e.cpu();
  const auto server_before = servers_cpu();
  ingest_result result;
  result.posts = post_all(options, [&](uint64_t n, std::string& out) {
    append_request(out, examples[n % examples.size()], salt, n);
  });
  result.own_cpu = own_cpu_seconds() - own;
  result.engine_cpu = e.cpu() - engine_before;
  result.server_cpu = servers_cpu() - server_before;
  return result;
}

ingest_result
ingest(const setting& s, engine& e, const std::string& url,
       const std::vector<webhook_example>& examples, uint64_t count,
       uint32_t salt,
       std::vector<std::pair<std::string, std::string>> environment) {
  hub server{s, "ingest", url, std::move(environment)};
  auto result = ingest_at({&server}, e, examples, count, salt);
  server.stop();
  return result;
}

namespace {

void measure(const setting& s, engine& e, report& out) {
  const std::string part = "ingest";
  const auto examples = load_examples(s.examples);
  const auto count = s.scaled(20'000, 4'000);
  std::unique_ptr<row_set> rows;
  ingest_result total;
  double posting = 0;
  double loading = 0;
  for (uint32_t round = 1; round <= turns; ++round) {
    const auto url = e.fresh();
    e.settle();
    const auto result = ingest(s, e, url, examples, count, round);
    posting += result.posts.seconds;
    total.server_cpu += result.server_cpu;
    total.engine_cpu += result.engine_cpu;
    total.own_cpu += result.own_cpu;
    progress(fmt::format("{} {}: {:.0f} events/s, p50 {:.1f} ms", e.name(),
                         part, result.posts.per_second(),
                         result.posts.latency.quantile_ms(0.5)));
    if (!rows)
      rows = e.capture(url);
    e.drop(url);
    // Threads that are found to be one are told of by an event, too.
    if (rows->size() < count || rows->size() > count + examples.size())
      throw bench_error(
          fmt::format("{} of {} events are stored", rows->size(), count));
    e.settle();
    const auto took = e.load(*rows, {});
    loading += took;
    progress(fmt::format("{} limit: {:.0f} rows/s", e.name(),
                         static_cast<double>(count) / took));
    if (round == turns)
      total.posts = result.posts;
  }
  const auto all = turns * static_cast<double>(count);
  out.rate(part, fmt::format("{}, 64 connections", e.name()), all / posting,
           "events/s", std::string{e.load_name()}, all / loading, 0.7);
  out.rate(part, fmt::format("{}, 64 connections", e.name()), all / posting,
           "events/s", "the same, 64 events a commit",
           static_cast<double>(count) / e.load(*rows, {.batch = 64}));
  out.rate(part, fmt::format("{}, 64 connections", e.name()), all / posting,
           "events/s", "the same into `events` alone",
           static_cast<double>(count) / e.load(*rows, {.events_only = true}));
  out.figure(part, fmt::format("{}: time to the answer, p50", e.name()),
             total.posts.latency.quantile_ms(0.5), "ms");
  out.figure(part, fmt::format("{}: time to the answer, p99", e.name()),
             total.posts.latency.quantile_ms(0.99), "ms");
  const auto to_microseconds = 1e6 / all;
  out.figure(part, fmt::format("{}: CPU of eventweft", e.name()),
             total.server_cpu * to_microseconds, "µs/event");
  if (total.engine_cpu > 0)
    out.figure(part, fmt::format("{}: CPU of the engine", e.name()),
               total.engine_cpu * to_microseconds, "µs/event");
  out.figure(part, fmt::format("{}: CPU of the load generator", e.name()),
             total.own_cpu * to_microseconds, "µs/event");
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
    ingest(s, *e, full, small, small.size(), 1);
    const auto start = now_ns();
    e->grow(full, stored);
    progress(fmt::format("{}: {} events stored in {:.0f} s", e->name(), stored,
                         seconds_between(start, now_ns())));
    double grown = 0;
    double empty = 0;
    for (uint32_t round = 2; round <= 3; ++round) {
      const auto url = e->fresh();
      e->settle();
      empty += ingest(s, *e, url, examples, count, round).posts.seconds;
      e->drop(url);
      e->settle();
      grown += ingest(s, *e, full, examples, count, round).posts.seconds;
    }
    e->drop(full);
    const auto all = 2.0 * static_cast<double>(count);
    out.rate(part, fmt::format("{} with {} events stored", e->name(), stored),
             all / grown, "events/s", "an empty store", all / empty, 0.9);
  }
}

} // namespace eventweft::bench
