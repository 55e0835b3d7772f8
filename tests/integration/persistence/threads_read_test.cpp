// SPDX-License-Identifier: Apache-2.0
// Reading threads, going over stored events again, and letting go.
#include "tests/integration/persistence/thread_support.hpp"

#include <algorithm>
#include <functional>

namespace eventweft::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class read_threads : public thread_contract {
 protected:
  static event on(int n, std::string platform,
                  std::vector<correlation_key> keys) {
    auto e = keyed_event(n, std::move(keys));
    e.platform = std::move(platform);
    return e;
  }
};

TEST_P(read_threads, AStoryHasItsEventsLinksAndKeys) {
  auto pr = on(1, "github", {being("github:pr:o/r#1")});
  pr.event_type = "pull_request:opened";
  auto link = linking("linear:issue:ENG-1");
  link.type = {correlation_noun::pr, correlation_noun::issue};
  pr.keys.push_back(link);
  auto issue = on(2, "linear", {being("linear:issue:ENG-1")});
  issue.event_type = "Issue:create";
  join({pr, issue, on(3, "slack", {linking("github:pr:o/r#1", true)}),
        on(4, "slack", {being("x:1")})});
  auto reader = threads();
  const auto id = *must(reader->thread_of(std::string{"linear:issue:ENG-1"}));
  const auto story = must(reader->read(id, {0, 100}));
  ASSERT_TRUE(story);
  EXPECT_EQ(story->summary.id, id);
  EXPECT_EQ(story->summary.events, 3u);
  EXPECT_EQ(story->summary.last_seq, 3);
  EXPECT_EQ(story->summary.first, numbered_event(1).created_at);
  EXPECT_EQ(story->summary.last, numbered_event(3).created_at);
  EXPECT_THAT(story->summary.platforms,
              ElementsAre("github", "linear", "slack"));
  ASSERT_THAT(story->events, SizeIs(3));
  EXPECT_EQ(story->events[2]->platform, "slack");
  ASSERT_THAT(story->links, SizeIs(4));
  const auto of_pr =
      std::find_if(story->links.begin(), story->links.end(),
                   [](auto& l) { return l.type == "pr_to_issue"; });
  ASSERT_NE(of_pr, story->links.end());
  EXPECT_EQ(of_pr->event, pr.id);
  EXPECT_EQ(of_pr->target, issue.id);
  EXPECT_EQ(of_pr->matched, "what was there");
  EXPECT_EQ(of_pr->rule, "test");
  ASSERT_THAT(story->keys, SizeIs(2));
  EXPECT_EQ(story->keys[0].key, "github:pr:o/r#1");
  EXPECT_EQ(story->keys[0].owner, pr.id);
  EXPECT_EQ(story->keys[0].links, 1u);
  EXPECT_EQ(story->keys[0].mentions, 1u);
  EXPECT_THAT(story->states, SizeIs(2));
  EXPECT_FALSE(story->next);
  const auto page = must(reader->read(id, {0, 2}));
  EXPECT_THAT(page->events, SizeIs(2));
  EXPECT_EQ(page->next, 2);
  EXPECT_THAT(must(reader->read(id, {2, 2}))->events, SizeIs(1));
  EXPECT_FALSE(must(reader->read(numbered_event(9).id, {0, 2})));
  // An analyst's question. Fails where there is no such row.
  run_sql("CREATE TABLE answer (a text NOT NULL)");
  run_sql("INSERT INTO answer SELECT target_platform FROM correlated_events "
          "WHERE correlation_type = 'pr_to_issue'");
  run_sql("CREATE TABLE near (a text CHECK (a IS NOT NULL))");
  run_sql("INSERT INTO near SELECT time_between FROM correlated_events "
          "WHERE correlation_type = 'pr_to_issue'");
  run_sql("CREATE TABLE one (a int CHECK (a = 1))");
  run_sql("INSERT INTO one SELECT count(*) FROM answer WHERE a = 'linear'");
}

TEST_P(read_threads, APageEndsWhereItsPayloadsAreManyBytes) {
  std::vector<event> events;
  for (int n = 1; n <= 5; ++n) {
    events.push_back(on(n, "github", {linking("a:1")}));
    events.back().event_type = "pull_request:synchronize";
    events.back().payload =
        shared_text{R"({"fill":")" + std::string(100, 'x') + "\"}"};
  }
  join(events);
  auto reader = threads();
  const auto id = *thread_of(1);
  const auto size = events.front().payload.size();
  // The second event of a page brings it over this.
  thread_page page{.after = 0, .limit = 10, .max_bytes = size + 1};
  std::vector<size_t> sizes;
  for (int i = 0; i < 4; ++i) {
    const auto story = must(reader->read(id, page));
    ASSERT_TRUE(story);
    EXPECT_EQ(story->links.size(), story->events.size());
    sizes.push_back(story->events.size());
    if (!story->next)
      break;
    page.after = *story->next;
  }
  EXPECT_THAT(sizes, ElementsAre(2, 2, 1));
  // One that is larger by itself comes alone; so does a kind's newest state.
  page = {.after = 0, .limit = 10, .max_bytes = 1};
  const auto story = must(reader->read(id, page));
  EXPECT_THAT(story->events, SizeIs(1));
  EXPECT_EQ(story->next, 1);
  ASSERT_THAT(story->states, SizeIs(1));
  EXPECT_EQ(story->states.front()->seq, 5);
}

// Whatever page is read.
TEST_P(read_threads, WhoTookPartIsTheWholeThreads) {
  const auto by = [](int n, std::string id, std::string name) {
    auto e = on(n, "github", {linking("a:1")});
    e.actor_id = std::move(id);
    e.actor_name = std::move(name);
    return e;
  };
  join({by(1, "7", "ann"), by(2, "8", "bob"), by(3, "7", "anna"),
        by(4, "7", ""), by(5, "", "cron"), by(6, "", "")});
  const auto story = must(threads()->read(*thread_of(1), {0, 1}));
  ASSERT_TRUE(story);
  EXPECT_THAT(story->participants,
              ElementsAre(thread_participant{"github", "7", "anna", 3},
                          thread_participant{"github", "8", "bob", 1},
                          thread_participant{"github", "cron", "cron", 1}));
}

// Fifty reviews come after the last word on the issue.
TEST_P(read_threads, AStateIsNotHiddenByManyOfAnother) {
  auto issue = on(1, "linear", {being("linear:issue:ENG-1")});
  issue.event_type = "Issue:update";
  auto pr = on(2, "github", {linking("linear:issue:ENG-1")});
  pr.event_type = "pull_request:closed";
  std::vector<event> events{issue, pr};
  for (int n = 3; n < 63; ++n) {
    events.push_back(on(n, "github", {linking("linear:issue:ENG-1")}));
    events.back().event_type = "pull_request_review:submitted";
  }
  join(events);
  auto reader = threads();
  const auto id = *must(reader->thread_of(std::string{"linear:issue:ENG-1"}));
  const auto story = must(reader->read(id, {0, 1}));
  ASSERT_TRUE(story);
  const auto& states = story->states;
  EXPECT_TRUE(std::ranges::is_sorted(states, std::ranges::greater{},
                                     [](auto& e) { return e->seq; }));
  ASSERT_GE(states.size(), 3u);
  EXPECT_EQ(states.front()->seq, 62);
  EXPECT_EQ(states[states.size() - 2]->event_type, "pull_request:closed");
  EXPECT_EQ(states.back()->event_type, "Issue:update");
}

// What one pull request or one environment has many of hides no other.
TEST_P(read_threads, AStateIsNotHiddenByManyOfItsKind) {
  int n = 0;
  std::vector<event> events;
  const auto add = [&](std::string platform, std::string type,
                       std::string event_details::*where, std::string details) {
    auto e = on(++n, std::move(platform), {linking("a:1")});
    e.event_type = std::move(type);
    e.details.*where = std::move(details);
    events.push_back(std::move(e));
  };
  const auto pull_request = [&](const std::string& type, int number) {
    add("github", "pull_request:" + type, &event_details::github,
        R"({"event":"pull_request","repository_name":"o/r","pr_number":)" +
            std::to_string(number) + "}");
  };
  const auto deployment = [&](const std::string& repository,
                              const std::string& environment) {
    add("deployments", "deployment:failure", &event_details::deployment,
        R"({"repository_name":")" + repository + R"(","environment":")" +
            environment + "\"}");
  };
  const auto issue = [&](const std::string& id, const std::string& name) {
    add("linear", "Issue:update", &event_details::linear,
        R"({"type":"Issue","issue_id":")" + id + R"(","identifier":")" + name +
            "\"}");
  };
  issue("i-1", "ENG-1");
  pull_request("closed", 1);
  deployment("o/r", "production");
  deployment("o/s", "staging");
  for (int i = 0; i < 25; ++i) {
    issue("i-2", "ENG-2");
    pull_request("synchronize", 2);
    deployment("o/r", "staging");
  }
  join(events);
  const auto story = must(threads()->read(*thread_of(1), {0, 1}));
  ASSERT_TRUE(story);
  std::vector<seq_t> seqs;
  for (const auto& e : story->states)
    seqs.push_back(e->seq);
  EXPECT_TRUE(std::ranges::is_sorted(seqs, std::ranges::greater{}));
  EXPECT_EQ(seqs.front(), n);
  ASSERT_GE(seqs.size(), 4u);
  EXPECT_THAT(std::vector<seq_t>(seqs.end() - 4, seqs.end()),
              ElementsAre(4, 3, 2, 1));
  // Where there is room for few, they are the newest of each.
  const auto few = must(
      threads()->read(*thread_of(1), {.after = 0, .limit = 1, .max_bytes = 1}));
  EXPECT_THAT(few->states, SizeIs(3));
}

TEST_P(read_threads, TheNewestComeFirst) {
  join({on(1, "github", {being("a:1")}), on(2, "slack", {being("b:1")}),
        on(3, "github", {being("c:1")}), on(4, "linear", {linking("a:1")})});
  auto reader = threads();
  auto all = must(reader->recent({}));
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_THAT(all[0].keys, ElementsAre("a:1"));
  EXPECT_EQ(all[0].last_seq, 4);
  EXPECT_THAT(all[1].keys, ElementsAre("c:1"));
  // One more tells that there are more.
  auto first = must(reader->recent({.limit = 1}));
  ASSERT_THAT(first, SizeIs(2));
  auto second = must(reader->recent({.before = 4, .limit = 1}));
  EXPECT_THAT(second[0].keys, ElementsAre("c:1"));
  auto two = must(reader->recent({.platforms = {"linear", "slack"}}));
  ASSERT_THAT(two, SizeIs(2));
  EXPECT_THAT(two[1].platforms, ElementsAre("slack"));
  auto linear = must(reader->recent({.platforms = {"linear"}}));
  ASSERT_THAT(linear, SizeIs(1));
  EXPECT_THAT(linear[0].platforms, ElementsAre("github", "linear"));
}

TEST_P(read_threads, KeysAreFoundByTheirEnds) {
  join({on(1, "github", {being("deployment:a/b#42"), being("x:1")}),
        on(2, "github", {being("deployment:a/c#142")}),
        on(3, "github", {being("deployment:a/d#42")})});
  auto reader = threads();
  EXPECT_THAT(must(reader->keys_like("deployment:", "#42", 5)),
              ElementsAre("deployment:a/b#42", "deployment:a/d#42"));
  EXPECT_THAT(must(reader->keys_like("deployment:", "", 2)),
              ElementsAre("deployment:a/b#42", "deployment:a/c#142"));
  EXPECT_THAT(must(reader->keys_like("deployment:b", "", 5)), SizeIs(0));
  EXPECT_FALSE(must(reader->fact("slack:channel:C1")));
}

TEST_P(read_threads, ACauseThatComesLateBecomesTheParent) {
  auto effect = linking("event:/a o-1");
  effect.type = {correlation_noun::cause, correlation_noun::event};
  effect.field = "metadata.cloudevents.causationid";
  join({on(1, "cloudevents", {effect})});
  EXPECT_FALSE(log()[0]->parent_event_id);
  join({on(2, "cloudevents", {being("event:/a o-1")})});
  EXPECT_EQ(thread_of(1), thread_of(2));
  EXPECT_EQ(log()[0]->parent_event_id, numbered_event(2).id);
}

TEST_P(read_threads, AParentWithoutAThreadComesIntoItsChilds) {
  join({on(1, "custom", {})});
  EXPECT_FALSE(thread_of(1));
  auto child = linking("event:" + to_string(numbered_event(1).id));
  child.type = {correlation_noun::cause, correlation_noun::event};
  child.field = "parent_event_id";
  join({on(2, "custom", {child})});
  ASSERT_TRUE(thread_of(1));
  EXPECT_EQ(thread_of(1), thread_of(2));
  auto reader = threads();
  const auto story = must(reader->read(*thread_of(1), {0, 10}));
  EXPECT_EQ(story->summary.events, 2u);
}

// Whichever comes first: the event, the one that has its id as its thread's, or
// the one that it caused.
TEST_P(read_threads, AnIdIsOneAsThreadAndAsCause) {
  int first = 10;
  for (const auto order : {"ebc", "ecb", "bec", "bce", "ceb", "cbe"}) {
    const auto id = to_string(numbered_event(first).id);
    for (const char each : std::string_view{order}) {
      auto child = linking("event:" + id);
      child.type = {correlation_noun::cause, correlation_noun::event};
      child.field = "parent_event_id";
      if (each == 'e')
        join({on(first, "custom", {being("event:" + id)})});
      else if (each == 'b')
        join({on(first + 1, "custom", {linking("correlation:" + id)})});
      else
        join({on(first + 2, "custom", {child})});
    }
    EXPECT_TRUE(thread_of(first)) << order;
    EXPECT_EQ(thread_of(first), thread_of(first + 1)) << order;
    EXPECT_EQ(thread_of(first), thread_of(first + 2)) << order;
    auto reader = threads();
    EXPECT_EQ(must(reader->read(*thread_of(first), {0, 10}))->summary.events,
              3u)
        << order;
    first += 10;
  }
}

// So that those who have the events in memory need not read them again.
TEST_P(read_threads, WhatEventsGetLateIsReported) {
  auto child = linking("event:" + to_string(numbered_event(1).id));
  child.type = {correlation_noun::cause, correlation_noun::event};
  child.field = "parent_event_id";
  auto effect = linking("event:/a o-1");
  effect.type = {correlation_noun::cause, correlation_noun::event};
  effect.field = "metadata.cloudevents.causationid";
  EXPECT_TRUE(join({on(1, "custom", {}), on(3, "cloudevents", {effect})})
                  .threads.news.empty());
  const auto adopted = join({on(2, "custom", {child})}).threads.news;
  EXPECT_THAT(adopted.links,
              ElementsAre(late_link{numbered_event(1).id, thread_of(1)}));
  const auto caused =
      join({on(4, "cloudevents", {being("event:/a o-1")})}).threads.news;
  EXPECT_THAT(
      caused.links,
      ElementsAre(late_link{numbered_event(3).id, {}, numbered_event(4).id}));
  const auto waits = waiting("linear:issue:NEW-1", "linear:team:NEW");
  join({on(5, "slack", {waits})});
  const auto known =
      join({on(6, "linear",
               {being("linear:issue:NEW-1"), teaching("linear:team:NEW")})});
  EXPECT_THAT(known.threads.news.links,
              ElementsAre(late_link{numbered_event(5).id, thread_of(6)}));
  // A session that has nothing in memory yet, as after a restart.
  session_ = store_->open_session();
  const auto all = must(session_->places({0, 6}));
  EXPECT_EQ(all.last, 6);
  ASSERT_THAT(all.events, SizeIs(6));
  for (const auto& e : log())
    EXPECT_EQ(all.events[static_cast<size_t>(e->seq) - 1],
              (event_place{e->seq, e->correlation_id, e->parent_event_id}));
  const auto some = must(session_->places({1, 5, 2}));
  EXPECT_EQ(some.last, 3);
  EXPECT_THAT(some.events, SizeIs(2));
}

// A retention may take it between its reading and this.
TEST_P(read_threads, WhatIsGoneIsNotGoneOverAgain) {
  join({on(1, "github", {})});
  auto reader = threads();
  must(reader->set_backfill(backfill_state{0, 1, "rules"}));
  const event_ptr gone{on(2, "github", {})};
  const std::vector<rejoined_event> both{{log()[0], {being("c:1")}},
                                         {gone, {being("d:1")}}};
  must(reader->rejoin(both, 1, noon));
  EXPECT_TRUE(thread_of(1));
  EXPECT_THAT(must(reader->evidence(gone->id)), SizeIs(0));
  EXPECT_THAT(must(reader->recent({.limit = 10})), SizeIs(1));
}

TEST_P(read_threads, WhatChangesWithoutAnEventHasAnotherVersion) {
  join({on(1, "github", {}), on(2, "github", {})});
  const places_request only_version{2, 2};
  const auto before = must(session_->places(only_version));
  EXPECT_THAT(before.events, SizeIs(0));
  EXPECT_EQ(must(session_->places(only_version)), before);
  auto reader = threads();
  must(reader->set_backfill(backfill_state{0, 2, "rules"}));
  const auto events = log();
  must(
      reader->rejoin(std::vector<rejoined_event>{{events[0], {being("c:1")}},
                                                 {events[1], {linking("c:1")}}},
                     2, noon));
  EXPECT_EQ(must(session_->head()).seq, 2);
  EXPECT_NE(must(session_->places(only_version)).version, before.version);
}

TEST_P(read_threads, ASendersIdLeadsToTheThreadThatItJoined) {
  const auto id = numbered_event(77).id;
  join({on(1, "custom", {linking("trace:1")})});
  const auto joined =
      join({on(2, "custom",
               {linking("correlation:" + to_string(id)), linking("trace:1")})});
  const auto thread = *thread_of(1);
  EXPECT_EQ(thread_of(2), thread);
  EXPECT_THAT(joined.threads.news.names, ElementsAre(std::pair{id, thread}));
  const std::vector<uuid> asked{id, thread, numbered_event(1).id};
  EXPECT_EQ(must(session_->present_threads(asked))[0], thread);
}

TEST_P(read_threads, EventsOfAThreadAreFoundByTheirKey) {
  join({on(1, "github", {being("a:1")}),
        on(2, "slack", {linking("a:1"), linking("b:1")}),
        on(3, "github", {linking("b:1")})});
  const auto thread = *thread_of(1);
  auto reader = threads();
  const auto linked = [&](const std::string& key, const thread_page& page) {
    std::vector<seq_t> seqs;
    for (const auto& e : must(reader->linked_by(thread, key, page)))
      seqs.push_back(e->seq);
    return seqs;
  };
  EXPECT_THAT(linked("a:1", {}), ElementsAre(2, 1));
  EXPECT_THAT(linked("b:1", {0, 1}), ElementsAre(3));
  EXPECT_THAT(linked("b:1", {0, 10, 1}), ElementsAre(3));
  EXPECT_THAT(linked("c:1", {}), SizeIs(0));
  EXPECT_EQ(must(reader->thread_with_id(thread)), thread);
  EXPECT_FALSE(must(reader->thread_with_id(numbered_event(3).id)));
  EXPECT_EQ((*must(reader->find(numbered_event(3).id)))->seq, 3);
  EXPECT_FALSE(must(reader->find(numbered_event(9).id)));
}

TEST_P(read_threads, StoredEventsCanBeGoneOverAgain) {
  // As if there had been no rule for them.
  join({on(1, "github", {}), on(2, "slack", {}),
        on(3, "github", {being("a:1")}), on(4, "linear", {being("b:1")})});
  auto reader = threads();
  EXPECT_FALSE(must(reader->backfill()));
  must(reader->set_backfill(backfill_state{2, 4, "rules", 1}));
  EXPECT_EQ(must(reader->backfill()), (backfill_state{2, 4, "rules", 1}));
  must(reader->set_backfill(backfill_state{0, 4, "rules"}));
  EXPECT_EQ(must(reader->backfill()), (backfill_state{0, 4, "rules"}));
  const auto events = log();
  std::vector<rejoined_event> again{
      {events[0], {being("c:1")}},
      {events[1], {linking("c:1")}},
      {events[2], {linking("c:1"), linking("b:1")}}};
  const auto before = must(session_->head()).seq;
  const auto report = must(reader->rejoin(again, 3, noon));
  EXPECT_EQ(must(reader->backfill()), (backfill_state{3, 4, "rules"}));
  EXPECT_EQ(thread_of(1), thread_of(2));
  EXPECT_EQ(thread_of(1), thread_of(3));
  EXPECT_EQ(thread_of(1), thread_of(4));
  ASSERT_THAT(report.merges, SizeIs(1));
  EXPECT_EQ(report.merges[0]->seq, before + 1);
  EXPECT_EQ(report.merges[0]->created_at, noon);
  EXPECT_EQ(must(session_->head()).seq, before + 1);
  auto story = must(reader->read(*thread_of(1), {0, 10}));
  EXPECT_EQ(story->summary.events, 5u);
  EXPECT_THAT(story->summary.platforms,
              ElementsAre("github", "linear", "slack"));
  // Appending goes on.
  EXPECT_EQ(join({on(5, "github", {linking("c:1")})}).items[0].correlation_id,
            thread_of(1));
  must(reader->set_backfill(std::nullopt));
  EXPECT_FALSE(must(reader->backfill()));
}

TEST_P(read_threads, KeysOfEventsThatAreGoneAreForgotten) {
  const auto of_commit = [](char digit) {
    return "git:pr:" + std::string(40, digit);
  };
  auto old = on(1, "github",
                {being("a:1"), linking("git:sha:" + std::string(40, 'a')),
                 teaching(of_commit('a'), "a:1"), teaching("linear:team:ENG")});
  old.created_at = noon - days{100};
  auto kept = on(2, "github",
                 {being("b:1"), linking("git:sha:" + std::string(40, 'b')),
                  teaching(of_commit('b'), "b:1")});
  join({old, kept});
  auto maintenance = store_->open_maintenance();
  must(maintenance->roll_up_metrics());
  retention_policy policy;
  policy.keep = days{90};
  must(maintenance->apply_retention(policy, noon, false));
  auto reader = threads();
  EXPECT_FALSE(must(reader->thread_of(std::string{"a:1"})));
  EXPECT_FALSE(must(reader->fact(of_commit('a'))));
  EXPECT_TRUE(must(reader->fact(of_commit('b'))));
  EXPECT_TRUE(must(reader->fact("linear:team:ENG")));
  EXPECT_TRUE(must(reader->thread_of(std::string{"b:1"})));
  EXPECT_THAT(must(reader->recent({})), SizeIs(1));
  EXPECT_THAT(must(reader->evidence(old.id)), IsEmpty());
  // The key begins anew.
  EXPECT_TRUE(
      join({on(3, "github", {linking("a:1")})}).items[0].correlation_id);
}

// Whether a whole week goes or single events.
TEST_P(read_threads, WhatIsGoneIsNotCounted) {
  const auto aged = [](int n, const char* platform, int age,
                       std::vector<correlation_key> keys) {
    auto e = on(n, platform, std::move(keys));
    e.created_at = noon - days{age};
    return e;
  };
  join({aged(1, "linear", 100, {being("a:1")}),
        aged(2, "slack", 40, {linking("a:1")}),
        aged(3, "github", 10, {linking("a:1")}),
        aged(4, "slack", 39, {being("b:1")}),
        aged(5, "github", 9, {being("c:1")})});
  auto maintenance = store_->open_maintenance();
  must(maintenance->roll_up_metrics());
  auto reader = threads();
  const auto thread = *thread_of(3);
  const auto count = [&](const retention_policy& policy) {
    must(maintenance->apply_retention(policy, noon, false));
    const auto story = must(reader->read(thread, {0, 10}));
    EXPECT_EQ(story->summary.events, story->events.size());
    EXPECT_EQ(story->summary.first, story->events.front()->created_at);
    EXPECT_EQ(story->summary.last, story->events.back()->created_at);
    EXPECT_EQ(story->summary.last_seq, 3);
    return story->summary;
  };
  retention_policy policy;
  EXPECT_THAT(count(policy).platforms,
              ElementsAre("github", "linear", "slack"));
  policy.keep = days{90};
  auto left = count(policy);
  EXPECT_EQ(left.events, 2u);
  EXPECT_THAT(left.platforms, ElementsAre("github", "slack"));
  policy.platforms["slack"] = days{30};
  left = count(policy);
  EXPECT_EQ(left.events, 1u);
  EXPECT_EQ(left.first, noon - days{10});
  EXPECT_THAT(left.platforms, ElementsAre("github"));
  // A thread of which nothing is left is none, wherever the log begins.
  EXPECT_FALSE(must(reader->thread_of(std::string{"b:1"})));
  EXPECT_TRUE(must(reader->thread_of(std::string{"c:1"})));
}

INSTANTIATE_TEST_SUITE_P(Engines, read_threads, both_engines, engine_name);

} // namespace
} // namespace eventweft::testing
