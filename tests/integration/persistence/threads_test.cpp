// SPDX-License-Identifier: Apache-2.0
// Joining events to threads in the transaction that appends them.
#include "correlation/keys.hpp"
#include "tests/integration/persistence/thread_support.hpp"

#include <pqxx/pqxx>

#include <array>
#include <future>
#include <numeric>
#include <random>
#include <thread>

namespace eventweft::testing {
namespace {

using append_threads = thread_contract;

TEST_P(append_threads, EventsThatShareAKeyShareAThread) {
  auto first =
      join({keyed_event(1, {being("github:pr:o/r#1")}),
            keyed_event(2, {linking("github:pr:o/r#1")}), keyed_event(3, {})});
  ASSERT_TRUE(first.items[0].correlation_id);
  EXPECT_EQ(first.items[1].correlation_id, first.items[0].correlation_id);
  EXPECT_FALSE(first.items[2].correlation_id);
  EXPECT_EQ(first.threads.linked, 2u);
  EXPECT_EQ(first.threads.started, 1u);
  auto later = join({keyed_event(4, {linking("github:pr:o/r#1")}),
                     keyed_event(5, {linking("github:pr:o/r#2")})});
  EXPECT_EQ(later.items[0].correlation_id, first.items[0].correlation_id);
  EXPECT_NE(later.items[1].correlation_id, first.items[0].correlation_id);
  // What is answered is what is stored.
  for (const auto& e : log())
    EXPECT_EQ(e->correlation_id.has_value(), e->seq != 3);
  EXPECT_EQ(thread_of(4), first.items[0].correlation_id);
}

TEST_P(append_threads, AMergeIsToldInTheLogWithoutAHole) {
  auto first =
      join({keyed_event(1, {being("a:1")}), keyed_event(2, {being("b:1")}),
            keyed_event(3, {linking("b:1")})});
  const auto small = *first.items[0].correlation_id;
  const auto large = *first.items[1].correlation_id;
  auto merged = join(
      {keyed_event(4, {linking("a:1"), linking("b:1")}), keyed_event(5, {})});
  EXPECT_EQ(merged.items[0].correlation_id, large);
  EXPECT_EQ(merged.items[1].outcome.seq, 5);
  ASSERT_EQ(merged.threads.merges.size(), 1u);
  const auto& told = *merged.threads.merges[0];
  EXPECT_EQ(told.seq, 6);
  EXPECT_EQ(told.event_type, "correlation:merged");
  EXPECT_EQ(told.correlation_id, large);
  EXPECT_EQ(must(session_->head()).seq, 6);
  const auto all = log();
  ASSERT_EQ(all.size(), 6u);
  EXPECT_EQ(*all[5], told);
  EXPECT_NE(all[5]->payload.view().find(to_string(small)),
            std::string_view::npos);
  // Who was in the smaller thread is in the larger one; the old id leads on.
  EXPECT_EQ(thread_of(1), large);
  auto reader = threads();
  EXPECT_EQ(must(reader->thread_of(small)), large);
  EXPECT_EQ(must(reader->thread_of(numbered_event(1).id)), large);
  EXPECT_EQ(must(reader->thread_of(std::string{"a:1"})), large);
  EXPECT_EQ(must(session_->present_threads(
                std::array{large, small, numbered_event(3).id})),
            (std::vector<uuid>{large, large, numbered_event(3).id}));
  // The event that tells is one of the thread's.
  const auto story = must(reader->read(large, {0, 10}));
  ASSERT_TRUE(story);
  EXPECT_EQ(story->summary.events, 5u);
  EXPECT_EQ(story->events.size(), 5u);
  EXPECT_EQ(story->summary.last_seq, 6);
  EXPECT_THAT(story->summary.platforms,
              ::testing::Not(::testing::Contains("eventweft")));
  // The next number is the next.
  EXPECT_EQ(join({keyed_event(6, {})}).items[0].outcome.seq, 7);
}

TEST_P(append_threads, RedeliveriesChangeNothing) {
  auto first = join({keyed_event(1, {being("a:1")})});
  auto again = keyed_event(7, {being("a:1"), linking("b:1")});
  again.event_id = numbered_event(1).event_id;
  auto twin = keyed_event(8, {being("c:1")});
  twin.event_id = numbered_event(2).event_id;
  auto results =
      join({again, keyed_event(2, {linking("a:1")}), twin, keyed_event(1, {})});
  EXPECT_TRUE(results.items[0].outcome.duplicate);
  EXPECT_EQ(results.items[0].correlation_id, first.items[0].correlation_id);
  EXPECT_EQ(results.items[1].outcome.seq, 2);
  EXPECT_TRUE(results.items[2].outcome.duplicate);
  EXPECT_EQ(results.items[2].outcome.id, numbered_event(2).id);
  // An attempt of ours whose answer got lost is told its thread.
  EXPECT_FALSE(results.items[3].outcome.duplicate);
  EXPECT_EQ(results.items[3].correlation_id, first.items[0].correlation_id);
  EXPECT_EQ(must(threads()->thread_of(std::string{"b:1"})), std::nullopt);
  EXPECT_EQ(must(threads()->thread_of(std::string{"c:1"})), std::nullopt);
}

TEST_P(append_threads, ARefusedRowJoinsNothing) {
  auto bad = keyed_event(2, {linking("a:1"), linking("b:1")});
  bad.platform = "Not A Platform";
  auto results =
      join({keyed_event(1, {being("a:1")}), bad, keyed_event(3, {being("b:1")}),
            keyed_event(4, {linking("a:1")})});
  ASSERT_TRUE(results.items[1].refused);
  EXPECT_EQ(results.items[2].outcome.seq, 2);
  EXPECT_EQ(results.items[3].outcome.seq, 3);
  EXPECT_NE(thread_of(1), thread_of(3));
  EXPECT_EQ(thread_of(1), thread_of(4));
  EXPECT_EQ(must(session_->head()).seq, 3);
}

TEST_P(append_threads, WhatWaitsForAFactLinksAfterTheFact) {
  auto before =
      join({keyed_event(1, {waiting("linear:issue:NEW-1", "linear:team:NEW")}),
            keyed_event(2, {being("slack:thread:T:C:1")})});
  EXPECT_FALSE(before.items[0].correlation_id);
  auto evidence = must(threads()->evidence(numbered_event(1).id));
  ASSERT_EQ(evidence.size(), 1u);
  EXPECT_EQ(evidence[0].state, "pending");
  auto known = join({keyed_event(
      3, {being("linear:issue:NEW-1"), teaching("linear:team:NEW")})});
  EXPECT_THAT(known.threads.facts,
              ::testing::ElementsAre(
                  std::pair<std::string, std::string>{"linear:team:NEW", ""}));
  EXPECT_TRUE(thread_of(1));
  EXPECT_EQ(thread_of(1), thread_of(3));
  evidence = must(threads()->evidence(numbered_event(1).id));
  ASSERT_EQ(evidence.size(), 1u);
  EXPECT_EQ(evidence[0].state, "linked");
  EXPECT_EQ(evidence[0].confidence, 1);
  // Facts stay; another session knows them.
  EXPECT_THAT(must(threads()->facts(10)), ::testing::SizeIs(1));
  auto later = join(
      {keyed_event(4, {waiting("linear:issue:NEW-1", "linear:team:NEW")})});
  EXPECT_EQ(later.items[0].correlation_id, thread_of(1));
  EXPECT_TRUE(later.threads.facts.empty());
}

TEST_P(append_threads, ShortCommitsFindTheLongOnes) {
  const std::string sha = "git:sha:1a2b3c4" + std::string(33, '0');
  const std::string short_sha = "git:sha:1a2b3c4";
  join({keyed_event(1, {waiting(short_sha, "git:sha7:1a2b3c4")})});
  EXPECT_FALSE(thread_of(1));
  join({keyed_event(2, {linking(sha)})});
  EXPECT_TRUE(thread_of(1));
  EXPECT_EQ(thread_of(1), thread_of(2));
  auto later = join({keyed_event(3, {waiting(short_sha, "git:sha7:1a2b3c4")})});
  EXPECT_EQ(later.items[0].correlation_id, thread_of(2));
  const auto evidence = must(threads()->evidence(numbered_event(1).id));
  ASSERT_EQ(evidence.size(), 1u);
  EXPECT_EQ(evidence[0].key, sha);
}

TEST_P(append_threads, ADeploymentIsOfItsCommitsPullRequest) {
  const std::string sha(40, 'a');
  const auto deployed = [&](int n) {
    auto commit = linking("git:sha:" + sha);
    commit.type = {correlation_noun::deployment, correlation_noun::commit};
    auto pr = waiting("git:pr:" + sha, "git:pr:" + sha);
    pr.type = {correlation_noun::deployment, correlation_noun::pr};
    return keyed_event(n, {commit, pr});
  };
  auto reader = threads();
  const auto pr_of = [&](int n) {
    const auto evidence = must(reader->evidence(numbered_event(n).id));
    for (const auto& l : evidence)
      if (l.type == "deployment_to_pr")
        return l;
    ADD_FAILURE() << "no deployment_to_pr";
    return thread_link{};
  };
  join({deployed(1)});
  EXPECT_EQ(pr_of(1).state, "pending");
  auto pr = keyed_event(2, {being("github:pr:o/r#1"), linking("git:sha:" + sha),
                            teaching("git:pr:" + sha, "github:pr:o/r#1")});
  join({pr});
  join({deployed(3)});
  for (int n : {1, 3}) {
    EXPECT_EQ(pr_of(n).state, "linked");
    EXPECT_EQ(pr_of(n).key, "github:pr:o/r#1");
    EXPECT_EQ(pr_of(n).target, pr.id);
    EXPECT_EQ(thread_of(n), thread_of(2));
  }
  // Nodes need not know them all.
  EXPECT_THAT(must(reader->facts(10)), ::testing::IsEmpty());
  EXPECT_EQ(must(reader->fact("git:pr:" + sha)), "github:pr:o/r#1");
}

TEST_P(append_threads, TheCauseIsTheParent) {
  auto cause = keyed_event(2, {});
  cause.keys.push_back(
      {.key = "event:" + to_string(numbered_event(1).id),
       .type = {correlation_noun::cause, correlation_noun::event},
       .confidence = 1});
  join({keyed_event(1, {being("a:1")})});
  auto results = join({cause});
  EXPECT_EQ(results.items[0].parent_event_id, numbered_event(1).id);
  EXPECT_EQ(thread_of(2), thread_of(1));
  EXPECT_EQ((*must(session_->find(numbered_event(2).id)))->parent_event_id,
            numbered_event(1).id);
}

TEST_P(append_threads, TextsThatNoEngineTakesAreMadeFit) {
  auto key = linking(std::string{"x:a\0b", 5});
  key.matched = std::string{"\0", 1} + std::string(5'000, 'x');
  auto results =
      join({keyed_event(1, {key}), keyed_event(2, {key, linking("x:1")})});
  EXPECT_FALSE(results.items[0].refused);
  EXPECT_EQ(thread_of(1), thread_of(2));
  join({keyed_event(3, {key})});
  EXPECT_EQ(thread_of(1), thread_of(3));
  EXPECT_LE(must(threads()->evidence(numbered_event(1).id))[0].matched.size(),
            210u);
}

TEST_P(append_threads, AHotKeyStopsAndIsNamedOnce) {
  store_options options;
  options.threads.max_mentions = 5;
  auto store = open(options);
  auto session = store->open_session();
  std::vector<hot_key> hot;
  for (int n = 1; n <= 12; n += 2) {
    std::vector<event_ptr> batch{
        event_ptr{keyed_event(n, {linking("x:1", true)})},
        event_ptr{keyed_event(n + 1, {linking("x:1", true)})}};
    auto done = must(session->append_and_join(batch));
    hot.insert(hot.end(), done.threads.hot_keys.begin(),
               done.threads.hot_keys.end());
  }
  EXPECT_THAT(hot, ::testing::ElementsAre(hot_key{"x:1", true}));
  EXPECT_TRUE(thread_of(5));
  EXPECT_FALSE(thread_of(6));
  EXPECT_EQ(must(threads()->evidence(numbered_event(6).id))[0].state,
            "hot_key");
}

// A session goes by what it knows of its last batches, and takes the rest for
// new.
TEST_P(append_threads, WhatIsNotNewIsFoundByASessionThatDoesNotKnowIt) {
  const std::string sha = "git:sha:1a2b3c4" + std::string(33, '0');
  join({keyed_event(1, {being("a:1"), teaching("linear:team:ENG")}),
        keyed_event(2, {linking(sha)}),
        keyed_event(3, {waiting("linear:issue:NEW-1", "linear:team:NEW")})});
  for (int n : {10, 20, 30, 40, 50}) {
    // From its second batch on it need not read.
    session_ = store_->open_session();
    join({keyed_event(n, {being("x:" + std::to_string(n))})});
    const auto at = [&](int k) { return n + k; };
    if (n == 10) {
      join({keyed_event(at(1), {linking("a:1")})});
      EXPECT_EQ(thread_of(at(1)), thread_of(1));
    } else if (n == 20) {
      join({keyed_event(at(1),
                        {waiting("linear:issue:ENG-1", "linear:team:ENG")})});
      EXPECT_TRUE(thread_of(at(1)));
    } else if (n == 30) {
      join({keyed_event(
          at(1),
          {waiting("git:sha:1a2b3c4", correlation::sha_fact(sha.substr(8)))})});
      EXPECT_EQ(thread_of(at(1)), thread_of(2));
    } else if (n == 40) {
      join({keyed_event(
          at(1), {being("linear:issue:NEW-1"), teaching("linear:team:NEW")})});
      EXPECT_EQ(thread_of(at(1)), thread_of(3));
    } else {
      const auto again = join({keyed_event(1, {linking("y:1")}),
                               keyed_event(at(1), {linking("a:1")})});
      EXPECT_EQ(again.items[0].outcome.seq, 1);
      EXPECT_EQ(again.items[1].correlation_id, thread_of(1));
    }
  }
}

TEST(postgres_threads, AnAppendSaysThatAnotherWriterWasInItsWay) {
  store_options options;
  options.url = migrated_database();
  const auto store = must(open_store(options));
  const auto join_one = [&](int n) {
    const std::vector<event_ptr> one{event_ptr{keyed_event(n, {being("a:1")})}};
    return store->open_session()->append_and_join(one);
  };
  EXPECT_FALSE(must(join_one(1)).contended);
  // It reads what it does not know, and then has to wait for the log head.
  pqxx::connection holder{options.url};
  pqxx::work held{holder};
  held.exec("SELECT last_seq FROM log_head FOR UPDATE").one_row();
  auto second = std::async(std::launch::async, [&] { return join_one(2); });
  wait_for_a_lock(options.url);
  held.exec("UPDATE log_head SET thread_version = thread_version + 1");
  held.commit();
  const auto done = must(second.get());
  EXPECT_TRUE(done.contended);
  EXPECT_EQ(done.items[0].outcome.seq, 2);
}

TEST_P(append_threads, WhatASessionKnowsHoldsUntilOthersChangeIt) {
  auto other = store_->open_session();
  const auto join_elsewhere = [&](event e) {
    const std::vector<event_ptr> batch{event_ptr{std::move(e)}};
    must(other->append_and_join(batch));
  };
  join({keyed_event(1, {being("a:1")})});
  join({keyed_event(2, {being("b:1")}), keyed_event(3, {linking("b:1")})});
  const auto known = join({keyed_event(4, {linking("a:1")})});
  EXPECT_EQ(known.threads.lookups.known, 1u);
  EXPECT_EQ(known.threads.lookups.read, 0u);
  EXPECT_GT(known.threads.lookups.rows, 0u);
  // It is no less for a batch that has nothing new, or no keys.
  for (const auto n : {4, 1'000}) {
    const auto after = join({keyed_event(n, {})});
    EXPECT_EQ(after.threads.lookups.rows, known.threads.lookups.rows);
  }
  const auto redelivered = join({keyed_event(4, {linking("a:1")})});
  EXPECT_EQ(redelivered.threads.lookups.rows, known.threads.lookups.rows);
  EXPECT_EQ(thread_of(4), thread_of(1));
  // Another session joins the two threads.
  join_elsewhere(keyed_event(5, {linking("a:1"), linking("b:1")}));
  join({keyed_event(6, {linking("a:1")})});
  EXPECT_EQ(thread_of(6), thread_of(2));
  EXPECT_EQ(thread_of(1), thread_of(2));
  // Another one links a stored event anew: no event tells of it.
  join({keyed_event(7, {})});
  join({keyed_event(8, {linking("a:1")})});
  auto backfill = threads();
  must(backfill->set_backfill(backfill_state{0, 8, {}}));
  const rejoined_event again{event_ptr{keyed_event(7, {})}, {being("c:1")}};
  must(backfill->rejoin(std::span{&again, 1}, 7, noon));
  join({keyed_event(9, {linking("c:1")})});
  EXPECT_TRUE(thread_of(7));
  EXPECT_EQ(thread_of(9), thread_of(7));
  EXPECT_EQ(must(threads()->read(*thread_of(6), {0, 10}))->summary.events, 8u);
}

// Keys of a few dozen works that overlap, with some that wait.
std::vector<event> random_events(std::mt19937& random, int count) {
  const auto below = [&](uint32_t n) {
    return std::uniform_int_distribution<uint32_t>{0, n - 1}(random);
  };
  std::vector<event> out;
  for (int n = 1; n <= count; ++n) {
    std::vector<correlation_key> keys;
    for (uint32_t i = below(4); i > 0; --i) {
      const auto x = below(50);
      const auto number = std::to_string(x);
      const auto team = "T" + std::to_string(x % 4);
      std::string hex = std::to_string(1'000'000 + x);
      hex[0] = 'a';
      hex.resize(40, '7');
      switch (below(5)) {
      case 0:
        keys.push_back(linking("github:pr:o/r#" + number));
        break;
      case 1:
        keys.push_back(linking("git:sha:" + hex));
        break;
      case 2:
        keys.push_back(waiting("git:sha:" + hex.substr(0, 7 + below(5)),
                               correlation::sha_fact(hex)));
        break;
      case 3:
        keys.push_back(waiting("linear:issue:" + team + "-" + number,
                               "linear:team:" + team));
        break;
      default:
        keys.push_back(being("linear:issue:" + team + "-" + number));
        if (below(4) == 0)
          keys.push_back(teaching("linear:team:" + team));
      }
    }
    out.push_back(keyed_event(n, std::move(keys)));
  }
  return out;
}

// Any order, any batches, several writers at once, and a crash between two
// batches (another session goes on, and offers again what it knows not to be
// stored): the same partition.
TEST_P(append_threads, OrderBatchesWritersAndCrashesMakeNoDifference) {
  std::mt19937 random{GetParam() == "sqlite" ? 11u : 12u};
  for (int round = 0; round < 3; ++round) {
    auto events = random_events(random, 150);
    std::set<std::set<std::string>> expected;
    for (size_t writers : {size_t{0}, size_t{1}, size_t{4}}) {
      url_ = is_postgres() ? migrated_database()
                           : "sqlite:" + (directory_.path() /
                                          ("p" + std::to_string(round) + "-" +
                                           std::to_string(writers) + ".db"))
                                             .string();
      store_ = open();
      must(store_->migrate());
      session_ = store_->open_session();
      if (writers == 0) {
        for (const auto& e : events)
          EXPECT_FALSE(join({e}).items[0].refused);
        expected = partition();
        EXPECT_GT(expected.size(), 3u);
        continue;
      }
      std::shuffle(events.begin(), events.end(), random);
      std::vector<std::string> failures(writers);
      std::vector<std::thread> running;
      for (size_t w = 0; w < writers; ++w)
        running.emplace_back([&, w, seed = random()] {
          std::mt19937 own{static_cast<uint32_t>(seed)};
          auto session = store_->open_session();
          std::vector<event_ptr> last;
          for (size_t at = w; at < events.size();) {
            std::vector<event_ptr> batch;
            if (own() % 8 == 0) {
              session = store_->open_session();
              batch = last;
            }
            for (size_t n = own() % 12 + 1; n > 0 && at < events.size(); --n) {
              batch.emplace_back(events[at]);
              at += writers;
            }
            const auto done = session->append_and_join(batch);
            if (!done) {
              failures[w] = to_string(done.error());
              return;
            }
            for (const auto& r : done->items)
              if (r.refused)
                failures[w] = to_string(*r.refused);
            last = std::move(batch);
          }
        });
      for (auto& t : running)
        t.join();
      EXPECT_THAT(failures, ::testing::Each(""));
      EXPECT_EQ(partition(), expected) << writers << " writers";
      const auto all = log();
      for (size_t i = 0; i < all.size(); ++i)
        ASSERT_EQ(all[i]->seq, static_cast<seq_t>(i) + 1);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, append_threads, both_engines, engine_name);

} // namespace
} // namespace eventweft::testing
