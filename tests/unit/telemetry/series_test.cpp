// SPDX-License-Identifier: Apache-2.0
#include "telemetry/series.hpp"

#include <gtest/gtest.h>

#include <string>

namespace eventweft {
namespace {

using counters = series<prometheus::Counter>;

TEST(series_test, the_same_values_are_the_same_member) {
  prometheus::Registry registry;
  counters s{registry, "events", "help", {"platform", "type"}};
  auto& one = s.at("github", "push");
  EXPECT_EQ(&s.at("github", "push"), &one);
  EXPECT_NE(&s.at("github", "pull"), &one);
  EXPECT_NE(&s.at("githubp", "ush"), &one);
}

TEST(series_test, past_the_limit_all_are_other) {
  prometheus::Registry registry;
  counters s{registry, "events", "help", {"type"}};
  auto& first = s.at("0");
  for (size_t i = 1; i < max_series; ++i)
    s.at(std::to_string(i));
  auto& other = s.at("one more");
  EXPECT_EQ(&s.at("yet another"), &other);
  EXPECT_EQ(&s.at("other"), &other);
  EXPECT_EQ(&s.at("0"), &first);
  EXPECT_EQ(registry.Collect().at(0).metric.size(), max_series + 1);
}

TEST(series_test, what_is_removed_begins_anew) {
  prometheus::Registry registry;
  series<prometheus::Gauge> s{registry, "links", "help", {"peer"}};
  const auto set = [&s](const std::string& peer, double value) {
    s.change([value](prometheus::Gauge& g) { g.Increment(value); }, peer);
  };
  const auto sum = [&registry] {
    double all = 0;
    for (const auto& family : registry.Collect())
      for (const auto& m : family.metric)
        all += m.gauge.value;
    return all;
  };
  set("a", 1);
  set("a", 2);
  set("b", 4);
  EXPECT_EQ(sum(), 7);
  s.remove("a");
  s.remove("nobody");
  EXPECT_EQ(sum(), 4);
  set("a", 8);
  EXPECT_EQ(sum(), 12);
}

} // namespace
} // namespace eventweft
