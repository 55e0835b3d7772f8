// SPDX-License-Identifier: Apache-2.0
#include "bench/generators/team_week.hpp"
#include "bench/ingest.hpp"
#include "bench/parts.hpp"
#include "persistence/store.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace eventweft::bench {

namespace {

constexpr const char* correlation_part = "correlation";

/// What a team sends from GitHub, as large as real payloads are.
std::vector<webhook_example> team_webhooks(uint64_t count) {
  week_options options;
  // About four of a work's events are GitHub's.
  options.works = static_cast<uint32_t>(count / 3);
  options.retried = 0;
  options.filling = 8'000;
  std::vector<webhook_example> out;
  for (auto& w : team_week(options)) {
    if (w.platform != "github")
      continue;
    out.push_back(sign_webhook(w.event_type.substr(0, w.event_type.find(':')),
                               std::move(w.payload)));
    if (out.size() == count)
      break;
  }
  if (out.size() < count)
    throw bench_error("the team is too small");
  return out;
}

/// Of senders that keep the server busy.
void measure_cost(const setting& s, engine& e, const std::string& whose,
                  const std::vector<webhook_example>& webhooks, report& out) {
  const auto count = s.scaled(12'000, 4'000);
  ingest_result on;
  ingest_result off;
  for (uint32_t round = 1; round <= turns; ++round)
    for (const bool enabled : {false, true}) {
      const auto url = e.fresh();
      e.settle();
      const auto result = ingest(
          s, e, url, {webhooks, count, round, many_senders},
          {{"EVENTWEFT_EVENT_ENABLE_CORRELATION", enabled ? "true" : "false"}});
      add_to(enabled ? on : off, result);
      progress(fmt::format("{}, {}, correlation {}: {:.0f} events/s", e.name(),
                           whose, enabled ? "on" : "off",
                           result.posts.per_second()));
      e.drop(url);
    }
  const auto what = fmt::format("{}, {}", e.name(), whose);
  out.rate(correlation_part, what, on.posts.per_second(), "events/s",
           "correlation off", off.posts.per_second(), 0.8);
  const auto cpu = [](const ingest_result& r) {
    return r.us_per_event(r.server_cpu + r.engine_cpu);
  };
  out.figure(correlation_part, what + ": CPU of correlation",
             cpu(on) - cpu(off), "µs/event");
}

class source {
 public:
  /// An event with `keys` keys of its own, in the thread of `shared` if that
  /// is not empty.
  event_ptr make(size_t keys, const std::string& shared) {
    const auto now = clock_.now();
    event e;
    e.id = uuid::v7(now, random_);
    e.event_id = std::to_string(++n_);
    e.platform = "custom";
    e.event_type = "bench";
    e.created_at = now;
    e.payload = shared_text{R"({"n":)" + e.event_id + "}"};
    for (size_t i = 0; i < keys; ++i)
      e.keys.push_back({.key = fmt::format("bench:{}:{}", n_, i)});
    if (!shared.empty())
      e.keys.push_back(
          {.key = shared,
           .type = {correlation_noun::event, correlation_noun::custom}});
    return event_ptr{std::move(e)};
  }

 private:
  uint64_t n_ = 0;
  system_clock clock_;
  system_random random_;
};

/// Seconds to append `count` events, 64 a transaction.
double append(store_session& session, source& from, size_t count, size_t keys,
              const std::string& shared) {
  constexpr size_t batch = 64;
  double seconds = 0;
  for (size_t done = 0; done < count; done += batch) {
    std::vector<event_ptr> events;
    for (size_t i = 0; i < std::min(batch, count - done); ++i)
      events.push_back(from.make(keys, shared));
    const auto start = now_ns();
    const auto stored = session.append_and_join(events);
    seconds += seconds_between(start, now_ns());
    if (!stored)
      throw bench_error(stored.error().message);
  }
  return seconds;
}

void measure_size(const setting& s, engine& e, report& out) {
  constexpr size_t sample = 2'048;
  constexpr size_t large_thread = 10'000;
  const auto keys = s.scaled(1'000'000, 300'000);
  const auto url = e.fresh();
  e.settle();
  const auto store = open_store({.url = url}).value();
  const auto session = store->open_session();
  source from;
  append(*session, from, sample, 3, "small");
  const auto before = append(*session, from, sample, 3, "small");
  // One thread of 10,000 events; all other keys are of threads of their own.
  append(*session, from, large_thread, 20, "large");
  append(*session, from, (keys - large_thread * 20) / 60, 60, {});
  e.settle();
  append(*session, from, sample, 3, "large");
  const auto after = append(*session, from, sample, 3, "large");
  e.drop(url);
  out.rate(correlation_part,
           fmt::format("{}: to a thread of {} events, with {} keys", e.name(),
                       large_thread, keys),
           sample / after, "events/s", "to a small one in an empty store",
           sample / before, 0.8);
}

} // namespace

void measure_correlation(const setting& s, report& out) {
  const auto octokits = load_examples(s.examples);
  const auto teams = team_webhooks(s.scaled(12'000, 4'000));
  for (const auto& e : all_engines(s)) {
    measure_cost(s, *e, "the webhooks of `ingest`", octokits, out);
    measure_cost(s, *e, "a team's webhooks", teams, out);
    measure_size(s, *e, out);
  }
}

} // namespace eventweft::bench
