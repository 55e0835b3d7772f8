// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/correlation/join_support.hpp"
#include "tests/unit/correlation/support.hpp"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <random>

namespace eventweft::correlation {
namespace {

using namespace testing;

constexpr int rounds = 60;

std::set<std::set<uuid>> run(std::vector<joined_event> events,
                             std::mt19937* random) {
  memory_index index;
  if (random)
    std::shuffle(events.begin(), events.end(), *random);
  size_t at = 0;
  while (at < events.size()) {
    const size_t left = events.size() - at;
    const size_t n =
        random
            ? std::uniform_int_distribution<size_t>{1, std::min<size_t>(
                                                           left, 40)}(*random)
            : 1;
    const std::vector<joined_event> batch(
        events.begin() + static_cast<std::ptrdiff_t>(at),
        events.begin() + static_cast<std::ptrdiff_t>(at + n));
    EXPECT_TRUE(join_all(index, batch));
    at += n;
  }
  return partition(index);
}

TEST(joining_property, order_and_batches_make_no_difference) {
  for (uint32_t seed = 0; seed < rounds; ++seed) {
    std::mt19937 random{seed};
    const auto week = random_week(random);
    const auto one_by_one = run(week, nullptr);
    for (int i = 0; i < 5; ++i)
      ASSERT_EQ(run(week, &random), one_by_one) << "seed " << seed;
  }
}

TEST(joining_property, threads_are_the_connected_components) {
  for (uint32_t seed = 0; seed < rounds; ++seed) {
    std::mt19937 random{seed};
    const auto week = random_week(random);
    // By brute force: resolve every key with all facts known, then spread.
    std::map<std::string, std::string> facts;
    std::set<std::string> commits;
    for (const auto& e : week)
      for (const auto& k : e.keys)
        if (k.is_fact())
          facts[k.key] = k.matched;
        else if (k.needs.empty() && k.key.starts_with("git:sha:"))
          commits.insert(k.key);
    std::map<std::string, std::set<size_t>> holders;
    for (size_t i = 0; i < week.size(); ++i)
      for (const auto& k : week[i].keys) {
        if (k.is_fact())
          continue;
        auto key = k.key;
        if (k.needs.starts_with("git:")) {
          const auto full = commits.lower_bound(key);
          if (full == commits.end() || !full->starts_with(key))
            continue;
          key = *full;
        } else if (!k.needs.empty()) {
          if (!facts.contains(k.needs))
            continue;
          key = resolve_key(key, facts[k.needs]);
        }
        holders[key].insert(i);
      }
    std::vector<size_t> group(week.size(), 0);
    std::iota(group.begin(), group.end(), 0);
    std::set<size_t> linked;
    for (bool changed = true; changed;) {
      changed = false;
      for (const auto& [key, who] : holders) {
        size_t least = week.size();
        for (auto i : who)
          least = std::min(least, group[i]);
        for (auto i : who) {
          linked.insert(i);
          changed = changed || group[i] != least;
          group[i] = least;
        }
      }
    }
    std::map<size_t, std::set<uuid>> expected;
    for (auto i : linked)
      expected[group[i]].insert(week[i].id);
    std::set<std::set<uuid>> sets;
    for (auto& [g, events] : expected)
      sets.insert(events);
    ASSERT_EQ(run(week, &random), sets) << "seed " << seed;
  }
}

// Several workers whose vocabularies learn at different times, and several
// writers that take turns at the one log.
TEST(joining_property, nodes_that_know_less_make_no_difference) {
  const std::vector<event> story = [] {
    std::vector<event> out;
    const auto add = [&](std::string platform, std::string type,
                         std::string payload) {
      out.push_back(
          make_event(std::move(platform), std::move(type), std::move(payload)));
      out.back().id = id_of(out.size());
      out.back().created_at = timestamp{std::chrono::seconds{out.size()}};
    };
    for (int n = 1; n <= 12; ++n) {
      const auto i = std::to_string(n);
      const auto team = n % 2 ? "PAY" : "WEB";
      const auto id = std::string{team} + "-" + i;
      const std::string repo =
          R"("repository":{"full_name":"o/r","default_branch":"main",
             "html_url":"https://github.com/o/r"})";
      const auto sha = std::string(38 - i.size(), 'a') + "9f" + i;
      const auto ts = "17123456" + std::to_string(10 + n) + ".000100";
      add("slack", "message",
          R"({"team_id":"T1","event":{"type":"message","channel":"C1","ts":")" +
              ts + R"(","text":"checkout is slow, )" + id + "\"}}");
      add("github", "pull_request:opened",
          "{" + repo + R"(,"pull_request":{"number":)" + i +
              R"(,"title":"Faster","head":{"ref":"al/)" + lower(id) +
              R"(-fast","sha":")" + sha + "\"}}}");
      add("github", "check_run:completed",
          "{" + repo + R"(,"check_run":{"head_sha":")" + sha + "\"}}");
      add("linear", "Issue:create",
          R"({"data":{"identifier":")" + id + R"(","title":"Slow","team":{
             "key":")" +
              team + R"("}}})");
      add("slack", "message",
          R"({"team_id":"T1","event":{"type":"message","channel":"C1","ts":")" +
              std::string{"17123457"} + std::to_string(10 + n) +
              R"(.000200","thread_ts":")" + ts + R"(","text":"shipped"}})");
      add("deployments", "deployment:success",
          R"({"deployment_id":"dep-)" + i +
              R"(","repository_name":"o/r","commit_sha":")" + sha + "\"}");
    }
    return out;
  }();
  std::set<std::set<uuid>> first;
  for (uint32_t seed = 0; seed < 40; ++seed) {
    std::mt19937 random{seed};
    auto events = story;
    if (seed != 0)
      std::shuffle(events.begin(), events.end(), random);
    memory_index index;
    std::vector<bench> nodes(seed % 4 + 1);
    for (auto& n : nodes) {
      n.known = std::make_shared<vocabulary>();
      n.rules = engine{n.known, {}};
    }
    std::vector<fact_row> learned;
    for (size_t at = 0; at < events.size();) {
      const size_t size =
          std::min<size_t>(random() % 7 + 1, events.size() - at);
      auto& node = nodes[random() % nodes.size()];
      std::vector<joined_event> batch;
      for (size_t i = 0; i < size; ++i) {
        const auto& e = events[at + i];
        batch.push_back({e.id, e.created_at, node.all(e)});
      }
      at += size;
      const auto r = join_all(index, batch);
      ASSERT_TRUE(r);
      learned.insert(learned.end(), r->changes.facts.begin(),
                     r->changes.facts.end());
      // Word gets round now and then.
      if (random() % 3 == 0)
        for (const auto& f : learned)
          nodes[random() % nodes.size()].known->learn(f.fact, f.value);
    }
    const auto found = partition(index);
    if (seed == 0) {
      first = found;
      EXPECT_EQ(first.size(), 12u);
      for (const auto& thread : first)
        EXPECT_EQ(thread.size(), 6u);
    }
    ASSERT_EQ(found, first) << "seed " << seed;
  }
}

} // namespace
} // namespace eventweft::correlation
