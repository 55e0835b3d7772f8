// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/github.hpp"
#include "bench/parts.hpp"
#include "bench/webhooks.hpp"
#include "codec/event_json.hpp"
#include "codec/filter.hpp"
#include "codec/filter_index.hpp"
#include "codec/json_text.hpp"
#include "codec/payload.hpp"
#include "crypto/digest.hpp"

#include <benchmark/benchmark.h>

namespace eventweft::bench {

namespace {

/// Puts Google Benchmark's results into the one table.
class to_report final : public benchmark::BenchmarkReporter {
 public:
  explicit to_report(report& out) : out_(out) {}

  bool ReportContext(const Context&) override { return true; }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const auto& run : runs)
      out_.figure("micro", run.benchmark_name(), run.GetAdjustedCPUTime() / 1e3,
                  "µs");
  }

 private:
  report& out_;
};

/// Calls `work` with one example after another.
template <class Work>
void add(const std::string& name, const std::vector<webhook_example>& examples,
         Work work) {
  benchmark::RegisterBenchmark(
      name.c_str(), [&examples, work](benchmark::State& state) mutable {
        size_t i = 0;
        for (auto _ : state)
          work(examples[i++ % examples.size()]);
      });
}

event stored_event(const webhook_example& example) {
  event e;
  e.seq = 123'456;
  e.event_id = "72d3162e-cc78-11e3-81ab-4c9367dc0958";
  e.platform = "github";
  e.event_type = example.event + ":opened";
  e.source_id = "186853002";
  e.source_name = "octo/repo";
  e.actor_id = "21031067";
  e.actor_name = "codertocat";
  e.payload = shared_text{example.body};
  return e;
}

webhook webhook_of(const webhook_example& example) {
  webhook w;
  w.platform = "github";
  w.method = "POST";
  w.headers = {{"content-type", "application/json"},
               {"x-github-event", example.event},
               {"x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"},
               {"x-hub-signature-256", example.signature}};
  w.body = shared_text{example.body};
  return w;
}

void run_all(report& out) {
  std::string name = "eventweft_bench";
  std::string time = "--benchmark_min_time=0.1";
  char* argv[] = {name.data(), time.data(), nullptr};
  int argc = 2;
  benchmark::Initialize(&argc, argv);
  to_report reporter{out};
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::ClearRegisteredBenchmarks();
}

} // namespace

void measure_micro(const setting& s, report& out) {
  const auto examples = load_examples(s.examples);
  add("HMAC-SHA256 of an example", examples, [](const webhook_example& e) {
    const std::array<std::string_view, 1> parts{e.body};
    benchmark::DoNotOptimize(
        crypto::hmac(crypto::hash::sha256, webhook_secret, parts));
  });
  auto reader = std::make_shared<codec::payload_reader>();
  add("parsing an example", examples, [reader](const webhook_example& e) {
    benchmark::DoNotOptimize(reader->parse(e.body).has_value());
  });
  add("looking for unreadable escapes", examples, [](const webhook_example& e) {
    benchmark::DoNotOptimize(codec::readable_json(e.body));
  });
  system_clock clock;
  system_random random;
  config::platform_settings settings;
  settings.secrets = {std::string{webhook_secret}};
  const auto github = platforms::make_github({settings, clock, random}).value();
  std::vector<webhook> webhooks;
  for (const auto& e : examples)
    webhooks.push_back(webhook_of(e));
  add("GitHub: proof and event of an example", examples,
      [&, i = size_t{0}](const webhook_example&) mutable {
        const auto a = github->accept(webhooks[i++ % webhooks.size()]);
        if (!a)
          throw std::runtime_error("an example is not accepted");
      });
  const auto large = stored_event(examples.front());
  const auto small = stored_event(tagged_webhook(1));
  for (const auto& [size, ev] :
       {std::pair{"an example", large}, std::pair{"a small event", small}}) {
    const auto text = std::make_shared<std::string>();
    add(std::string{"native JSON of "} + size, examples,
        [ev = ev, text](const webhook_example&) {
          text->clear();
          codec::append_native(*text, ev);
          benchmark::DoNotOptimize(text->data());
        });
    add(std::string{"CloudEvents JSON of "} + size, examples,
        [ev = ev, text](const webhook_example&) {
          text->clear();
          codec::append_cloudevent(*text, ev);
          benchmark::DoNotOptimize(text->data());
        });
  }
  filter columns;
  columns.event_types = {"pull_request:*", "issues:opened"};
  columns.source_names = {"octo/*"};
  add("filter on columns", examples,
      [f = codec::compiled_filter{columns}, large](const webhook_example&) {
        benchmark::DoNotOptimize(f.matches(large));
      });
  filter path;
  path.custom_filters = {{"payload.repository.name", "\"Hello-World\""}};
  add("filter on a path of the payload", examples,
      [f = codec::compiled_filter{path}, large](const webhook_example&) {
        benchmark::DoNotOptimize(f.matches(large));
      });
  auto index = std::make_shared<codec::filter_index>();
  auto each = std::make_shared<std::vector<codec::compiled_filter>>();
  for (uint64_t n = 0; n < 10'000; ++n) {
    filter f;
    f.platforms = {"github"};
    f.source_names = {"octo/repo" + std::to_string(n)};
    f.custom_filters = {{"payload.action", "\"opened\""}};
    index->insert(n, codec::compiled_filter{f});
    each->emplace_back(f);
  }
  add("10,000 filters through the index", examples,
      [index, large,
       found = std::vector<uint64_t>{}](const webhook_example&) mutable {
        found.clear();
        index->match(large, found);
        benchmark::DoNotOptimize(found.size());
      });
  add("10,000 filters one by one", examples,
      [each, large](const webhook_example&) {
        size_t found = 0;
        for (const auto& f : *each)
          found += f.matches(large) ? 1 : 0;
        benchmark::DoNotOptimize(found);
      });
  run_all(out);
}

} // namespace eventweft::bench
