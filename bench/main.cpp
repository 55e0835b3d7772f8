// SPDX-License-Identifier: Apache-2.0
#include "bench/parts.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>

namespace {

using namespace eventweft::bench;

struct part {
  const char* name;
  void (*measure)(const setting&, report&);
};

constexpr std::array all_parts{
    part{"ingest", measure_ingest},
    part{"store", measure_store},
    part{"growth", measure_growth},
    part{"latency", measure_latency},
    part{"fanout", measure_fanout},
    part{"idle", measure_idle},
    part{"catchup", measure_catchup},
    part{"micro", measure_micro},
    part{"filters", measure_filters},
    part{"processing", measure_processing},
    part{"correlation", measure_correlation},
    part{"cluster", measure_cluster},
    part{"large", measure_large},
    part{"webhooks", measure_webhooks},
};

/// As many open files as we may have: servers inherit it.
void raise_file_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Measures eventweft, each figure beside its limit in the same "
               "run on the same machine."};
  setting s;
  std::string results = "results.json";
  std::vector<std::string> names;
  app.add_option("parts", names, "what to measure (default: all but large)")
      ->check(CLI::IsMember([] {
        std::vector<std::string> known;
        for (const auto& p : all_parts)
          known.emplace_back(p.name);
        return known;
      }()));
  app.add_option("--binary", s.binary, "the eventweft to measure")->required();
  app.add_option("--examples", s.examples, "Octokit's index.json")->required();
  app.add_option("--work", s.work, "a directory for this run's files")
      ->required();
  app.add_option("--results", results, "the JSON file to write");
  app.add_option("--growth", s.growth, "events stored before, in `growth`")
      ->check(CLI::Range(10'000, 100'000'000));
  app.add_option("--rows", s.rows, "events stored, in `large`")
      ->check(CLI::Range(100'000, 100'000'000));
  app.add_option("--engine", s.engine, "measure with this one only")
      ->check(CLI::IsMember({"postgres", "sqlite"}));
  app.add_flag("--quick", s.quick, "smaller counts: a look, no measurement");
  CLI11_PARSE(app, argc, argv);
  raise_file_limit();
  report out;
  bool good = true;
  for (const auto& p : all_parts) {
    const bool named =
        std::find(names.begin(), names.end(), p.name) != names.end();
    // Takes long and a lot of room: only if it is asked for.
    const bool usual = p.measure != measure_large;
    if (names.empty() ? !usual : !named)
      continue;
    const auto start = now_ns();
    try {
      p.measure(s, out);
    } catch (const std::exception& e) {
      out.failure(p.name, e.what());
      good = false;
    }
    progress(fmt::format("{} took {:.0f} s", p.name,
                         seconds_between(start, now_ns())));
  }
  out.write(results);
  out.print();
  return good ? 0 : 1;
}
