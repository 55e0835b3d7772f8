// SPDX-License-Identifier: Apache-2.0
#include "persistence/tickets.hpp"
#include "tests/integration/persistence/store_fixture.hpp"

#include <pqxx/pqxx>

#include <atomic>
#include <thread>

namespace eventweft::testing {
namespace {

using namespace std::chrono_literals;

/// Two nodes over one database.
class tickets_test : public ::testing::Test {
 protected:
  auth::kept_ticket ticket(const std::string& id = "reader") {
    auth::principal who;
    who.how = auth::principal::kind::api_key;
    who.id = who.key = id;
    who.scopes = *auth::parse_scopes("read");
    return auth::write_ticket(who, "pr_events", noon, random_)->record;
  }

  void run(const std::string& sql) const {
    pqxx::connection c{url_};
    pqxx::nontransaction{c}.exec(sql);
  }

  int kept() const {
    pqxx::connection c{url_};
    return pqxx::nontransaction{c}
        .exec("SELECT count(*) FROM stream_tickets")
        .one_field()
        .as<int>();
  }

  seeded_random random_{7};
  std::string url_ = migrated_database();
  store_ptr one_ = must(open_store({url_}));
  store_ptr other_ = must(open_store({url_}));
  std::unique_ptr<ticket_store> here_ = one_->open_tickets();
  std::unique_ptr<ticket_store> there_ = other_->open_tickets();
  auth::ticket_options limits_{30s, 5, 3};
};

TEST(tickets_of_sqlite, AreTheProcessesOwn) {
  temporary_directory at;
  auto store = must(open_store({"sqlite:" + (at.path() / "log.db").string()}));
  EXPECT_FALSE(store->open_tickets());
}

TEST_F(tickets_test, AreTakenOnceAtAnyNodeAsTheyWere) {
  auto full = ticket();
  full.bearer.forced.emplace();
  full.bearer.forced->source_names = {"octo/*"};
  full.bearer.expires = noon + 24h;
  full.bearer.signer = "abc";
  const auto bare = ticket();
  must(here_->add(full, limits_));
  must(here_->add(bare, limits_));
  EXPECT_EQ(must(there_->take(full.hash)), full);
  EXPECT_EQ(must(there_->take(full.hash)), std::nullopt);
  EXPECT_EQ(must(here_->take(full.hash)), std::nullopt);
  EXPECT_EQ(must(here_->take(bare.hash)), bare);
  EXPECT_EQ(must(here_->take(std::string(64, '0'))), std::nullopt);
  EXPECT_EQ(kept(), 0);
}

TEST_F(tickets_test, AreTakenByOneOfTwoNodesThatTryAtOnce) {
  for (int round = 0; round < 20; ++round) {
    const auto one = ticket();
    must(here_->add(one, limits_));
    std::atomic<int> winners = 0;
    std::vector<std::thread> threads;
    for (auto* node : {here_.get(), there_.get()})
      threads.emplace_back([&winners, node, &one] {
        if (must(node->take(one.hash)))
          ++winners;
      });
    for (auto& t : threads)
      t.join();
    EXPECT_EQ(winners, 1);
  }
}

TEST_F(tickets_test, AreBoundedForOneAndForAll) {
  for (int i = 0; i < 3; ++i)
    must(here_->add(ticket("a"), limits_));
  EXPECT_EQ(there_->add(ticket("a"), limits_).error().code,
            ec::too_many_requests);
  must(there_->add(ticket("b"), limits_));
  must(there_->add(ticket("b"), limits_));
  EXPECT_EQ(here_->add(ticket("c"), limits_).error().code, ec::overloaded);
}

TEST_F(tickets_test, DoNotLastAndAreForgotten) {
  const auto late = ticket("a");
  must(here_->add(late, limits_));
  must(here_->add(ticket("a"), limits_));
  must(here_->add(ticket("a"), limits_));
  run("UPDATE stream_tickets SET good_until = clock_timestamp()");
  EXPECT_EQ(must(there_->take(late.hash)), std::nullopt);
  must(there_->add(ticket("a"), limits_));
  EXPECT_EQ(kept(), 1);
}

} // namespace
} // namespace eventweft::testing
