// SPDX-License-Identifier: Apache-2.0
#include "persistence/cached_threads.hpp"
#include "persistence/thread_cache.hpp"
#include "tests/unit/correlation/join_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace eventweft {
namespace {

using namespace correlation;
using namespace correlation::testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<join_input> inputs_of(std::span<const joined_event> events) {
  std::vector<join_input> out;
  for (const auto& e : events)
    out.push_back({e.id, e.at, e.keys});
  return out;
}

/// All that a join came to, in words.
std::string told(const join_result& r) {
  std::string out;
  const auto add = [&](auto&&... texts) {
    ((out += std::string{texts} + ' '), ...);
    out += '\n';
  };
  for (const auto& t : r.threads)
    add("in", t ? to_string(*t) : "none");
  for (const auto& m : r.changes.merges)
    add("merge", to_string(m.from), to_string(m.into));
  for (const auto& g : r.changes.growth)
    add("grow", to_string(g.thread), std::to_string(g.events),
        g.fresh ? "fresh" : "");
  for (const auto& k : r.changes.keys)
    add("key", k.key, to_string(k.thread), to_string(k.owner),
        std::to_string(k.links), std::to_string(k.mentions));
  for (const auto& f : r.changes.facts)
    add("fact", f.fact, f.value);
  for (const auto& p : r.changes.pending)
    add("wait", p.fact, to_string(p.event), p.key.key);
  for (const auto& p : r.changes.resolved)
    add("found", p.fact, to_string(p.event), p.key.key);
  for (const auto& l : r.changes.links)
    add("link", to_string(l.event), l.key.key, to_string(l.why));
  for (const auto& hot : r.hot_keys)
    add("hot", hot.key, hot.by_remarks ? "remarks" : "");
  for (const auto& key : r.huge_keys)
    add("huge", key);
  return out;
}

/// What a store would prove.
bool holds(const assumed_threads& assumed, memory_index& tables) {
  return tables.find_keys(assumed.absent_keys())->empty() &&
         tables.find_facts(assumed.absent_facts())->empty() &&
         tables.find_pending(assumed.unawaited())->empty();
}

// A writer that goes by its memory comes to what one comes to that reads
// everything, batch by batch, however little it may keep.
TEST(thread_cache, comes_to_what_reading_comes_to) {
  size_t unread = 0;
  size_t wrong = 0;
  join_limits limits;
  limits.max_mentions = 6;
  limits.max_joined_events = 40;
  for (uint32_t seed = 0; seed < 60; ++seed) {
    std::mt19937 random{seed};
    auto week = random_week(random);
    std::ranges::shuffle(week, random);
    memory_index truth;
    memory_index tables;
    thread_cache cache{seed % 3 == 0 ? 12u : 400u};
    seq_t head = 0;
    for (size_t at = 0; at < week.size();) {
      const auto n = std::min<size_t>(random() % 12 + 1, week.size() - at);
      const std::span batch{week.begin() + static_cast<std::ptrdiff_t>(at), n};
      at += n;
      const auto inputs = inputs_of(batch);
      const auto expected = told(*join(truth, inputs, limits));
      // Now and then another writer was there.
      if (random() % 16 == 0)
        ++head;
      if (cache.as_of() == thread_cache::mark{head, 0, 0}) {
        assumed_threads assumed{cache};
        const auto joined = join(assumed, inputs, limits);
        ASSERT_EQ(joined.has_value(), !assumed.must_read());
        if (joined && holds(assumed, tables)) {
          ASSERT_EQ(told(*joined), expected) << "seed " << seed;
          ASSERT_TRUE(tables.apply(joined->changes));
          assumed.were_right();
          cache.apply(joined->changes, {++head, 0, 0});
          ++unread;
          continue;
        }
        ++wrong;
      }
      cache.begin({head, 0, 0});
      cached_threads index{cache, tables};
      const auto joined = join(index, inputs, limits);
      ASSERT_TRUE(joined);
      ASSERT_EQ(told(*joined), expected) << "seed " << seed;
      ASSERT_TRUE(tables.apply(joined->changes));
      cache.apply(joined->changes, {++head, 0, 0});
    }
    EXPECT_EQ(partition(tables), partition(truth));
  }
  // Both ways were gone, often.
  EXPECT_GT(unread, 100u);
  EXPECT_GT(wrong, 100u);
}

TEST(thread_cache, asks_only_for_what_it_does_not_know) {
  memory_index tables;
  thread_cache cache;
  const auto append = [&](const std::vector<joined_event>& events, seq_t head) {
    cache.begin({head, 0, 0});
    cached_threads index{cache, tables};
    auto joined = join(index, inputs_of(events), {});
    ASSERT_TRUE(joined);
    ASSERT_TRUE(tables.apply(joined->changes));
    cache.apply(joined->changes, {head + 1, 0, 0});
  };
  append({ev(1, {link("a:1"), link("a:2")})}, 0);
  EXPECT_EQ(cache.lookups().read, 2u);
  append({ev(2, {link("a:1"), link("a:3")})}, 1);
  const auto second = cache.lookups();
  EXPECT_EQ(second.known, 1u);
  EXPECT_EQ(second.read, 1u);
  thread_batch::lookup what{.keys = {"a:1", "a:3", "a:4"},
                            .facts = {"linear:team:ENG"},
                            .waited_for = {},
                            .prefixes = {},
                            .ids = {}};
  leave_out_known(what, cache);
  EXPECT_THAT(what.keys, ElementsAre("a:4"));
  EXPECT_THAT(what.facts, ElementsAre("linear:team:ENG"));
}

TEST(thread_cache, holds_nothing_once_others_were_there) {
  for (const auto& changed :
       {thread_cache::mark{8, 1, 1}, thread_cache::mark{7, 2, 1},
        thread_cache::mark{7, 1, 2}}) {
    thread_cache cache;
    cache.begin({6, 1, 1});
    cache.learn_key("a:1", nullptr);
    cache.apply({}, {7, 1, 1});
    EXPECT_TRUE(cache.key("a:1"));
    cache.begin(changed);
    EXPECT_FALSE(cache.key("a:1"));
    EXPECT_EQ(cache.rows(), 0u);
  }
}

TEST(thread_cache, holds_nothing_after_a_batch_that_was_not_committed) {
  thread_cache cache;
  cache.begin({7, 1, 1});
  cache.learn_fact("linear:team:ENG", "");
  // Neither committed nor applied.
  EXPECT_FALSE(cache.as_of());
  cache.begin({7, 1, 1});
  EXPECT_FALSE(cache.fact("linear:team:ENG"));
}

TEST(thread_cache, is_bounded_and_keeps_what_is_used) {
  thread_cache cache{100};
  cache.begin({});
  cache.learn_key("used", nullptr);
  cache.apply({}, {1, 0, 0});
  for (seq_t n = 1; n < 500; ++n) {
    cache.begin({n, 0, 0});
    EXPECT_TRUE(cache.key("used"));
    cache.learn_key("k:" + std::to_string(n), nullptr);
    cache.apply({}, {n + 1, 0, 0});
    EXPECT_LE(cache.rows(), 102u);
  }
  EXPECT_FALSE(cache.key("k:1"));
  EXPECT_TRUE(cache.key("k:499"));
}

TEST(thread_cache, a_key_of_a_merged_thread_is_in_the_one_that_stays) {
  thread_cache cache;
  cache.begin({});
  const key_row in_small{.key = "a:1", .thread = id_of(1), .thread_events = 2};
  const key_row in_large{.key = "b:1", .thread = id_of(2), .thread_events = 5};
  cache.learn_key("a:1", &in_small);
  cache.learn_key("b:1", &in_large);
  thread_changes first;
  first.merges = {{id_of(1), id_of(2), id_of(9), "b:1"}};
  first.growth = {{.thread = id_of(2), .events = 1}};
  cache.apply(first, {1, 0, 0});
  const auto moved = cache.key("a:1");
  ASSERT_TRUE(moved && *moved);
  EXPECT_EQ((*moved)->thread, id_of(2));
  EXPECT_EQ((*moved)->thread_events, 8u);
  thread_changes second;
  second.merges = {{id_of(2), id_of(3), id_of(9), "c:1"}};
  cache.apply(second, {2, 0, 0});
  // How large the third is it was never told.
  EXPECT_FALSE(cache.key("a:1"));
}

TEST(thread_cache, a_new_commit_is_known_by_its_beginnings) {
  thread_cache cache;
  cache.begin({});
  cache.learn_commits("git:sha:1a2b3c4", {});
  cache.learn_commits("git:sha:ffff", {});
  const auto full = "git:sha:1a2b3c4" + std::string(33, '0');
  thread_changes changes;
  changes.keys = {{.key = full, .thread = id_of(1)}};
  cache.apply(changes, {1, 0, 0});
  EXPECT_THAT(*cache.commits("git:sha:1a2b3c4"), ElementsAre(full));
  EXPECT_THAT(*cache.commits("git:sha:ffff"), IsEmpty());
  EXPECT_FALSE(cache.commits("git:sha:1a2b3c"));
}

} // namespace
} // namespace eventweft
