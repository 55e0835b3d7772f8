// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/persistence/store_fixture.hpp"

#include <pqxx/pqxx>

#include <atomic>
#include <thread>

namespace eventweft::testing {
namespace {

using namespace std::chrono_literals;

class postgres_outage : public ::testing::Test {
 protected:
  postgres_outage() {
    options_.url = shared_server().create_database();
    options_.connect_timeout = 2s;
    store_ = must(open_store(options_));
    must(store_->migrate());
    session_ = store_->open_session();
  }
  ~postgres_outage() override {
    shared_server().thaw();
    shared_server().start();
  }

  expected<std::vector<append_result>> append(int n) {
    std::vector<event_ptr> one{event_ptr{numbered_event(n)}};
    return session_->append(one);
  }

  void administer(const std::string& sql) {
    pqxx::connection c{options_.url};
    pqxx::nontransaction{c}.exec(sql);
  }

  store_options options_;
  store_ptr store_;
  std::unique_ptr<store_session> session_;
};

TEST_F(postgres_outage, ErrorsWhileItIsDeadAndRecoversByItself) {
  must(append(1));
  shared_server().kill();
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto failed = append(2);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ec::store_unavailable);
    EXPECT_FALSE(failed.error().message.empty());
  }
  EXPECT_EQ(session_->head().error().code, ec::store_unavailable);
  shared_server().start();
  EXPECT_EQ(must(append(2)).at(0).outcome.seq, 2);
  auto range = must(session_->read_after(0, 10, SIZE_MAX));
  ASSERT_EQ(range.events.size(), 2u);
  EXPECT_EQ(range.events[0]->event_id, "delivery-1");
}

TEST_F(postgres_outage, ARestartBetweenTwoCallsGoesUnnoticed) {
  must(append(1));
  shared_server().stop();
  shared_server().start();
  EXPECT_EQ(must(append(2)).at(0).outcome.seq, 2);
  EXPECT_EQ(must(session_->head()).seq, 2);
}

TEST_F(postgres_outage, ASessionThatIsTerminatedReconnects) {
  must(append(1));
  administer("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
             "WHERE datname = current_database() AND pid <> pg_backend_pid()");
  EXPECT_EQ(must(append(2)).at(0).outcome.seq, 2);
}

TEST_F(postgres_outage, NothingAcknowledgedIsLostWhenItIsKilledUnderLoad) {
  std::atomic<bool> stop{false};
  std::vector<int> acknowledged;
  std::thread writer{[&] {
    for (int n = 1; !stop; ++n) {
      expected<std::vector<append_result>> done;
      // As the storage writer does: the same again until it is known.
      do
        done = append(n);
      while (!done && !stop);
      if (done && !done->at(0).outcome.duplicate)
        acknowledged.push_back(n);
    }
  }};
  auto observer = store_->open_session();
  auto reached = [&](seq_t seq) {
    for (auto end = std::chrono::steady_clock::now() + 60s;
         std::chrono::steady_clock::now() < end;)
      if (auto head = observer->head(); head && head->seq >= seq)
        return true;
    return false;
  };
  for (seq_t round = 1; round <= 3; ++round) {
    EXPECT_TRUE(reached(round * 20));
    shared_server().kill();
    shared_server().start();
  }
  EXPECT_TRUE(reached(80));
  stop = true;
  writer.join();
  auto range = must(session_->read_after(0, 1'000'000, SIZE_MAX));
  EXPECT_EQ(range.events.size(), static_cast<size_t>(range.last));
  std::set<std::string> stored;
  for (auto& e : range.events)
    EXPECT_TRUE(stored.insert(e->event_id).second) << e->event_id;
  for (int n : acknowledged)
    EXPECT_TRUE(stored.contains("delivery-" + std::to_string(n))) << n;
}

TEST_F(postgres_outage, WhatWasNotDurableIsLostOrKeptButNeverHalf) {
  auto syncs = store_->open_session();
  seq_t durable = 0;
  int n = 0;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::pair<int, log_mark>> early;
    for (int i = 0; i < 40; ++i) {
      std::vector<event_ptr> one{event_ptr{numbered_event(++n)}};
      early.emplace_back(n,
                         must(session_->append_unsynced(one)).unsynced.at(0));
    }
    const auto middle = early[19].second;
    must(syncs->make_durable({&middle, 1}));
    durable = middle.seq;
    shared_server().kill();
    shared_server().start();
    // The session may not take what others have put there for its own.
    const auto head = must(syncs->head()).seq;
    EXPECT_GE(head, durable);
    bool lost = false;
    for (const auto& [number, mark] : early) {
      const bool there = must(syncs->find(mark.id)).has_value();
      EXPECT_TRUE(there || mark.seq > durable) << mark.seq;
      // What is lost is the end of it.
      EXPECT_FALSE(lost && there) << mark.seq;
      lost = lost || !there;
      if (there)
        continue;
      auto gone = syncs->make_durable({&mark, 1});
      ASSERT_FALSE(gone);
      EXPECT_EQ(gone.error().code, ec::store_unavailable);
      // As the storage writer does.
      must(append(number));
    }
    // What was kept, but shown to nobody, is shown.
    must(syncs->make_durable({}));
    EXPECT_EQ(must(syncs->head()).seq, n);
  }
  const auto range = must(session_->read_after(0, 1'000'000, SIZE_MAX));
  ASSERT_EQ(range.events.size(), static_cast<size_t>(n));
  for (int i = 0; i < n; ++i)
    EXPECT_EQ(range.events[static_cast<size_t>(i)]->event_id,
              "delivery-" + std::to_string(i + 1));
}

TEST_F(postgres_outage, ALostEventIsNotTakenForTheOneInItsPlace) {
  std::vector<event_ptr> one{event_ptr{numbered_event(1)}};
  auto marks = must(session_->append_unsynced(one)).unsynced;
  must(session_->make_durable(marks));
  marks.at(0).id = numbered_event(2).id;
  EXPECT_FALSE(session_->make_durable(marks));
  marks.at(0).created_at.reset();
  EXPECT_FALSE(session_->make_durable(marks));
}

// The server lost the first batch, then took the second one, which is longer.
TEST_F(postgres_outage, WhatWasAppendedLaterDoesNotVouchForALostBatch) {
  const log_mark lost{1, numbered_event(7).id, numbered_event(7).created_at};
  std::vector<event_ptr> two{event_ptr{numbered_event(1)},
                             event_ptr{numbered_event(2)}};
  auto marks = must(session_->append_unsynced(two)).unsynced;
  ASSERT_EQ(marks.size(), 1u);
  EXPECT_EQ(marks[0].seq, 2);
  marks.insert(marks.begin(), lost);
  auto gone = session_->make_durable(marks);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ec::store_unavailable);
  EXPECT_EQ(must(session_->head()).seq, 0);
}

TEST_F(postgres_outage, AHeldLogHeadEndsInATimeOut) {
  options_.lock_timeout = 100ms;
  session_ = must(open_store(options_))->open_session();
  pqxx::connection holder{options_.url};
  pqxx::work tx{holder};
  tx.exec("SELECT last_seq FROM log_head FOR UPDATE").one_row();
  auto failed = append(1);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::store_unavailable);
  tx.abort();
  EXPECT_EQ(must(append(1)).at(0).outcome.seq, 1);
}

TEST_F(postgres_outage, AFrozenServerEndsInATimeOut) {
  options_.statement_timeout = 300ms;
  session_ = must(open_store(options_))->open_session();
  must(append(1));
  shared_server().freeze();
  auto failed = append(2);
  shared_server().thaw();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::store_unavailable);
  auto again = must(append(2));
  EXPECT_EQ(again.at(0).outcome.seq, 2);
  EXPECT_FALSE(again.at(0).outcome.duplicate);
}

TEST_F(postgres_outage, AReadOnlyDatabaseIsUnavailableNotARefusal) {
  administer("ALTER DATABASE " +
             options_.url.substr(options_.url.rfind('/') + 1) +
             " SET default_transaction_read_only = on");
  session_ = must(open_store(options_))->open_session();
  auto failed = append(1);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::store_unavailable);
}

TEST_F(postgres_outage, AMissingRightIsNoFaultOfTheRow) {
  administer("DROP ROLE IF EXISTS test_outsider");
  administer("CREATE ROLE test_outsider LOGIN");
  auto& url = options_.url;
  url.replace(url.find("postgres@"), 8, "test_outsider");
  session_ = must(open_store(options_))->open_session();
  auto failed = append(1);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::schema_mismatch);
  EXPECT_NE(failed.error().message.find("permission denied"),
            std::string::npos);
}

// Each of them is a password that its user has not encoded. libpq repeats it in
// its own words, or takes a part of it for a host, a port or a database.
TEST_F(postgres_outage, ARefusedAddressTellsNothingOfItsPassword) {
  for (const auto* bad : {"postgresql://joe:s3cr3t%zzpw@127.0.0.1/d",
                          "postgresql://joe:s3cr3t%00pw@127.0.0.1/d",
                          "postgresql://joe:s3cr3t/pw@127.0.0.1:1/d",
                          "postgresql://joe:123/s3cr3t@127.0.0.1:1/d",
                          "postgresql://joe:s3cr3tpw@[::1:1/d",
                          "postgresql://joe:s3cr3t@pw@127.0.0.1:1/d",
                          "postgresql://joe:1@s3cr3t@127.0.0.1:1/d",
                          "postgresql://joe@h/d?connect_timeout=s3cr3t",
                          "host=h password=a s3cr3t user=joe",
                          "host=h password='s3cr3t", "host=h s3cr3t=1"}) {
    const auto refused = open_store({bad});
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, ec::bad_configuration);
    EXPECT_THAT(refused.error().message,
                ::testing::Not(::testing::HasSubstr("s3cr3t")));
    EXPECT_THAT(refused.error().message,
                ::testing::Not(::testing::HasSubstr("pw@")));
  }
  for (const auto* good :
       {"postgresql://joe:s3cr3t%2Fpw%40%25@127.0.0.1,[::1]:5433/d",
        "postgresql:///d?host=/var/run/postgresql", "host=@abstract dbname=d",
        "postgresql://h/d?application_name=a@b", "host=h password='a@b /c'"})
    EXPECT_TRUE(open_store({good})) << good;
  // What libpq takes for a password without being told.
  for (const auto* odd : {"postgresql://joe:s3cr3t?pw@127.0.0.1/d",
                          "postgresql://joe:1?s3cr3t=x@127.0.0.1/d",
                          "postgresql://joe:1?host=s3cr3t@127.0.0.1/d"}) {
    const auto opened = open_store({odd});
    ASSERT_TRUE(opened) << odd;
    EXPECT_EQ((*opened)->describe(), "postgresql://joe@127.0.0.1/d");
  }
}

TEST_F(postgres_outage, AddressesAreCheckedAndShownWithoutPasswords) {
  auto store = must(open_store({"postgresql://me:geheim@db.example:5433/hub"}));
  EXPECT_EQ(store->describe(), "postgresql://me@db.example:5433/hub");
  EXPECT_EQ(must(open_store({"host=h dbname=d password=geheim"}))->describe(),
            "postgresql://h/d");
  for (auto* bad : {"postgresql://h/d?no_such_option=1", "mysql://x", "",
                    "host='unfinished"}) {
    auto refused = open_store({bad});
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, ec::bad_configuration);
  }
}

} // namespace
} // namespace eventweft::testing
