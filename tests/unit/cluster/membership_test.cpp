// SPDX-License-Identifier: Apache-2.0
#include "actors/cluster/membership.hpp"
#include "tests/unit/cluster/fake_nodes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ringbuffer_sink.h>

#include <set>

namespace eventweft {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using testing::fake_nodes;
using testing::shared_nodes;

/// A cluster in one thread and in virtual time: each node beats when it is
/// due, unless it is frozen or dead.
class membership_test : public ::testing::Test {
 protected:
  struct node {
    std::unique_ptr<fake_nodes> line;
    std::unique_ptr<membership> members;
    bool frozen = false;
    /// What it asks for; empty: all.
    std::set<std::string> knows;
    int changes = 0;
    std::shared_ptr<void> guard;
  };

  node& add(const std::string& name, milliseconds lease = 10s,
            std::optional<std::vector<std::string>> runs = {}) {
    auto& n = nodes[name];
    n.line = std::make_unique<fake_nodes>(db);
    membership_options o;
    o.lease = lease;
    o.me.name = name;
    o.me.incarnation = uuid{{++starts}};
    o.me.runs = std::move(runs);
    n.members = std::make_unique<membership>(
        o, [db = db] { return db->now; }, figures, null_logger());
    n.guard = n.members->on_change([&n] { ++n.changes; });
    return n;
  }

  /// Everybody asks for all work all the time, as processors do; nobody may
  /// ever be told "yes" along with somebody else.
  void advance(nanoseconds by) {
    for (const auto end = db->now + by; db->now < end; db->now += 50ms) {
      for (auto& [name, n] : nodes)
        if (!n.frozen && n.members->next_turn() <= db->now)
          (void)n.members->turn(*n.line);
      check();
    }
  }

  void check() {
    for (const auto& work : works) {
      std::string owner;
      for (auto& [name, n] : nodes) {
        if (n.frozen || (!n.knows.empty() && !n.knows.contains(work)))
          continue;
        const auto f = n.members->held_of(kinds[work], work);
        if (!f)
          continue;
        EXPECT_EQ(owner, "") << work << " is also " << name << "'s";
        EXPECT_TRUE(db->fence_holds(*f)) << work << " of " << name;
        owner = name;
      }
      if (owner.empty())
        gaps[work] += 50ms;
      else if (auto& last = owners[work]; last != owner) {
        last = owner;
        gaps[work] = 0ms;
      }
    }
  }

  size_t owned(const std::string& name) {
    return static_cast<size_t>(std::ranges::count_if(
        works, [&](const auto& w) { return owners[w] == name; }));
  }

  uint8_t starts = 0;
  std::shared_ptr<shared_nodes> db = std::make_shared<shared_nodes>();
  std::shared_ptr<metrics> figures = std::make_shared<metrics>();
  std::map<std::string, node> nodes;
  std::vector<std::string> works = [] {
    std::vector<std::string> out;
    for (int i = 0; i < 30; ++i)
      out.push_back("processor:p" + std::to_string(i));
    return out;
  }();
  /// As `held_of` is told; none: their names say it.
  std::map<std::string, std::string> kinds;
  std::map<std::string, std::string> owners;
  std::map<std::string, nanoseconds> gaps;
};

TEST(rendezvous, MovesOnlyWhatItMust) {
  const std::vector<std::string> three{"a", "b", "c"}, two{"a", "c"};
  std::map<std::string, int> share;
  for (int i = 0; i < 3'000; ++i) {
    const auto work = "subscription:" + std::to_string(i);
    const auto before = chosen_member(work, three);
    ++share[before];
    if (before != "b") {
      EXPECT_EQ(chosen_member(work, two), before);
    }
    EXPECT_EQ(chosen_member(work, {"c", "b", "a"}), before);
  }
  for (const auto& [name, n] : share)
    EXPECT_NEAR(n, 1'000, 120) << name;
  EXPECT_EQ(chosen_member("x", {}), "");
}

// These numbers travel: nodes of two versions must agree.
TEST(rendezvous, IsTheSameForEver) {
  const std::vector<std::string> members{"a", "b", "c"};
  EXPECT_EQ(chosen_member("retention", members), "c");
  EXPECT_EQ(chosen_member("processor:x", members), "a");
  EXPECT_EQ(chosen_member("subscription:1", members), "a");
}

TEST_F(membership_test, OneNodeGetsAllAtOnce) {
  add("a");
  advance(200ms);
  EXPECT_EQ(owned("a"), works.size());
  EXPECT_GT(nodes["a"].changes, 0);
  EXPECT_EQ(nodes["a"].members->holding().size(), works.size());
}

TEST_F(membership_test, AThirdNodeTakesItsShareWithoutADouble) {
  add("a");
  add("b");
  advance(5s);
  add("c");
  advance(5s);
  for (const auto* name : {"a", "b", "c"})
    EXPECT_GT(owned(name), 3u) << name;
  for (const auto& work : works)
    EXPECT_EQ(owners[work], chosen_member(work, {"a", "b", "c"}));
}

TEST_F(membership_test, AProcessorIsOwnedByANodeThatHasIt) {
  add("a");
  add("b").knows = {works[0], works[1], works[2]};
  add("c").knows = {works[1], works[2], works[3]};
  advance(5s);
  for (size_t i = 0; i < works.size(); ++i) {
    std::vector<std::string> having{"a"};
    if (i < 3)
      having.emplace_back("b");
    if (i >= 1 && i < 4)
      having.emplace_back("c");
    EXPECT_EQ(owners[works[i]], chosen_member(works[i], having)) << works[i];
  }
  // Without the one that has them all, the rest of them rest.
  nodes["a"].frozen = true;
  gaps.clear();
  advance(10s);
  for (size_t i = 0; i < 4; ++i)
    EXPECT_NE(owners[works[i]], "a") << works[i];
  EXPECT_GT(gaps[works[4]], 2s);
  // A node that does not tell, as the version before did, may have them.
  auto& d = db->rows["d"];
  d.node.name = "d";
  d.beat = db->now;
  const std::vector<std::string> all{"b", "c", "d"};
  advance(2s);
  owners.clear();
  advance(3s);
  for (size_t i = 1; i < 3; ++i)
    EXPECT_EQ(owners[works[i]] == "", chosen_member(works[i], all) == "d")
        << works[i];
}

// One with webhooks switched off must not keep them from the others.
TEST_F(membership_test, WorkIsGivenOnlyToNodesThatRunIt) {
  works = {"retention", "metrics"};
  std::set<std::string> webhooks{"metrics"};
  for (int i = 0; i < 30; ++i) {
    works.push_back("subscription:" + std::to_string(i));
    kinds[works.back()] =
        i % 2 == 0 ? "subscription:webhook" : "subscription:kafka";
    if (i % 2 == 0)
      webhooks.insert(works.back());
  }
  add("a", 10s, {{"metrics", "subscription:webhook"}}).knows = webhooks;
  add("b", 10s,
      {{"metrics", "retention", "subscription:webhook", "subscription:kafka"}});
  add("c", 10s, {{"metrics"}}).knows = {"metrics"};
  advance(5s);
  for (const auto& work : works) {
    std::vector<std::string> running{"b"};
    if (webhooks.contains(work))
      running.emplace_back("a");
    if (work == "metrics")
      running.emplace_back("c");
    EXPECT_EQ(owners[work], chosen_member(work, running)) << work;
  }
  EXPECT_GT(owned("a"), 0u);
  // A node that does not tell, as the version before did, may run all of it.
  auto& d = db->rows["d"];
  d.node.name = "d";
  d.beat = db->now;
  advance(2s);
  owners.clear();
  advance(3s);
  for (const auto& [work, kind] : kinds)
    if (kind == "subscription:kafka") {
      EXPECT_EQ(owners[work] == "", chosen_member(work, {"b", "d"}) == "d")
          << work;
    }
}

TEST_F(membership_test, ACrashIsTakenOverWithinTheLease) {
  add("a");
  add("b");
  advance(5s);
  ASSERT_GT(owned("b"), 0u);
  nodes["b"].frozen = true;
  gaps.clear();
  advance(10s);
  EXPECT_EQ(owned("b"), 0u);
  EXPECT_EQ(owned("a"), works.size());
}

TEST_F(membership_test, TellsPeopleWhereElseSomethingIs) {
  add("a");
  add("b");
  nodes["b"].members->set_addresses("10.0.0.2:7400", "10.0.0.2:8080");
  advance(5s);
  for (const auto& work : works) {
    EXPECT_EQ(nodes["a"].members->holder(work),
              owners[work] == "a" ? "" : "b (10.0.0.2:8080)");
  }
}

TEST_F(membership_test, ACleanLeaveIsTakenOverAtOnce) {
  add("a");
  add("b");
  advance(5s);
  auto& b = nodes["b"];
  ASSERT_TRUE(b.members->leave(*b.line));
  b.frozen = true;
  advance(1'200ms);
  EXPECT_EQ(owned("a"), works.size());
}

TEST_F(membership_test, ADrainGivesEverythingAwayAndSaysSo) {
  add("a");
  add("b");
  advance(5s);
  auto& b = nodes["b"];
  EXPECT_FALSE(b.members->drained());
  b.members->drain();
  advance(3s);
  EXPECT_TRUE(b.members->drained());
  EXPECT_EQ(owned("a"), works.size());
  EXPECT_EQ(nodes["a"].members->workers(), std::vector<std::string>{"a"});
}

TEST_F(membership_test, EachChangeOfAnotherNodeHasALine) {
  const auto lines = std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(50);
  lines->set_pattern("%v");
  membership_options o;
  o.me.name = "a";
  o.me.incarnation = uuid{{99}};
  membership a{o, [db = db] { return db->now; }, figures,
               std::make_shared<spdlog::logger>("a", lines)};
  fake_nodes line{db};
  const auto said = [&] {
    const auto before = lines->last_formatted().size();
    EXPECT_TRUE(a.turn(line));
    auto all = lines->last_formatted();
    all.erase(all.begin(), all.begin() + static_cast<long>(before));
    return all;
  };
  using ::testing::ElementsAre;
  using ::testing::HasSubstr;
  using ::testing::IsEmpty;
  const auto beat = [&](const char* name) {
    EXPECT_TRUE(nodes[name].members->turn(*nodes[name].line));
  };
  add("b");
  beat("b");
  EXPECT_THAT(said(), ElementsAre(HasSubstr("node b is there (links at none")));
  nodes["b"].members->set_addresses("h:7400", "h:8080");
  beat("b");
  EXPECT_THAT(said(), ElementsAre(HasSubstr("node b takes links at h:7400")));
  EXPECT_THAT(said(), IsEmpty());
  nodes["b"].members->drain();
  beat("b");
  EXPECT_THAT(said(), ElementsAre(HasSubstr("node b is draining now")));
  // Gone and back between two looks.
  EXPECT_TRUE(nodes["b"].members->leave(*nodes["b"].line));
  add("b");
  beat("b");
  EXPECT_THAT(said(),
              ElementsAre(HasSubstr("node b is there again, another process")));
  EXPECT_TRUE(nodes["b"].members->leave(*nodes["b"].line));
  EXPECT_THAT(said(), ElementsAre(HasSubstr("node b has left")));
}

// SIGSTOP for 30 s: the first thing it does when it wakes up is to ask.
TEST_F(membership_test, AFrozenNodeWakesUpWithoutAnything) {
  add("a");
  add("b");
  advance(5s);
  auto& b = nodes["b"];
  const auto had = b.members->holding();
  ASSERT_FALSE(had.empty());
  b.frozen = true;
  advance(30s);
  b.frozen = false;
  for (const auto& f : had) {
    EXPECT_FALSE(b.members->held(f.work));
    EXPECT_FALSE(db->fence_holds(f));
  }
  advance(3s);
  EXPECT_EQ(owned("b"), had.size()) << "its share comes back to it";
}

TEST_F(membership_test, CutFromTheDatabaseItStopsBeforeOthersStart) {
  add("a");
  add("b");
  advance(5s);
  auto& b = nodes["b"];
  ASSERT_GT(owned("b"), 0u);
  b.line->cut = true;
  // check() sees to it that nobody owns what another one may still work on.
  advance(20s);
  EXPECT_TRUE(b.members->holding().empty());
  EXPECT_EQ(owned("a"), works.size());
  b.line->cut = false;
  advance(5s);
  EXPECT_GT(owned("b"), 0u);
}

TEST_F(membership_test, AFailedHeartbeatSaysWhatBecomesOfTheWork) {
  for (const auto& [late, said] :
       {std::pair{nanoseconds{1s}, "what is owned ends in 5.0 s unless"},
        std::pair{nanoseconds{9s}, "nothing is owned any more until"}}) {
    fake_nodes line{db};
    membership_options o;
    o.me.name = "late";
    const auto lines = std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(9);
    membership one{o, [db = db] { return db->now; }, figures,
                   std::make_shared<spdlog::logger>("late", lines)};
    ASSERT_TRUE(one.turn(line));
    db->now += late;
    line.cut = true;
    EXPECT_FALSE(one.turn(line));
    EXPECT_THAT(lines->last_formatted().back(), ::testing::HasSubstr(said));
  }
}

TEST_F(membership_test, ADatabaseThatIsAwayEndsAllAndBringsAllBack) {
  add("a");
  add("b");
  advance(5s);
  for (auto& [name, n] : nodes)
    n.line->cut = true;
  advance(15s);
  for (auto& [name, n] : nodes)
    EXPECT_TRUE(n.members->holding().empty()) << name;
  for (auto& [name, n] : nodes)
    n.line->cut = false;
  advance(12s);
  EXPECT_EQ(owned("a") + owned("b"), works.size());
}

TEST_F(membership_test, ASecondNodeOfTheSameNameOwnsNothing) {
  add("a");
  advance(2s);
  fake_nodes line{db};
  membership_options o;
  o.me.name = "a";
  o.me.incarnation = uuid{{99}};
  const auto lines = std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(9);
  membership twin{o, [db = db] { return db->now; }, figures,
                  std::make_shared<spdlog::logger>("a", lines)};
  const auto turned = twin.turn(line);
  ASSERT_FALSE(turned);
  EXPECT_EQ(turned.error().code, ec::conflict);
  EXPECT_FALSE(twin.held(works[0]));
  // As likely it is this node, started again after a crash.
  EXPECT_THAT(lines->last_formatted(),
              ::testing::ElementsAre(::testing::HasSubstr("before a crash")));
}

// A crash, and a start with a shorter lease: the row goes by the longer one.
TEST_F(membership_test, APredecessorOfALongerLeaseIsWaitedFor) {
  db->rows["a"].node.name = "a";
  db->rows["a"].node.incarnation = uuid{{98}};
  db->rows["a"].node.address = "h:7400";
  db->rows["a"].node.dead_after = 42s;
  db->rows["a"].beat = db->now;
  fake_nodes line{db};
  membership_options o;
  o.lease = 1s;
  o.me.name = "a";
  o.me.incarnation = uuid{{99}};
  membership again{o, [db = db] { return db->now; }, figures, null_logger()};
  for (int i = 0; i < 41; ++i) {
    db->now += 1s;
    const auto turned = again.turn(line);
    ASSERT_FALSE(turned);
    EXPECT_FALSE(again.name_taken()) << i;
    if (i == 3) {
      EXPECT_THAT(turned.error().message,
                  ::testing::AllOf(::testing::HasSubstr("links at h:7400"),
                                   ::testing::HasSubstr("heard of 4.0 s ago"),
                                   ::testing::HasSubstr("silent for 42.0 s")));
    }
  }
  db->now += 1s;
  EXPECT_TRUE(again.turn(line));
}

TEST_F(membership_test, ANameThatStaysTakenIsSaidToBe) {
  add("a");
  advance(2s);
  fake_nodes line{db};
  membership_options o;
  o.me.name = "a";
  o.me.incarnation = uuid{{99}};
  membership twin{o, [db = db] { return db->now; }, figures, null_logger()};
  EXPECT_FALSE(twin.turn(line));
  advance(20s);
  EXPECT_FALSE(twin.turn(line));
  EXPECT_FALSE(twin.name_taken());
  advance(1s);
  EXPECT_FALSE(twin.turn(line));
  EXPECT_TRUE(twin.name_taken());
}

// While the lease is changed, node by node, or where one was forgotten.
TEST_F(membership_test, AShortLeaseTakesNobodyElseForDead) {
  add("a", 60s);
  add("b", 1s);
  advance(30s);
  auto& b = nodes["b"];
  const auto share = owned("a");
  EXPECT_GT(share, 0u);
  EXPECT_GT(owned("b"), 0u);
  for (int i = 0; i < 20; ++i) {
    advance(500ms);
    EXPECT_EQ(b.members->workers().size(), 2u);
  }
  EXPECT_EQ(owned("a"), share);
  // Nor one of its name for one that crashed.
  fake_nodes line{db};
  membership_options o;
  o.me.name = "a";
  o.me.incarnation = uuid{{99}};
  o.lease = 1s;
  membership twin{o, [db = db] { return db->now; }, figures, null_logger()};
  advance(3s);
  EXPECT_FALSE(twin.turn(line));
  nodes["a"].frozen = true;
  advance(60s);
  EXPECT_EQ(owned("b"), works.size());
}

TEST_F(membership_test, WorkThatIsOverIsGivenBackAtOnce) {
  auto& a = add("a");
  const std::string work = "subscription:1";
  a.members->held(work);
  advance(1s);
  ASSERT_TRUE(a.members->held(work));
  ASSERT_NE(db->leases[work].owner, "");
  a.members->ended(work);
  a.members->ended("subscription:unheard-of");
  advance(50ms);
  EXPECT_EQ(db->leases[work].owner, "");
  for (const auto& held : a.members->holding())
    EXPECT_NE(held.work, work);
  // Should it be asked for all the same, it is taken again.
  a.members->held(work);
  advance(2s);
  EXPECT_TRUE(a.members->held(work));
}

TEST_F(membership_test, TakesNothingWhileAServerAloneIsAtWork) {
  fake_nodes line{db};
  ASSERT_TRUE(line.claim("old/1", {std::string{alone_work}}, 10s));
  add("a");
  advance(5s);
  EXPECT_EQ(owned("a"), 0u);
  EXPECT_TRUE(db->rows.contains("a")) << "how that one is to see it";
  ASSERT_TRUE(line.release("old/1", {std::string{alone_work}}));
  advance(2s);
  EXPECT_EQ(owned("a"), works.size());
}

TEST_F(membership_test, AServerAloneThatCrashedIsWaitedForUntilItsLeaseEnds) {
  fake_nodes line{db};
  ASSERT_TRUE(line.claim("old/1", {std::string{alone_work}}, 3s));
  add("a");
  advance(2s);
  EXPECT_EQ(owned("a"), 0u);
  advance(3s);
  EXPECT_EQ(owned("a"), works.size());
}

TEST_F(membership_test, AServerAloneMayHaveComeWhileANodeCountedAsDead) {
  add("a");
  advance(1s);
  ASSERT_EQ(owned("a"), works.size());
  nodes["a"].line->cut = true;
  advance(20s);
  fake_nodes line{db};
  ASSERT_TRUE(line.claim("new/1", {std::string{alone_work}}, 3s));
  owners.clear();
  nodes["a"].line->cut = false;
  advance(2s);
  EXPECT_EQ(owned("a"), 0u);
  advance(3s);
  EXPECT_EQ(owned("a"), works.size());
}

TEST_F(membership_test, WorkThatNobodyAsksForIsForgotten) {
  add("a");
  advance(1s);
  const auto work = works.back();
  works.pop_back();
  advance(70s);
  EXPECT_EQ(nodes["a"].members->holding().size(), works.size());
  EXPECT_EQ(db->leases.at(work).owner, "");
}

TEST_F(membership_test, TheLeaseOfWorkThatIsGoneIsDeletedIfLate) {
  add("a");
  db->leases["subscription:gone"] = {"b/1", 7, db->now};
  db->tokens = 7;
  advance(3s);
  EXPECT_TRUE(db->leases.contains("subscription:gone"));
  db->now += 30min;
  advance(3s);
  EXPECT_TRUE(db->leases.contains("subscription:gone"));
  db->now += 31min;
  advance(3s);
  EXPECT_FALSE(db->leases.contains("subscription:gone"));
  EXPECT_EQ(owned("a"), works.size());
  EXPECT_EQ(db->leases.size(), works.size());
}

TEST_F(membership_test, ANodeThatWasSilentForAWeekIsForgotten) {
  add("a");
  db->rows["old"].node.name = "old";
  db->rows["old"].beat = db->now;
  db->now += 6 * 24h;
  advance(3s);
  EXPECT_TRUE(db->rows.contains("old"));
  db->now += 25h;
  advance(3s);
  EXPECT_FALSE(db->rows.contains("old"));
  EXPECT_TRUE(db->rows.contains("a"));
}

// Random crashes, freezes, cuts, joins and leaves: whatever happens, nobody is
// told "yes" along with somebody else, and in quiet times all is owned.
TEST_F(membership_test, WhateverHappensNothingHasTwoOwners) {
  seeded_random random{11};
  for (const auto* name : {"a", "b", "c", "d"})
    add(name);
  for (int round = 0; round < 150; ++round) {
    auto i = nodes.begin();
    std::advance(i, static_cast<long>(random.next() % nodes.size()));
    auto& n = i->second;
    switch (random.next() % 5) {
    case 0:
      n.frozen = !n.frozen;
      break;
    case 1:
      n.line->cut = !n.line->cut;
      break;
    case 2:
      add(i->first); // killed and started again
      break;
    case 3:
      (void)n.members->leave(*n.line);
      add(i->first);
      break;
    default:
      break;
    }
    advance(milliseconds{random.next() % 6'000});
  }
  for (auto& [name, n] : nodes) {
    n.frozen = false;
    n.line->cut = false;
  }
  advance(25s);
  size_t total = 0;
  for (auto& [name, n] : nodes)
    total += n.members->holding().size();
  EXPECT_EQ(total, works.size());
}

} // namespace
} // namespace eventweft
