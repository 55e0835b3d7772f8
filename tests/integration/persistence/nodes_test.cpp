// SPDX-License-Identifier: Apache-2.0
#include "persistence/nodes.hpp"
#include "tests/integration/persistence/store_fixture.hpp"

#include <pqxx/pqxx>

#include <atomic>
#include <thread>

namespace eventweft::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class nodes_test : public ::testing::Test {
 protected:
  nodes_test() { must(store_->migrate()); }

  store_ptr open(const std::string& node = {}) const {
    store_options o;
    o.url = url_;
    o.node = node;
    return must(open_store(o));
  }

  node_record node(const std::string& name) {
    node_record n;
    n.name = name;
    n.incarnation = uuid::v7(noon, random_);
    n.address = "127.0.0.1:7000";
    n.http = "127.0.0.1:8080";
    n.protocol_min = 1;
    n.protocol = 2;
    n.capabilities = "0.1.0";
    return n;
  }

  pqxx::result run_sql(const std::string& sql) const {
    pqxx::connection c{url_};
    return pqxx::nontransaction{c}.exec(sql);
  }

  bool holds(const fence& f) {
    pqxx::connection c{url_};
    pqxx::nontransaction tx{c};
    return tx.exec("SELECT fence_holds($1, $2)", pqxx::params{f.work, f.token})
        .one_field()
        .as<bool>();
  }

  seeded_random random_{7};
  std::string url_ = migrated_database();
  store_ptr store_ = open();
  std::unique_ptr<store_nodes> nodes_ = store_->open_nodes();
};

TEST(nodes_of_sqlite, ThereAreNone) {
  store_options o;
  temporary_directory here;
  o.url = "sqlite:" + (here.path() / "log.db").string();
  auto store = must(open_store(o));
  EXPECT_FALSE(store->open_nodes());
  EXPECT_FALSE(store->open_listener());
}

TEST_F(nodes_test, EachStoreHasAnIdOfItsOwn) {
  const auto id = must(nodes_->store_id());
  EXPECT_FALSE(id.is_nil());
  EXPECT_EQ(must(store_->open_nodes()->store_id()), id);
  store_options o;
  o.url = shared_server().create_database();
  auto other = must(open_store(o));
  must(other->migrate());
  EXPECT_NE(must(other->open_nodes()->store_id()), id);
}

TEST_F(nodes_test, ABeatShowsEverybody) {
  auto a = node("a"), b = node("b");
  b.state = node_state::draining;
  b.processors = {"mail", R"(of "{odd}", name)"};
  b.runs = {"metrics", "subscription:webhook"};
  must(nodes_->beat(a, 20s));
  auto all = must(nodes_->beat(b, 10s));
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_LT(all[0].silent, 5s);
  EXPECT_NE(all[1].started, timestamp{});
  EXPECT_EQ(all[0].dead_after, 20s);
  all[1].started = {};
  all[1].silent = {};
  b.dead_after = 10s;
  EXPECT_EQ(all[1], b);
  EXPECT_FALSE(all[0].processors);
  EXPECT_FALSE(all[0].runs);
}

TEST_F(nodes_test, WhoLooksIsNoNode) {
  EXPECT_THAT(must(nodes_->all()), IsEmpty());
  auto a = node("a"), b = node("b");
  a.runs = {"metrics"};
  must(nodes_->beat(b, 10s));
  must(nodes_->beat(a, 10s));
  must(nodes_->leave(b));
  auto all = must(store_->open_nodes()->all());
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[1].state, node_state::left);
  a.dead_after = 10s;
  all[0].started = {};
  all[0].silent = {};
  EXPECT_EQ(all[0], a);
}

// As nodes of the version before beat, which are there during a roll.
TEST_F(nodes_test, ANodeThatDoesNotTellItsProcessorsMayHaveAll) {
  auto a = node("a");
  a.processors = {"mail"};
  must(nodes_->beat(a, 10s));
  pqxx::connection c{url_};
  pqxx::nontransaction tx{c};
  const auto seen = tx.exec("SELECT name FROM beat_node($1, $2::uuid, '', '', "
                            "1, 1, '', 'up', interval '10 s')",
                            pqxx::params{a.name, to_string(a.incarnation)});
  EXPECT_EQ(seen.size(), 1);
  const auto all = must(nodes_->beat(node("b"), 10s));
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_FALSE(all[0].processors);
}

TEST_F(nodes_test, ANodeThatDoesNotTellWhatItRunsMayRunAll) {
  auto a = node("a");
  a.processors = {"mail"};
  a.runs.emplace();
  must(nodes_->beat(a, 10s));
  pqxx::connection c{url_};
  pqxx::nontransaction tx{c};
  tx.exec("SELECT name FROM beat_node($1, $2::uuid, '', '', 1, 1, '', 'up', "
          "ARRAY['mail'], interval '10 s')",
          pqxx::params{a.name, to_string(a.incarnation)});
  const auto all = must(nodes_->beat(node("b"), 10s));
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].processors, a.processors);
  EXPECT_FALSE(all[0].runs);
  // Nothing at all is not the same as not telling.
  must(nodes_->beat(a, 10s));
  EXPECT_EQ(must(nodes_->beat(node("c"), 10s)).at(0).runs, a.runs);
}

TEST_F(nodes_test, ANameBelongsToOneWhileItBeats) {
  auto first = node("a"), second = node("a");
  must(nodes_->beat(first, 10s));
  auto refused = nodes_->beat(second, 10s);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::conflict);
  EXPECT_THAT(refused.error().message,
              ::testing::HasSubstr("of the name a is alive"));
  // After a crash its successor comes when it is silent for long enough, after
  // a good end at once.
  EXPECT_FALSE(nodes_->beat(second, 1ms)) << "how long is the first one's";
  must(nodes_->beat(first, 50ms));
  std::this_thread::sleep_for(60ms);
  must(nodes_->beat(second, 10s));
  must(nodes_->leave(second));
  must(nodes_->beat(first, 10s));
}

TEST_F(nodes_test, ALeaseHasOneOwnerUntilItEnds) {
  auto held = must(nodes_->claim("a/1", {"w", "v", "w"}, 10s));
  ASSERT_THAT(held, SizeIs(2));
  EXPECT_TRUE(holds(held[0]));
  EXPECT_TRUE(holds({held[0].work, 0}));
  EXPECT_THAT(must(nodes_->claim("b/1", {"v", "w"}, 10s)), IsEmpty());
  // A renewal keeps the token.
  auto again = must(nodes_->claim("a/1", {"v", "w"}, 30ms));
  EXPECT_THAT(again, ::testing::UnorderedElementsAreArray(held));
  std::this_thread::sleep_for(50ms);
  auto taken = must(nodes_->claim("b/1", {"v"}, 10s));
  ASSERT_THAT(taken, SizeIs(1));
  for (const auto& f : held) {
    EXPECT_GT(taken[0].token, f.token);
    EXPECT_EQ(holds(f), f.work == "w");
  }
  EXPECT_TRUE(holds(taken[0]));
}

TEST_F(nodes_test, WhatIsGivenBackIsFreeAtOnceAndForItsOldOwnerTooLate) {
  auto a = node("a");
  const auto held = must(nodes_->claim(a.owner(), {"v", "w"}, 10s));
  must(nodes_->release(a.owner(), {"v"}));
  must(nodes_->release("b/1", {"w"}));
  const auto taken = must(nodes_->claim("b/1", {"v", "w"}, 10s));
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].work, "v");
  must(nodes_->beat(a, 10s));
  must(nodes_->leave(a));
  EXPECT_THAT(must(nodes_->claim("b/1", {"v", "w"}, 10s)), SizeIs(2));
  for (const auto& f : held)
    EXPECT_FALSE(holds(f));
}

TEST_F(nodes_test, ATokenNeverComesAgain) {
  const auto first = must(nodes_->claim("a/1", {"w"}, 10s));
  {
    pqxx::connection c{url_};
    pqxx::nontransaction{c}.exec("DELETE FROM leases");
  }
  const auto second = must(nodes_->claim("b/1", {"w"}, 10s));
  EXPECT_GT(second.at(0).token, first.at(0).token);
  EXPECT_FALSE(holds(first.at(0)));
}

TEST_F(nodes_test, OnlyWhatIsHeldIsListed) {
  must(nodes_->claim("a/1", {"u", "v", "w"}, 10s));
  must(nodes_->release("a/1", {"v"}));
  run_sql("UPDATE leases SET expires_at = now() - interval '1 s' "
          "WHERE work = 'u'");
  // More than any limit, and before it in order.
  run_sql("INSERT INTO leases SELECT 'a' || n, '', n, '-infinity' "
          "FROM generate_series(1, 10000) n");
  const auto all = must(nodes_->leases());
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].work, "w");
  EXPECT_EQ(all[0].owner, "a/1");
  EXPECT_GT(all[0].left, 5s);
}

TEST_F(nodes_test, WhatNobodyHoldsForLongIsForgotten) {
  const auto held = must(nodes_->claim("a/1", {"kept", "lost", "given"}, 10s));
  must(nodes_->release("a/1", {"given"}));
  run_sql("UPDATE leases SET expires_at = now() - interval '2 h' "
          "WHERE work = 'lost'");
  run_sql("INSERT INTO leases VALUES ('older', '', 1, '-infinity')");
  const auto works = [this] {
    std::vector<std::string> out;
    for (const auto& row : run_sql("SELECT work FROM leases ORDER BY work"))
      out.emplace_back(row[0].view());
    return out;
  };
  must(nodes_->forget_leases(1h));
  EXPECT_THAT(works(), ElementsAre("given", "kept"));
  run_sql("UPDATE leases SET expires_at = expires_at - interval '2 h' "
          "WHERE work = 'given'");
  must(nodes_->forget_leases(1h));
  EXPECT_THAT(works(), ElementsAre("kept"));
  // Whoever had them once writes nothing any more, also once they are back.
  const auto again = must(nodes_->claim("b/1", {"lost", "given"}, 10s));
  ASSERT_THAT(again, SizeIs(2));
  for (const auto& f : held) {
    EXPECT_EQ(holds(f), f.work == "kept");
    for (const auto& g : again)
      EXPECT_GT(g.token, f.token);
  }
}

TEST_F(nodes_test, WhoIsSilentForLongIsForgotten) {
  must(nodes_->beat(node("a"), 7s));
  must(nodes_->beat(node("b"), 7s));
  run_sql("UPDATE cluster_nodes SET heartbeat_at = now() - interval '2 h' "
          "WHERE name = 'a'");
  must(nodes_->forget_nodes(1h));
  const auto left = run_sql("SELECT name FROM cluster_nodes");
  ASSERT_EQ(left.size(), 1);
  EXPECT_EQ(left[0][0].view(), "b");
}

TEST_F(nodes_test, WhatIsWrittenUnderAFenceKeepsItsLease) {
  const auto f = must(nodes_->claim("a/1", {"w"}, 10s)).at(0);
  run_sql("UPDATE leases SET expires_at = now() - interval '2 h'");
  pqxx::connection c{url_};
  pqxx::work writing{c};
  ASSERT_TRUE(
      writing.exec("SELECT fence_holds($1, $2)", pqxx::params{f.work, f.token})
          .one_field()
          .as<bool>());
  must(nodes_->forget_leases(1h));
  EXPECT_TRUE(holds(f));
  writing.commit();
  must(nodes_->forget_leases(1h));
  EXPECT_FALSE(holds(f));
}

// What is being written under a fence is committed before the fence falls;
// its owner can renew meanwhile.
TEST_F(nodes_test, AWriteUnderAFenceKeepsItUntilItsCommit) {
  const auto held = must(nodes_->claim("a/1", {"w", "v"}, 1ms));
  std::this_thread::sleep_for(5ms);
  pqxx::connection c{url_};
  pqxx::work writing{c};
  const auto f = held[0].work == "w" ? held[0] : held[1];
  ASSERT_TRUE(
      writing.exec("SELECT fence_holds($1, $2)", pqxx::params{f.work, f.token})
          .one_field()
          .as<bool>());
  const auto taken = must(nodes_->claim("b/1", {"v", "w"}, 1ms));
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].work, "v");
  EXPECT_THAT(must(nodes_->claim("a/1", {"w"}, 1ms)), ElementsAre(f));
  writing.commit();
  std::this_thread::sleep_for(5ms);
  EXPECT_THAT(must(nodes_->claim("b/1", {"w"}, 1s)), SizeIs(1));
}

TEST_F(nodes_test, ManyClaimAtOnceAndOneGetsEach) {
  std::vector<std::string> works;
  for (int i = 0; i < 50; ++i)
    works.push_back("w" + std::to_string(i));
  std::atomic<size_t> total{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&, t] {
      auto mine = store_->open_nodes();
      auto order = works;
      std::rotate(order.begin(), order.begin() + t * 7, order.end());
      total +=
          must(mine->claim("n" + std::to_string(t) + "/1", order, 60s)).size();
    });
  for (auto& t : threads)
    t.join();
  EXPECT_EQ(total, works.size());
  for (const auto& l : must(nodes_->leases())) {
    EXPECT_GT(l.left, 30s);
    EXPECT_FALSE(l.owner.empty());
  }
}

TEST_F(nodes_test, ACommitWakesTheOthersAndSaysHowFarTheLogIs) {
  auto listener = store_->open_listener();
  auto first = must(listener->wait(5s));
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].what, store_bell::kind::connected);
  auto writer = open("node-a")->open_session();
  std::vector<event_ptr> batch{event_ptr{numbered_event(1)},
                               event_ptr{numbered_event(2)}};
  must(writer->append(batch));
  const store_bell expected{store_bell::kind::committed, "node-a", 2, {}};
  EXPECT_THAT(must(listener->wait(5s)), ElementsAre(expected));
  // Nothing new: nobody is woken. One node alone: neither.
  must(writer->append(batch));
  std::vector<event_ptr> more{event_ptr{numbered_event(3)}};
  must(open()->open_session()->append(more));
  EXPECT_THAT(must(listener->wait(100ms)), IsEmpty());
  must(nodes_->ring("hello"));
  EXPECT_THAT(must(listener->wait(5s)),
              ElementsAre(store_bell{store_bell::kind::rung, {}, 0, "hello"}));
}

TEST_F(nodes_test, TheOthersAreWokenWhenItIsDurable) {
  auto listener = store_->open_listener();
  must(listener->wait(5s));
  auto writer = open("node-a")->open_session();
  std::vector<event_ptr> batch{event_ptr{numbered_event(1)},
                               event_ptr{numbered_event(2)}};
  const auto done = must(writer->append_unsynced(batch));
  ASSERT_FALSE(done.unsynced.empty());
  EXPECT_THAT(must(listener->wait(100ms)), IsEmpty());
  must(writer->make_durable(done.unsynced));
  const store_bell expected{store_bell::kind::committed, "node-a", 2, {}};
  EXPECT_THAT(must(listener->wait(5s)), ElementsAre(expected));
}

TEST(nodes_of_a_server, AListenerComesBack) {
  postgres_server server;
  server.start();
  store_options o;
  o.url = server.create_database();
  auto store = must(open_store(o));
  must(store->migrate());
  auto listener = store->open_listener();
  must(listener->wait(5s));
  server.stop();
  expected<std::vector<store_bell>> got = listener->wait(5s);
  EXPECT_FALSE(got);
  EXPECT_FALSE(listener->wait(100ms));
  server.start();
  got = listener->wait(5s);
  ASSERT_TRUE(got) << to_string(got.error());
  EXPECT_EQ(got->at(0).what, store_bell::kind::connected);
  // One that does not even say goodbye.
  server.freeze();
  const auto start = std::chrono::steady_clock::now();
  while ((got = listener->wait(1s)) &&
         std::chrono::steady_clock::now() - start < 10s)
    ;
  EXPECT_FALSE(got);
  server.thaw();
}

} // namespace
} // namespace eventweft::testing
