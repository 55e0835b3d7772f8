// SPDX-License-Identifier: Apache-2.0
#include "codec/payload.hpp"
#include "tests/unit/correlation/join_support.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace eventweft::correlation {
namespace {

using namespace testing;

class joining : public ::testing::Test {
 protected:
  join_result batch(std::vector<joined_event> events,
                    const join_limits& limits = {}) {
    auto r = join_all(index, events, limits);
    EXPECT_TRUE(r);
    return r ? std::move(*r) : join_result{};
  }

  memory_index index;
};

TEST_F(joining, events_that_share_a_key_share_a_thread) {
  const auto r = batch({ev(1, {link("a")}), ev(2, {link("a"), link("b")}),
                        ev(3, {link("b")}), ev(4, {link("c")}), ev(5, {})});
  EXPECT_EQ(r.threads[0], id_of(1));
  EXPECT_EQ(r.threads[1], id_of(1));
  EXPECT_EQ(r.threads[2], id_of(1));
  EXPECT_EQ(r.threads[3], id_of(4));
  EXPECT_EQ(r.threads[4], std::nullopt);
  EXPECT_TRUE(r.changes.merges.empty());
}

TEST_F(joining, an_event_with_keys_of_two_threads_joins_them) {
  batch({ev(1, {link("a")})});
  batch({ev(2, {link("b")}), ev(3, {link("b")})});
  const auto r = batch({ev(4, {link("a"), link("b")})});
  ASSERT_EQ(r.changes.merges.size(), 1u);
  // The larger one's id stays, though the other is older.
  EXPECT_EQ(r.changes.merges[0],
            (thread_merge{id_of(1), id_of(2), id_of(4), "b"}));
  EXPECT_EQ(r.threads[0], id_of(2));
  EXPECT_EQ(index.thread_of(id_of(1)), id_of(2));
  EXPECT_EQ(index.current(id_of(1)), id_of(2));
}

TEST_F(joining, of_two_alike_the_older_id_stays) {
  batch({ev(7, {link("b")})});
  batch({ev(3, {link("a")})});
  const auto r = batch({ev(9, {link("a"), link("b")})});
  EXPECT_EQ(r.threads[0], id_of(3));
}

TEST_F(joining, old_ids_lead_on_through_several_merges) {
  batch({ev(1, {link("a")})});
  batch({ev(2, {link("b")}), ev(3, {link("b")})});
  batch({ev(4, {link("c")}), ev(5, {link("c")}), ev(6, {link("c")}),
         ev(7, {link("c")}), ev(8, {link("c")})});
  batch({ev(9, {link("a"), link("b")})});
  batch({ev(10, {link("b"), link("c")})});
  EXPECT_EQ(index.current(id_of(1)), id_of(4));
  EXPECT_EQ(index.current(id_of(2)), id_of(4));
  EXPECT_EQ(partition(index).size(), 1u);
}

TEST_F(joining, a_deployments_id_alone_is_the_first_repositorys) {
  auto short_name = link("deployment:dep-1");
  short_name.type = {correlation_noun::deployment,
                     correlation_noun::deployment};
  const std::vector<correlation_key> ours{identity("deployment:o/a#dep-1"),
                                          short_name};
  const std::vector<correlation_key> theirs{identity("deployment:o/b#dep-1"),
                                            short_name};
  const std::vector<correlation_key> nobodys{identity("deployment:dep-1")};
  batch({ev(1, nobodys)});
  batch({ev(2, ours)});
  const auto r =
      batch({ev(3, theirs), ev(4, theirs), ev(5, ours), ev(6, nobodys)});
  EXPECT_EQ(r.threads[0], id_of(3));
  EXPECT_EQ(r.threads[1], id_of(3));
  EXPECT_EQ(r.threads[2], id_of(1));
  EXPECT_EQ(r.threads[3], id_of(1));
  EXPECT_EQ(r.changes.links[1].why, not_linked::unsure);
  EXPECT_TRUE(r.changes.merges.empty());
}

TEST_F(joining, what_is_unsure_does_not_link_but_stays_as_evidence) {
  auto weak = link("a");
  weak.confidence = 0.6F;
  const auto r = batch({ev(1, {link("a")}), ev(2, {weak})});
  EXPECT_EQ(r.threads[1], std::nullopt);
  ASSERT_EQ(r.changes.links.size(), 2u);
  EXPECT_EQ(r.changes.links[1].why, not_linked::unsure);
}

correlation_key caused_by(std::string key,
                          std::string field = "metadata.causationid") {
  auto k = link(std::move(key));
  k.type = {correlation_noun::cause, correlation_noun::event};
  k.field = std::move(field);
  return k;
}

TEST_F(joining, a_cause_that_comes_later_still_becomes_the_parent) {
  const auto first =
      batch({ev(1, {identity("event:/a o-2"), caused_by("event:/a o-1")})});
  EXPECT_EQ(first.parents[0], std::nullopt);
  const auto second = batch({ev(2, {identity("event:/a o-1")})});
  EXPECT_EQ(second.threads[0], first.threads[0]);
  EXPECT_EQ(second.changes.parents,
            (std::vector<late_parent>{
                {id_of(1), timestamp{std::chrono::seconds{1}}, id_of(2)}}));
  EXPECT_EQ(index.late_parent_of(id_of(1)), id_of(2));
  EXPECT_EQ(index.pending_count(), 0u);
  // In the other order there is nothing to wait for.
  const auto third = batch({ev(3, {caused_by("event:/a o-2")})});
  EXPECT_EQ(third.parents[0], id_of(1));
  EXPECT_EQ(index.pending_count(), 0u);
}

TEST_F(joining, one_id_of_two_sources_is_the_first_ones) {
  const std::string id = "0190163d-8694-739b-aea5-966c26f8ad91";
  batch({ev(1, {identity("event:/a " + id), identity("event:" + id)})});
  const auto other =
      batch({ev(2, {identity("event:/b " + id), identity("event:" + id)})});
  EXPECT_NE(index.thread_of(id_of(1)), index.thread_of(id_of(2)));
  EXPECT_EQ(other.changes.links[1].why, not_linked::unsure);
  // Who names it means that of its own source, if there is one.
  const auto b =
      batch({ev(3, {caused_by("event:/b " + id), caused_by("event:" + id)}),
             ev(4, {caused_by("event:/c " + id), caused_by("event:" + id)})});
  EXPECT_EQ(b.parents[0], id_of(2));
  EXPECT_EQ(b.parents[1], id_of(1));
  EXPECT_EQ(partition(index).size(), 2u);
}

TEST_F(joining, a_parent_without_a_thread_comes_into_its_childs) {
  index.add_event({id_of(1), timestamp{std::chrono::seconds{1}}});
  const auto key = "event:" + to_string(id_of(1));
  const auto r = batch({ev(2, {caused_by(key, "parent_event_id")}),
                        ev(3, {caused_by(key, "parent_event_id")})});
  EXPECT_EQ(r.threads[0], id_of(1));
  EXPECT_EQ(r.parents[0], id_of(1));
  ASSERT_EQ(r.changes.members.size(), 3u);
  EXPECT_EQ(index.thread_of(id_of(1)), id_of(1));
  EXPECT_EQ(r.changes.growth[0].events, 3u);
  EXPECT_EQ(r.changes.growth[0].first, timestamp{std::chrono::seconds{1}});
  EXPECT_EQ(partition(index).size(), 1u);
  // One that comes in the same batch, too.
  const auto both =
      batch({ev(5, {caused_by("event:" + to_string(id_of(6)))}), ev(6, {})});
  EXPECT_EQ(both.threads[0], both.threads[1]);
  EXPECT_EQ(both.parents[0], id_of(6));
}

// It was acknowledged while the store was away, and is stored after what it
// caused.
TEST_F(joining, a_parent_that_comes_late_meets_its_child) {
  const auto key = "event:" + to_string(id_of(1));
  const auto child = batch({ev(2, {caused_by(key, "parent_event_id")})});
  EXPECT_EQ(child.threads[0], id_of(2));
  const auto parent =
      batch({ev(1, {own_id_key(id_of(1))}), ev(3, {own_id_key(id_of(3))})});
  EXPECT_EQ(parent.threads[0], id_of(2));
  // Nobody named this one, so it has no thread and leaves no trace.
  EXPECT_EQ(parent.threads[1], std::nullopt);
  EXPECT_EQ(parent.changes.links.size(), 1u);
  EXPECT_EQ(parent.changes.keys.size(), 1u);
  // A later child finds it by the same key.
  const auto later = batch({ev(4, {caused_by(key, "parent_event_id")})});
  EXPECT_EQ(later.threads[0], id_of(2));
  EXPECT_EQ(later.parents[0], id_of(1));
  // All of it in one batch, in either order.
  const auto of_six = "event:" + to_string(id_of(6));
  const auto both = batch({ev(6, {own_id_key(id_of(6))}),
                           ev(7, {caused_by(of_six, "parent_event_id")})});
  EXPECT_EQ(both.threads[0], both.threads[1]);
  const auto of_eight = "event:" + to_string(id_of(8));
  const auto turned = batch({ev(9, {caused_by(of_eight, "parent_event_id")}),
                             ev(8, {own_id_key(id_of(8))})});
  EXPECT_EQ(turned.threads[0], turned.threads[1]);
  EXPECT_EQ(partition(index).size(), 3u);
}

TEST_F(joining, a_pull_request_stands_for_its_commits) {
  auto its_head = link("git:sha:" + std::string(40, 'a'));
  its_head.type = {correlation_noun::pr, correlation_noun::commit};
  auto check = its_head;
  check.type.from = correlation_noun::check;
  const auto first = batch({ev(1, {check})});
  EXPECT_TRUE(first.changes.keys[0].owner.is_nil());
  const auto second = batch({ev(2, {identity("github:pr:a/b#1"), its_head})});
  for (const auto& k : second.changes.keys)
    EXPECT_EQ(k.owner, id_of(2)) << k.key;
}

TEST_F(joining, a_mention_of_an_unknown_team_links_after_the_fact) {
  const auto first = batch(
      {ev(1, {waiting("linear:issue:ENG-1", "linear:team:ENG")}),
       ev(2, {link("x"), waiting("linear:issue:ENG-1", "linear:team:ENG")})});
  EXPECT_EQ(first.threads[0], std::nullopt);
  EXPECT_EQ(first.changes.links[0].why, not_linked::pending);
  EXPECT_EQ(index.pending_count(), 2u);
  const auto r =
      batch({ev(3, {identity("linear:issue:ENG-1"), fact("linear:team:ENG")})});
  EXPECT_EQ(r.threads[0], id_of(2));
  EXPECT_EQ(index.thread_of(id_of(1)), id_of(2));
  EXPECT_EQ(index.pending_count(), 0u);
  const auto adopted =
      std::count_if(r.changes.members.begin(), r.changes.members.end(),
                    [](const auto& m) { return m.adopted; });
  EXPECT_EQ(adopted, 1);
  ASSERT_EQ(r.changes.facts.size(), 1u);
  // Known from now on, also to a node that has not heard of it.
  const auto later =
      batch({ev(4, {waiting("linear:issue:ENG-1", "linear:team:ENG")})});
  EXPECT_EQ(later.threads[0], id_of(2));
}

TEST_F(joining, a_short_sha_finds_its_commit_in_either_order) {
  const std::string full = "git:sha:1a2b3c4d5e6f708192a3b4c5d6e7f80912345678";
  batch({ev(1, {waiting("git:sha:1a2b3c4d", "git:sha7:1a2b3c4")})});
  EXPECT_EQ(index.thread_of(id_of(1)), std::nullopt);
  batch({ev(2, {link(full)})});
  EXPECT_EQ(index.thread_of(id_of(1)), index.thread_of(id_of(2)));
  batch({ev(3, {waiting("git:sha:1a2b3c4", "git:sha7:1a2b3c4")})});
  EXPECT_EQ(index.thread_of(id_of(3)), index.thread_of(id_of(2)));
  const auto r =
      batch({ev(4, {waiting("git:sha:1a2b3c9", "git:sha7:1a2b3c9")})});
  EXPECT_EQ(r.threads[0], std::nullopt);
}

TEST_F(joining, a_short_sha_that_two_commits_begin_with_links_to_none) {
  batch({ev(1, {link("git:sha:1a2b3c4d5e6f708192a3b4c5d6e7f80912345678")}),
         ev(2, {link("git:sha:1a2b3c4fffffffffffffffffffffffffffffffff")})});
  const auto r =
      batch({ev(3, {waiting("git:sha:1a2b3c4", "git:sha7:1a2b3c4")})});
  EXPECT_EQ(r.threads[0], std::nullopt);
}

// A store could not write all that waits for a team after a year, and the log
// would stand still.
TEST_F(joining, of_what_waits_the_newest_link_and_the_others_stay) {
  join_limits limits;
  limits.max_waiting = 2;
  for (uint64_t n = 1; n <= 4; ++n)
    batch({ev(n, {waiting("linear:issue:ENG-" + std::to_string(n),
                          "linear:team:ENG")})},
          limits);
  const auto taught =
      batch({ev(9, {identity("own:9"), fact("linear:team:ENG")})}, limits);
  EXPECT_EQ(taught.changes.resolved.size(), 2u);
  for (uint64_t n = 1; n <= 4; ++n)
    EXPECT_EQ(index.thread_of(id_of(n)).has_value(), n > 2) << n;
}

TEST_F(joining, a_slack_permalink_gets_its_team) {
  batch({ev(1, {waiting("slack:thread::C1:17.000100", "slack:channel:C1")})});
  batch({ev(2, {identity("slack:thread:T1:C1:17.000100"),
                fact("slack:channel:C1", "T1")})});
  EXPECT_EQ(index.thread_of(id_of(1)), index.thread_of(id_of(2)));
}

TEST_F(joining, a_hot_key_stops_linking_and_says_so) {
  join_limits limits;
  limits.max_mentions = 3;
  std::vector<joined_event> events;
  for (uint64_t n = 1; n <= 5; ++n)
    events.push_back(
        ev(n, {link("own" + std::to_string(n)), link("all", true)}));
  const auto r = batch(events, limits);
  EXPECT_EQ(r.hot_keys, (std::vector<hot_key>{{"all", true}}));
  EXPECT_EQ(r.threads[2], id_of(1));
  EXPECT_EQ(r.threads[3], id_of(4));
  EXPECT_EQ(r.changes.links.back().why, not_linked::hot_key);
  // What belongs to it by its structure still does.
  const auto more = batch({ev(6, {link("all")})}, limits);
  EXPECT_EQ(more.threads[0], id_of(1));
  EXPECT_TRUE(more.hot_keys.empty());
  limits.max_links = 2;
  EXPECT_EQ(batch({ev(7, {link("all")})}, limits).hot_keys,
            (std::vector<hot_key>{{"all", false}}));
}

TEST_F(joining, who_says_the_same_again_uses_up_no_mentions) {
  join_limits limits;
  limits.max_mentions = 3;
  for (uint64_t n = 1; n <= 10; ++n)
    batch({ev(n, {identity("one"), link("issue", true)})}, limits);
  const auto r =
      batch({ev(11, {identity("two"), link("issue", true)})}, limits);
  EXPECT_EQ(r.threads[0], id_of(1));
  EXPECT_EQ(r.changes.links.back().why, not_linked::none);
  // Of others it takes no more than before, and those that are in stay in.
  batch({ev(12, {identity("three"), link("issue", true)})}, limits);
  EXPECT_NE(batch({ev(13, {identity("four"), link("issue", true)})}, limits)
                .threads[0],
            id_of(1));
  EXPECT_EQ(batch({ev(14, {identity("one"), link("issue", true)})}, limits)
                .changes.links.back()
                .why,
            not_linked::none);
}

TEST_F(joining, huge_threads_do_not_join_but_still_grow) {
  join_limits limits;
  limits.max_joined_events = 4;
  batch({ev(1, {link("a")}), ev(2, {link("a")}), ev(3, {link("a")})}, limits);
  batch({ev(4, {link("b")}), ev(5, {link("b")})}, limits);
  const auto r = batch({ev(6, {link("a"), link("b")})}, limits);
  EXPECT_EQ(r.threads[0], id_of(1));
  EXPECT_EQ(r.changes.links[1].why, not_linked::huge_thread);
  EXPECT_EQ(r.huge_keys, std::vector<std::string>{"b"});
  EXPECT_EQ(partition(index).size(), 2u);
  EXPECT_EQ(batch({ev(7, {link("a")})}, limits).threads[0], id_of(1));
}

TEST_F(joining, a_window_lets_a_name_be_used_again) {
  auto branch = link("git:branch:o/r:patch-1");
  branch.rule = "github";
  branch.window = 100;
  batch({ev(1'000, {branch})});
  batch({ev(1'090, {branch})});
  const auto r = batch({ev(2'000, {branch})});
  EXPECT_EQ(r.threads[0], id_of(2'000));
  EXPECT_EQ(batch({ev(2'050, {branch})}).threads[0], id_of(2'000));
  EXPECT_EQ(partition(index).size(), 2u);
}

TEST_F(joining, a_late_remark_takes_no_name_from_the_thing_itself) {
  auto remark = link("github:pr:o/r#1");
  remark.window = 100;
  batch({ev(1'000, {identity("github:pr:o/r#1")})});
  EXPECT_EQ(batch({ev(1'050, {remark})}).threads[0], id_of(1'000));
  const auto late = batch({ev(2'000, {remark})});
  EXPECT_NE(late.threads[0], id_of(1'000));
  EXPECT_EQ(late.changes.links[0].why, not_linked::unsure);
  EXPECT_EQ(batch({ev(2'001, {link("github:pr:o/r#1")})}).threads[0],
            id_of(1'000));
}

TEST_F(joining, a_late_rule_takes_no_familys_name_that_nobody_has) {
  // A branch is nobody's, nor is a pull request that is only spoken of.
  // Whatever type the rule gives.
  const std::pair<std::string, correlation_noun> cases[] = {
      {"git:branch:o/r:al/x", correlation_noun::custom},
      {"git:branch:o/r:al/y", correlation_noun::branch},
      {"github:pr:o/r#77", correlation_noun::custom}};
  for (const auto& [name, type] : cases) {
    SCOPED_TRACE(name);
    const auto at = partition(index).size() * 10'000;
    const auto when = [at](int n) { return static_cast<int>(at) + n; };
    batch({ev(when(1'000), {link(name)})});
    auto rule = link(name);
    rule.rule = "mine";
    rule.type.to = type;
    rule.window = 100;
    EXPECT_EQ(batch({ev(when(1'050), {rule})}).threads[0], id_of(when(1'000)));
    const auto late = batch({ev(when(2'000), {rule})});
    EXPECT_EQ(late.changes.links[0].why, not_linked::unsure);
    EXPECT_EQ(batch({ev(when(2'001), {link(name)})}).threads[0],
              id_of(when(1'000)));
  }
  // A name of the rule's own begins anew.
  auto own = link("zendesk:7");
  own.type.to = correlation_noun::custom;
  own.window = 100;
  batch({ev(101'000, {own})});
  EXPECT_EQ(batch({ev(102'000, {own})}).threads[0], id_of(102'000));
}

TEST_F(joining, a_use_that_comes_late_is_not_said_to_link) {
  auto branch = link("git:branch:o/r:patch-1");
  branch.rule = "github";
  branch.window = 100;
  batch({ev(2'000, {branch})});
  const auto late = batch({ev(1'000, {branch})});
  EXPECT_EQ(late.changes.links[0].why, not_linked::unsure);
  EXPECT_EQ(batch({ev(2'050, {branch})}).threads[0], id_of(2'000));
}

TEST_F(joining, what_waited_and_is_gone_over_again_waits_no_more) {
  batch({ev(1, {fact("linear:team:ENG")})});
  const std::vector<correlation_key> keys{
      waiting("linear:issue:ENG-1", "linear:team:ENG")};
  const std::vector<join_input> again{{id_of(2), {}, keys, true}};
  const auto r = join(index, again, {});
  ASSERT_TRUE(r);
  ASSERT_EQ(r->changes.resolved.size(), 1u);
  EXPECT_EQ(r->changes.resolved[0].event, id_of(2));
  EXPECT_EQ(r->changes.resolved[0].fact, "linear:team:ENG");
  EXPECT_EQ(r->changes.resolved[0].key.key, "linear:issue:ENG-1");
}

TEST_F(joining, what_waited_and_is_known_by_now_waits_no_more) {
  // As rules write them that know the team, and the channel's.
  const std::vector<correlation_key> keys{link("linear:issue:ENG-1"),
                                          link("slack:thread:T1:C1:1.000100"),
                                          link("git:branch:o/r:x")};
  const std::vector<join_input> again{{id_of(2), {}, keys, true}};
  const auto r = join(index, again, {});
  ASSERT_TRUE(r);
  ASSERT_EQ(r->changes.resolved.size(), 2u);
  EXPECT_EQ(r->changes.resolved[0].fact, "linear:team:ENG");
  EXPECT_EQ(r->changes.resolved[0].key.key, "linear:issue:ENG-1");
  EXPECT_EQ(r->changes.resolved[1].fact, "slack:channel:C1");
  EXPECT_EQ(r->changes.resolved[1].key.key, "slack:thread::C1:1.000100");
}

TEST_F(joining, causes_are_parents_and_share_the_thread) {
  auto cause = link("event:delivery-0001");
  cause.type.from = correlation_noun::cause;
  cause.matched = "delivery-0001";
  batch({ev(1, {identity("event:delivery-0001")})});
  const auto r = batch({ev(2, {cause})});
  EXPECT_EQ(r.threads[0], id_of(1));
  EXPECT_EQ(r.parents[0], id_of(1));
}

TEST_F(joining, our_own_event_and_thread_ids_are_understood) {
  batch({ev(1, {link("a")}), ev(2, {link("a")})});
  auto cause = link("event:" + to_string(id_of(2)));
  cause.type.from = correlation_noun::cause;
  cause.matched = to_string(id_of(2));
  const auto r = batch(
      {ev(3, {cause}), ev(4, {link("correlation:" + to_string(id_of(1)))})});
  EXPECT_EQ(r.threads[0], id_of(1));
  EXPECT_EQ(r.threads[1], id_of(1));
  EXPECT_EQ(r.parents[0], id_of(2));
}

TEST_F(joining, a_sender_that_names_its_thread_finds_it_by_that_name) {
  const auto named = link("correlation:" + to_string(id_of(77)));
  const auto r = batch({ev(1, {named, link("a")})});
  EXPECT_EQ(r.threads[0], id_of(77));
  EXPECT_EQ(batch({ev(2, {named})}).threads[0], id_of(77));
}

void expect_one_in_any_order(const std::vector<joined_event>& events) {
  std::vector<size_t> order{0, 1, 2};
  do
    for (unsigned cuts = 0; cuts < 4; ++cuts) {
      memory_index index;
      std::vector<joined_event> batch;
      for (size_t i = 0; i < 3; ++i) {
        batch.push_back(events[order[i]]);
        if (i == 2 || (cuts >> i & 1u) != 0) {
          ASSERT_TRUE(join_all(index, batch));
          for (const auto& e : batch)
            index.add_event({e.id, e.at});
          batch.clear();
        }
      }
      EXPECT_EQ(partition(index),
                (std::set<std::set<uuid>>{{id_of(1), id_of(2), id_of(3)}}))
          << order[0] << order[1] << order[2] << " cut " << cuts;
    }
  while (std::next_permutation(order.begin(), order.end()));
}

// Whatever comes first: the event without keys, the one that gave its id to
// their thread, or the one that it caused.
TEST(joining_by_id, a_threads_name_and_a_cause_are_one_in_any_order) {
  const auto id = to_string(id_of(1));
  expect_one_in_any_order(
      {ev(1, {own_id_key(id_of(1))}), ev(2, {link("correlation:" + id)}),
       ev(3, {caused_by("event:" + id, "parent_event_id")})});
}

// The event whose id names a thread is in that as soon as it is in any.
TEST(joining_by_id, what_waits_comes_into_the_thread_that_has_its_name) {
  expect_one_in_any_order(
      {ev(1, {own_id_key(id_of(1)),
              waiting("linear:issue:WEB-7", "linear:team:WEB")}),
       ev(2, {link("correlation:" + to_string(id_of(1)))}),
       ev(3, {identity("linear:issue:WEB-7"), fact("linear:team:WEB")})});
}

TEST(joining_by_id, an_event_with_keys_is_in_the_thread_of_its_name) {
  expect_one_in_any_order({ev(1, {own_id_key(id_of(1)), identity("pr")}),
                           ev(2, {link("correlation:" + to_string(id_of(1)))}),
                           ev(3, {link("pr")})});
}

TEST_F(joining, a_senders_name_of_a_thread_that_has_another_is_told_once) {
  using names = std::vector<std::pair<uuid, uuid>>;
  const auto named = link("correlation:" + to_string(id_of(77)));
  EXPECT_TRUE(batch({ev(1, {link("a")})}).names.empty());
  const auto r = batch({ev(2, {named, link("a")})});
  EXPECT_EQ(r.threads[0], id_of(1));
  EXPECT_EQ(r.names, (names{{id_of(77), id_of(1)}}));
  EXPECT_TRUE(batch({ev(3, {named})}).names.empty());
  // Of two that ask for a thread one has to go without.
  const auto two =
      batch({ev(4, {link("correlation:" + to_string(id_of(79))),
                    link("correlation:" + to_string(id_of(78)))})});
  EXPECT_EQ(two.threads[0], id_of(78));
  EXPECT_EQ(two.names, (names{{id_of(79), id_of(78)}}));
}

TEST_F(joining, a_merge_can_be_told_as_an_event) {
  const auto e = merge_event({id_of(1), id_of(2), id_of(4), "a\"b"}, id_of(99),
                             timestamp{});
  EXPECT_EQ(e.platform, "eventweft");
  EXPECT_EQ(e.event_type, "correlation:merged");
  EXPECT_EQ(e.correlation_id, id_of(2));
  codec::payload_reader reader;
  const auto root = reader.parse(e.payload.view());
  ASSERT_TRUE(root);
  EXPECT_EQ(codec::string_at(*root, "/from"), to_string(id_of(1)));
  EXPECT_EQ(codec::string_at(*root, "/key"), "a\"b");
}

TEST_F(joining, merges_rewrite_the_smaller_side) {
  constexpr uint64_t large = 2'000;
  std::vector<joined_event> events;
  for (uint64_t n = 1; n <= large; ++n)
    events.push_back(ev(n, {link("big")}));
  batch(events);
  for (uint64_t n = 0; n < 100; ++n) {
    const auto own = "k" + std::to_string(n);
    batch({ev(large + 2 * n + 1, {link(own)})});
    batch({ev(large + 2 * n + 2, {link(own), link("big")})});
  }
  // An event and a key each time, never the large one.
  EXPECT_EQ(index.rewritten(), 200u);
}

} // namespace
} // namespace eventweft::correlation
