// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/pool.hpp"
#include "tests/integration/outgoing/certificates.hpp"
#include "tests/integration/persistence/store_fixture.hpp"

#include <pqxx/pqxx>

#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

namespace eventweft::testing {
namespace {

using namespace std::chrono_literals;
using postgres::connection;

class postgres_pool : public ::testing::Test {
 protected:
  postgres_pool() {
    options_.url = shared_server().create_database();
    options_.connect_timeout = 2s;
    options_.max_connections = 3;
    make();
  }
  ~postgres_pool() override { shared_server().start(); }

  void make() {
    pool_ = std::make_shared<postgres::connection_pool>(
        options_, std::make_shared<postgres::watchdog>());
  }

  expected<int> ask(const std::string& sql) {
    return pool_->call(connection::retry::yes,
                       [&](pqxx::connection& c) -> expected<int> {
                         pqxx::nontransaction tx{c};
                         return tx.exec(sql).one_field().as<int>();
                       });
  }

  store_options options_;
  postgres::pool_ptr pool_;
};

TEST_F(postgres_pool, UsesOneConnectionAgainAndAgain) {
  auto first = must(ask("SELECT pg_backend_pid()"));
  EXPECT_EQ(must(ask("SELECT pg_backend_pid()")), first);
  EXPECT_EQ(pool_->state().idle, 1u);
  EXPECT_EQ(pool_->state().lent, 0u);
}

TEST_F(postgres_pool, GivesAThreadTheConnectionThatItHadBefore) {
  constexpr size_t rounds = 5;
  std::barrier turn{2};
  std::vector<expected<int>> theirs;
  std::thread other{[&] {
    for (size_t i = 0; i <= rounds; ++i) {
      turn.arrive_and_wait();
      theirs.push_back(ask("SELECT pg_backend_pid()"));
      turn.arrive_and_wait();
    }
  }};
  const auto other_asks = [&] {
    turn.arrive_and_wait();
    turn.arrive_and_wait();
  };
  std::vector<expected<int>> mine;
  // Both at once, so that there are two connections.
  mine.push_back(pool_->call(connection::retry::no,
                             [&](pqxx::connection& c) -> expected<int> {
                               other_asks();
                               return c.backendpid();
                             }));
  for (size_t i = 0; i < rounds; ++i) {
    mine.push_back(ask("SELECT pg_backend_pid()"));
    other_asks();
  }
  other.join();
  EXPECT_NE(must(mine[0]), must(theirs[0]));
  for (size_t i = 1; i <= rounds; ++i) {
    EXPECT_EQ(must(mine[i]), must(mine[0]));
    EXPECT_EQ(must(theirs[i]), must(theirs[0]));
  }
}

TEST_F(postgres_pool, NeverHasMoreThanItsLimitAndSaysSo) {
  options_.connect_timeout = 100ms;
  options_.max_connections = 1;
  make();
  auto outcome = pool_->call(
      connection::retry::no, [&](pqxx::connection&) -> expected<int> {
        auto second = ask("SELECT 1");
        EXPECT_FALSE(second);
        EXPECT_EQ(second.error().code, ec::store_unavailable);
        EXPECT_THAT(second.error().message, ::testing::HasSubstr("in use"));
        return 0;
      });
  EXPECT_TRUE(outcome);
  EXPECT_TRUE(ask("SELECT 1"));
}

TEST_F(postgres_pool, AnErrorDoesNotPoisonItsConnection) {
  auto failed = ask("SELECT 1 / 0");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::row_refused);
  EXPECT_EQ(must(ask("SELECT 2")), 2);
}

// As a node does that freezes, or is cut off, while it appends.
TEST_F(postgres_pool, WhoStopsInATransactionHoldsTheOthersUpNoLonger) {
  must(pool_->call(connection::retry::no,
                   [](pqxx::connection& c) -> expected<int> {
                     pqxx::nontransaction tx{c};
                     tx.exec("CREATE TABLE held AS SELECT 1 AS n");
                     return 0;
                   }));
  const auto stopped = pool_->call(
      connection::retry::no, [&](pqxx::connection& c) -> expected<int> {
        pqxx::work tx{c};
        tx.exec("UPDATE held SET n = 2");
        // It waits for the lock that we hold, and we for it.
        EXPECT_EQ(must(ask("UPDATE held SET n = n + 10 RETURNING n")), 11);
        tx.commit();
        return 0;
      });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ec::store_unavailable);
  EXPECT_EQ(must(ask("SELECT n FROM held")), 11);
}

TEST_F(postgres_pool, RecoversByItselfFromRestartsUnderLoad) {
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::atomic<int> most{0};
  constexpr size_t workers = 6;
  std::array<std::atomic<int>, workers> answers{};
  std::vector<std::thread> threads;
  for (size_t w = 0; w < workers; ++w)
    threads.emplace_back([&, w] {
      while (!stop) {
        auto sent = static_cast<int>(w) * 1'000'000 + answers[w];
        auto got = ask("SELECT " + std::to_string(sent));
        if (got)
          *got == sent ? ++answers[w] : ++wrong;
        else if (got.error().code != ec::store_unavailable)
          ++wrong;
        auto s = pool_->state();
        if (auto now = static_cast<int>(s.idle + s.lent); now > most)
          most = now;
      }
    });
  auto all_go_on = [&] {
    std::array<int, workers> before{};
    for (size_t w = 0; w < workers; ++w)
      before[w] = answers[w];
    for (auto end = std::chrono::steady_clock::now() + 60s;
         std::chrono::steady_clock::now() < end;) {
      size_t moved = 0;
      for (size_t w = 0; w < workers; ++w)
        moved += answers[w] > before[w] + 5;
      if (moved == workers)
        return true;
      std::this_thread::sleep_for(1ms);
    }
    return false;
  };
  EXPECT_TRUE(all_go_on());
  shared_server().kill();
  shared_server().start();
  EXPECT_TRUE(all_go_on());
  shared_server().stop();
  shared_server().start();
  EXPECT_TRUE(all_go_on());
  stop = true;
  for (auto& t : threads)
    t.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(most, 3);
  EXPECT_EQ(pool_->state().lent, 0u);
}

// libpq does it; that nothing of ours comes between is what is tested.
TEST(postgres_tls, ModesSayWhoIsTrusted) {
  namespace certificates = outgoing::testing_support;
  const certificates::test_ca ours;
  const certificates::test_ca theirs;
  const certificates::temporary_file trusted{ours.certificate()};
  const certificates::temporary_file foreign{theirs.certificate()};
  const auto pair = ours.issue("IP:127.0.0.1");
  const postgres_server server{
      {.settings = {}, .certificate = pair.certificate, .key = pair.key}};
  // 1 over TLS, 0 without.
  const auto ask = [&](const std::string& host, const std::string& query) {
    store_options options;
    options.url = "postgresql://postgres@" + host + ":" +
                  std::to_string(server.port()) + "/postgres?" + query;
    postgres::connection_pool pool{options,
                                   std::make_shared<postgres::watchdog>()};
    return pool.call(connection::retry::no,
                     [](pqxx::connection& c) -> expected<int> {
                       pqxx::nontransaction tx{c};
                       return tx
                           .exec("SELECT ssl::int FROM pg_stat_ssl "
                                 "WHERE pid = pg_backend_pid()")
                           .one_field()
                           .as<int>();
                     });
  };
  const auto address = std::string{"127.0.0.1"};
  const auto by_ours = "&sslrootcert=" + trusted.path();
  const auto by_theirs = "&sslrootcert=" + foreign.path();
  EXPECT_EQ(must(ask(address, "sslmode=disable")), 0);
  EXPECT_EQ(must(ask(address, "sslmode=prefer")), 1);
  EXPECT_EQ(must(ask(address, "sslmode=require")), 1);
  EXPECT_EQ(must(ask(address, "sslmode=verify-full" + by_ours)), 1);
  EXPECT_EQ(must(ask("localhost", "sslmode=verify-ca" + by_ours)), 1);
  for (const auto& refused :
       {ask(address, "sslmode=verify-ca" + by_theirs),
        ask("localhost", "sslmode=verify-full" + by_ours),
        ask(address, "sslmode=verify-full&sslrootcert=/nowhere")}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ec::store_unavailable);
    EXPECT_THAT(refused.error().message,
                ::testing::AnyOf(::testing::HasSubstr("certificate"),
                                 ::testing::HasSubstr("SSL error")));
  }
}

} // namespace
} // namespace eventweft::testing
