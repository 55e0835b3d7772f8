// SPDX-License-Identifier: Apache-2.0
#include "bench/report.hpp"

#include "bench/process.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <thread>

namespace eventweft::bench {

namespace {

std::string number(double value) {
  if (value >= 1000)
    return fmt::format("{:.0f}", value);
  if (value >= 100)
    return fmt::format("{:.1f}", value);
  return fmt::format("{:.2f}", value);
}

std::string processor() {
  const auto text = read_file("/proc/cpuinfo");
  const std::string key = "model name";
  const auto at = text.find(key);
  if (at == std::string::npos)
    return "unknown";
  const auto begin = text.find(':', at) + 2;
  return text.substr(begin, text.find('\n', begin) - begin);
}

std::string today() {
  const auto now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

/// Columns as characters see them: UTF-8 continuation bytes take no room.
std::string padded(const std::string& text, size_t width) {
  size_t shown = 0;
  for (const char c : text)
    shown += (c & 0xc0) != 0x80;
  return shown < width ? text + std::string(width - shown, ' ') : text;
}

} // namespace

void report::rate(std::string part, std::string what, double value,
                  std::string unit, std::string against, double reference,
                  std::optional<double> at_least) {
  finding f{std::move(part),
            std::move(what),
            value,
            std::move(unit),
            std::move(against),
            reference,
            {},
            {},
            {}};
  if (reference > 0)
    f.ratio = value / reference;
  if (at_least && f.ratio) {
    f.goal = fmt::format("≥ {:.2f}", *at_least);
    f.reached = *f.ratio >= *at_least;
  }
  findings_.push_back(std::move(f));
}

void report::cost(std::string part, std::string what, double value,
                  std::string unit, std::string against, double reference,
                  std::optional<double> at_least) {
  rate(std::move(part), std::move(what), value, std::move(unit),
       std::move(against), reference);
  auto& f = findings_.back();
  f.ratio = value > 0 ? std::optional{reference / value} : std::nullopt;
  if (at_least && f.ratio) {
    f.goal = fmt::format("≥ {:.2f}", *at_least);
    f.reached = *f.ratio >= *at_least;
  }
}

void report::figure(std::string part, std::string what, double value,
                    std::string unit, std::optional<double> at_most) {
  finding f{std::move(part),
            std::move(what),
            value,
            std::move(unit),
            {},
            0,
            {},
            {},
            {}};
  if (at_most) {
    f.goal = fmt::format("≤ {} {}", *at_most, f.unit);
    f.reached = value <= *at_most;
  }
  findings_.push_back(std::move(f));
}

void report::plan(std::string what, std::vector<std::string> lines) {
  plans_.emplace_back(std::move(what), std::move(lines));
}

void report::failure(const std::string& part, const std::string& why) {
  progress(part + " failed: " + why);
  failures_.emplace_back(part, why);
}

void report::print() const {
  std::string text = fmt::format(
      "\n{} cores, {}\n\n", std::thread::hardware_concurrency(), processor());
  text += padded("ratio", 8) + padded("goal", 12) + padded("", 4) +
          padded("part", 9) + padded("what", 52) + padded("measured", 22) +
          "against\n";
  for (const auto& f : findings_) {
    text += padded(f.ratio ? fmt::format("{:.2f}", *f.ratio) : "", 8);
    text += padded(f.goal, 12);
    text += padded(f.reached ? (*f.reached ? "ok" : "no") : "", 4);
    text += padded(f.part, 9) + padded(f.what, 52);
    text += padded(number(f.value) + " " + f.unit, 22);
    if (!f.against.empty())
      text += number(f.reference) + " " + f.unit + ", " + f.against;
    while (text.ends_with(' '))
      text.pop_back();
    text += '\n';
  }
  for (const auto& [part, why] : failures_)
    text += fmt::format("FAILED  {}: {}\n", part, why);
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

void report::write(const std::filesystem::path& json) const {
  utsname kernel{};
  ::uname(&kernel);
  boost::json::array results;
  for (const auto& f : findings_) {
    boost::json::object o{{"part", f.part},
                          {"what", f.what},
                          {"value", f.value},
                          {"unit", f.unit}};
    if (f.ratio)
      o["ratio"] = *f.ratio;
    if (!f.against.empty()) {
      o["against"] = f.against;
      o["reference"] = f.reference;
    }
    if (f.reached) {
      o["goal"] = f.goal;
      o["reached"] = *f.reached;
    }
    results.push_back(std::move(o));
  }
  boost::json::array failures;
  for (const auto& [part, why] : failures_)
    failures.push_back({{"part", part}, {"why", why}});
  boost::json::array plans;
  for (const auto& [what, lines] : plans_)
    plans.push_back({{"what", what},
                     {"plan", boost::json::array(lines.begin(), lines.end())}});
  const boost::json::object document{
      {"at", today()},
      {"machine",
       {{"cores", std::thread::hardware_concurrency()},
        {"processor", processor()},
        {"kernel", kernel.release}}},
      {"results", std::move(results)},
      {"plans", std::move(plans)},
      {"failures", std::move(failures)}};
  std::ofstream{json} << boost::json::serialize(document) << '\n';
}

void progress(const std::string& line) {
  std::fprintf(stderr, "bench: %s\n", line.c_str());
}

} // namespace eventweft::bench
