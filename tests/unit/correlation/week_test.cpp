// SPDX-License-Identifier: Apache-2.0
// The scripted week of bench/generators against its own truth.
#include "bench/generators/team_week.hpp"
#include "tests/unit/correlation/join_support.hpp"
#include "tests/unit/correlation/support.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <random>

namespace eventweft::correlation {
namespace {

using namespace testing;

constexpr uint32_t works = 400;

struct outcome {
  std::map<uint64_t, std::optional<uuid>> thread_of;
  std::set<std::set<uuid>> partition;
};

/// The week as `writers` nodes would take it, each with what it happens to
/// know, in batches of up to `max_batch`.
outcome replay(const std::vector<eventweft::bench::week_event>& week,
               size_t writers, size_t max_batch, uint32_t seed) {
  std::mt19937 random{seed};
  std::vector<testing::bench> nodes(writers);
  for (auto& n : nodes) {
    n.known = std::make_shared<vocabulary>();
    n.rules = engine{n.known, {}};
  }
  memory_index index;
  std::map<std::pair<std::string, std::string>, uint64_t> seen;
  std::map<uint64_t, uuid> ids;
  for (size_t at = 0; at < week.size();) {
    const size_t size = std::min(week.size() - at, random() % max_batch + 1);
    auto& node = nodes[random() % writers];
    std::vector<joined_event> batch;
    for (size_t i = at; i < at + size; ++i) {
      const auto& w = week[i];
      if (!seen.try_emplace({w.platform, w.event_id}, i).second)
        continue;
      auto e = make_event(w.platform, w.event_type, w.payload);
      e.id = ids[i] = id_of(i + 1);
      e.created_at = w.at;
      batch.push_back({e.id, w.at, node.all(e)});
    }
    at += size;
    const auto r = join_all(index, batch);
    EXPECT_TRUE(r);
    if (r)
      for (const auto& f : r->changes.facts)
        node.known->learn(f.fact, f.value);
  }
  outcome out;
  for (const auto& [i, id] : ids)
    out.thread_of[i] = index.thread_of(id);
  out.partition = partition(index);
  return out;
}

uint64_t pairs(uint64_t n) {
  return n * (n - 1) / 2;
}

TEST(team_week, threads_are_the_works) {
  const auto week = eventweft::bench::team_week({.works = works, .seed = 7});
  ASSERT_GT(week.size(), works * 5);
  const auto one = replay(week, 1, 1, 1);

  std::map<uint32_t, uint64_t> by_work;
  std::map<uuid, uint64_t> by_thread;
  std::map<std::pair<uint32_t, uuid>, uint64_t> by_both;
  for (const auto& [i, thread] : one.thread_of) {
    const auto work = week[i].work;
    if (work != 0)
      ++by_work[work];
    if (thread)
      ++by_thread[*thread];
    if (thread && work != 0)
      ++by_both[{work, *thread}];
  }
  uint64_t right = 0;
  uint64_t expected = 0;
  uint64_t found = 0;
  for (const auto& [k, n] : by_both)
    right += pairs(n);
  for (const auto& [k, n] : by_work)
    expected += pairs(n);
  for (const auto& [k, n] : by_thread)
    found += pairs(n);
  const double precision =
      static_cast<double>(right) / static_cast<double>(found);
  const double recall =
      static_cast<double>(right) / static_cast<double>(expected);
  std::printf("a week: %zu events, %zu works, %zu threads, precision %.4f, "
              "recall %.4f\n",
              one.thread_of.size(), by_work.size(), by_thread.size(), precision,
              recall);
  EXPECT_GE(precision, 0.99);
  EXPECT_GE(recall, 0.97);
}

TEST(team_week, writers_batches_and_order_make_no_difference) {
  auto week = eventweft::bench::team_week({.works = works / 2, .seed = 8});
  const auto one = replay(week, 1, 1, 1);
  EXPECT_EQ(replay(week, 4, 50, 2).partition, one.partition);
  EXPECT_EQ(replay(week, 10, 500, 3).partition, one.partition);
  // Ids are those of the place in the week, so only retries may be swapped.
  std::map<std::pair<std::string, std::string>, bool> seen;
  std::erase_if(week, [&](const auto& w) {
    return !seen.try_emplace({w.platform, w.event_id}, true).second;
  });
  const auto once = replay(week, 1, 1, 1);
  std::set<std::set<std::string>> expected;
  const auto named = [](const std::vector<eventweft::bench::week_event>& events,
                        const outcome& o) {
    std::map<uuid, std::set<std::string>> threads;
    for (const auto& [i, thread] : o.thread_of)
      if (thread)
        threads[*thread].insert(events[i].platform + events[i].event_id);
    std::set<std::set<std::string>> out;
    for (auto& [id, names] : threads)
      out.insert(names);
    return out;
  };
  expected = named(week, once);
  std::mt19937 random{4};
  for (int i = 0; i < 3; ++i) {
    std::shuffle(week.begin(), week.end(), random);
    EXPECT_EQ(named(week, replay(week, 4, 100, 5)), expected);
  }
}

TEST(team_week, is_the_same_each_time) {
  const auto a = eventweft::bench::team_week({.works = 20, .seed = 3});
  const auto b = eventweft::bench::team_week({.works = 20, .seed = 3});
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_EQ(a[i].payload, b[i].payload);
}

} // namespace
} // namespace eventweft::correlation
