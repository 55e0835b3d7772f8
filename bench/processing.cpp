// SPDX-License-Identifier: Apache-2.0
#include "bench/ingest.hpp"
#include "bench/parts.hpp"
#include "processing/dispatcher.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

namespace eventweft::bench {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* processing_part = "processing";
constexpr const char* with_handler =
    "[processors.idle]\nkind = \"noop\"\nconcurrency = 0\n";
constexpr const char* from_the_start =
    "[processors.idle]\nkind = \"noop\"\nconcurrency = 0\n"
    "start = \"earliest\"\n";

/// Puts (or takes away) the configuration file of a hub of that name.
void configure(const setting& s, const std::string& name,
               const std::string& text) {
  fs::create_directories(s.work / name);
  const auto file = s.work / name / "eventweft.toml";
  fs::remove(file);
  if (!text.empty())
    std::ofstream{file} << text;
}

/// The number after `"key":` in the JSON of the metrics.
uint64_t number_of(const std::string& text, const std::string& key) {
  const auto at = text.find('"' + key + "\":");
  if (at == std::string::npos)
    return 0;
  return std::strtoull(text.c_str() + at + key.size() + 3, nullptr, 10);
}

uint64_t completed(const hub& server) {
  const auto text = http_get(server.address(), "/api/v1/metrics");
  const auto at = text.find("\"processors\"");
  return at == std::string::npos ? 0 : number_of(text.substr(at), "completed");
}

void wait_for_completed(const hub& server, uint64_t count) {
  const auto end = now_ns() + 300'000'000'000;
  while (completed(server) < count) {
    if (now_ns() > end)
      throw bench_error(
          fmt::format("{} of {} events are handled", completed(server), count));
    std::this_thread::sleep_for(20ms);
  }
}

struct round_result {
  double posting = 0;
  /// Until the last one was handled, too.
  double handled = 0;
};

round_result post_round(const setting& s, engine& e, bool handler,
                        const std::vector<webhook_example>& examples,
                        uint64_t count, uint32_t salt) {
  const auto url = e.fresh();
  e.settle();
  configure(s, processing_part, handler ? with_handler : "");
  round_result out;
  {
    hub server{s, processing_part, url};
    const auto begin = now_ns();
    const post_options options{
        .to = server.address(), .connections = 64, .count = count};
    out.posting =
        post_all(options, [&](uint64_t n, std::string& text) {
          append_request(text, examples[n % examples.size()], salt, n);
        }).seconds;
    if (handler)
      wait_for_completed(server, count);
    out.handled = seconds_between(begin, now_ns());
    server.stop();
  }
  e.drop(url);
  return out;
}

/// What an idle handler on every event costs ingest.
void measure_cost(const setting& s, report& out) {
  const auto e = make_postgres(s);
  const auto examples = load_examples(s.examples);
  const auto count = s.scaled(15'000, 4'000);
  round_result with;
  round_result without;
  for (uint32_t round = 1; round <= turns; ++round) {
    const auto bare = post_round(s, *e, false, examples, count, round);
    const auto busy = post_round(s, *e, true, examples, count, round);
    without.posting += bare.posting;
    with.posting += busy.posting;
    with.handled += busy.handled;
    progress(fmt::format("processing: {:.0f} events/s without, {:.0f} with an "
                         "idle handler",
                         static_cast<double>(count) / bare.posting,
                         static_cast<double>(count) / busy.posting));
  }
  const auto all = turns * static_cast<double>(count);
  out.rate(processing_part, "PostgreSQL, an idle handler on every event",
           all / with.posting, "events/s", "no handler", all / without.posting,
           0.85);
  out.rate(processing_part,
           "the same, until the last one is handled and written",
           all / with.handled, "events/s", "no handler", all / without.posting);
}

/// How the lanes share the turns of a processor that runs one at a time.
void measure_shares(report& out) {
  processing::dispatcher dispatcher;
  processing::workload one;
  for (seq_t seq = 1; seq <= 10'000; ++seq)
    dispatcher.add(one, static_cast<size_t>(seq) % processing::lane_count, seq);
  std::array<size_t, processing::lane_count> got{};
  for (int i = 0; i < 3'000; ++i) {
    ++got[dispatcher.next(false)->lane];
    // A worker that comes for more while it runs.
    if (dispatcher.next(false))
      throw bench_error("two at a time");
    dispatcher.ended(one);
  }
  constexpr std::array names{"low", "normal", "high", "critical"};
  for (size_t lane = got.size(); lane-- > 0;)
    out.figure(
        processing_part,
        fmt::format("of the first 3,000 of 10,000 mixed ones: {}", names[lane]),
        static_cast<double>(got[lane]), "events");
}

std::string custom_request(const std::string& priority, const std::string& id) {
  const auto body = fmt::format(
      R"({{"event_type":"bench","event_id":"{}","priority":"{}","payload":{{}}}})",
      id, priority);
  return fmt::format("POST /events HTTP/1.1\r\nHost: bench\r\n"
                     "Content-Type: application/json\r\n"
                     "Content-Length: {}\r\n\r\n{}",
                     body.size(), body);
}

/// The upper bound of the histogram's bucket that holds the quantile, in
/// milliseconds.
double quantile_of(const std::string& metrics, const std::string& lane,
                   double q) {
  const std::string mark =
      "eventweft_lane_wait_seconds_bucket{lane=\"" + lane + "\",le=\"";
  std::vector<std::pair<double, double>> buckets;
  for (size_t at = 0; (at = metrics.find(mark, at)) != std::string::npos;) {
    at += mark.size();
    const double bound = metrics.compare(at, 4, "+Inf") == 0
                             ? 1e9
                             : std::strtod(metrics.c_str() + at, nullptr);
    const auto space = metrics.find("} ", at);
    buckets.emplace_back(bound,
                         std::strtod(metrics.c_str() + space + 2, nullptr));
  }
  if (buckets.empty() || buckets.back().second == 0)
    throw bench_error("no urgent event was handled");
  for (const auto& [bound, count] : buckets)
    if (count >= q * buckets.back().second)
      return bound * 1e3;
  return 0;
}

/// How long urgent events wait behind a backlog.
void measure_wait(const setting& s, report& out) {
  const auto e = make_postgres(s);
  const auto url = e->fresh();
  const auto backlog = s.scaled(100'000, 10'000);
  const std::vector<std::pair<std::string, std::string>> open{
      {"EVENTWEFT_PLATFORMS_EVENTS_ALLOW_UNSIGNED", "true"}};
  configure(s, processing_part, "");
  {
    hub server{s, processing_part, url, open};
    post_all({.to = server.address(), .connections = 64, .count = backlog},
             [](uint64_t n, std::string& text) {
               text += custom_request("low", "low-" + std::to_string(n));
             });
    server.stop();
  }
  configure(s, processing_part, from_the_start);
  hub server{s, processing_part, url, open};
  uint64_t urgent = 0;
  poster sender{server.address()};
  const auto begin = now_ns();
  while (completed(server) < backlog &&
         seconds_between(begin, now_ns()) < 120) {
    for (int i = 0; i < 5; ++i) {
      sender.post(
          custom_request("critical", "urgent-" + std::to_string(urgent++)));
      std::this_thread::sleep_for(4ms);
    }
  }
  wait_for_completed(server, backlog + urgent);
  const auto text = http_get(server.address(), "/metrics");
  server.stop();
  e->drop(url);
  out.figure(processing_part,
             fmt::format("p99 of {} urgent events' wait for a worker behind {} "
                         "low ones (upper bound)",
                         urgent, backlog),
             quantile_of(text, "critical", 0.99), "ms", 10);
  out.figure(processing_part, "p50 of the same (upper bound)",
             quantile_of(text, "critical", 0.5), "ms");
}

/// npm's probot with a handler that does nothing, in memory.
class probot_server {
 public:
  explicit probot_server(const setting& s) {
    const auto root = s.examples.parent_path()
                          .parent_path()
                          .parent_path()
                          .parent_path()
                          .parent_path();
    const auto modules = root.parent_path() / "probot" / "node_modules";
    const auto directory = s.work / "probot";
    fs::create_directories(directory);
    address_.port = free_port();
    std::ofstream{directory / "probot.mjs"} << R"(
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
const require = createRequire(process.env.PROBOT_MODULES + '/x.js');
const { Probot, createNodeMiddleware } = await import(
  'file://' + require.resolve('probot'));
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' } });
const probot = new Probot({ appId: 1, privateKey, logLevel: 'fatal',
  secret: process.env.GITHUB_WEBHOOK_SECRET });
const app = (app) => { app.onAny(() => {}); };
const middleware = await createNodeMiddleware(app, { probot,
  webhooksPath: '/github/events' });
createServer((req, res) => middleware(req, res, () => {
  res.statusCode = 404; res.end();
})).listen(Number(process.env.PORT), '127.0.0.1',
  () => console.log('listening'));
)";
    process_ = child{{{"node", (directory / "probot.mjs").string()},
                      {{"PORT", std::to_string(address_.port)},
                       {"PROBOT_MODULES", modules.string()},
                       {"GITHUB_WEBHOOK_SECRET", std::string{webhook_secret}}},
                      directory,
                      directory / "log",
                      std::nullopt}};
    const auto end = now_ns() + 60'000'000'000;
    while (process_.said().find("listening") == std::string::npos) {
      if (!process_.running() || now_ns() > end)
        throw bench_error("probot does not start:\n" + process_.said());
      std::this_thread::sleep_for(10ms);
    }
  }

  const endpoint& address() const noexcept { return address_; }

 private:
  child process_;
  endpoint address_;
};

void measure_probot(const setting& s, report& out) {
  const auto examples = load_examples(s.examples);
  const auto count = s.scaled(5'000, 1'000);
  const auto write = [&examples](uint64_t n, std::string& text) {
    append_request(text, examples[n % examples.size()], 9, n);
  };
  double theirs = 0;
  {
    probot_server server{s};
    theirs =
        post_all({.to = server.address(), .connections = 64, .count = count},
                 write)
            .per_second();
  }
  for (const auto& e : all_engines(s)) {
    const auto ours = post_round(s, *e, true, examples, 4 * count, 9);
    out.rate(processing_part, fmt::format("handled and durable, {}", e->name()),
             4.0 * static_cast<double>(count) / ours.handled, "events/s",
             "npm's probot with the same handler, in memory", theirs, 2.0);
  }
}

} // namespace

void measure_processing(const setting& s, report& out) {
  measure_shares(out);
  measure_cost(s, out);
  measure_wait(s, out);
  measure_probot(s, out);
}

} // namespace eventweft::bench
