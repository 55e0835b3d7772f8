// SPDX-License-Identifier: Apache-2.0
#include "persistence/newer_schema.hpp"
#include "tests/integration/persistence/store_fixture.hpp"

#include <thread>

namespace eventweft::testing {
namespace {

class migration_contract : public store_contract {
 protected:
  /// A store without a schema.
  store_ptr empty_store() {
    store_options options;
    options.url = is_postgres()
                      ? shared_server().create_database()
                      : "sqlite:" + (directory_.path() / "new.db").string();
    return must(open_store(options));
  }
};

TEST_P(migration_contract, BringsAnEmptyStoreUpToDateOnce) {
  auto store = empty_store();
  auto before = store->check_schema();
  ASSERT_FALSE(before);
  EXPECT_EQ(before.error().code, ec::schema_mismatch);
  EXPECT_THAT(before.error().message, ::testing::HasSubstr("migrate"));
  auto report = must(store->migrate());
  EXPECT_EQ(report.from, 0);
  EXPECT_GE(report.to, 1);
  must(store->check_schema());
  auto again = must(store->migrate());
  EXPECT_EQ(again.from, report.to);
  EXPECT_EQ(again.to, report.to);
}

TEST_P(migration_contract, ManyAtOnceMakeOneSchema) {
  auto store = empty_store();
  constexpr size_t nodes = 6;
  std::vector<expected<migration_report>> reports(nodes);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < nodes; ++i)
    threads.emplace_back([&, i] { reports[i] = store->migrate(); });
  for (auto& t : threads)
    t.join();
  int did_it = 0;
  for (auto& r : reports) {
    ASSERT_TRUE(r) << to_string(r.error());
    did_it += r->from == 0;
  }
  EXPECT_EQ(did_it, 1);
  must(store->check_schema());
}

TEST_P(migration_contract, ANewerSchemaIsRefused) {
  run_sql("INSERT INTO schema_migrations (version, name) "
          "VALUES (9999, 'from the future')");
  for (auto& error :
       {store_->check_schema().error(), store_->migrate().error()}) {
    EXPECT_EQ(error.code, ec::schema_mismatch);
    EXPECT_THAT(error.message, ::testing::HasSubstr("9999"));
    EXPECT_THAT(error.message, ::testing::HasSubstr("newer"));
  }
}

// Nodes of two versions share a PostgreSQL during a roll; a SQLite file has one
// program.
TEST_P(migration_contract, ANewerSchemaThatServesUsIsTakenAsItIs) {
  if (!is_postgres())
    return;
  const auto known = must(store_->migrate()).to;
  EXPECT_EQ(newer_schema(must(store_->check_schema())), "");
  run_sql("INSERT INTO schema_migrations (version, name, oldest_program) "
          "VALUES (9999, 'from the future', " +
          std::to_string(known) + ")");
  const auto same = must(store_->migrate());
  EXPECT_EQ(same.from, 9999);
  EXPECT_EQ(same.to, 9999);
  EXPECT_EQ(newer_schema(must(store_->check_schema())),
            "the schema has version 9999, made by a newer program; it serves "
            "this one, which knows up to " +
                std::to_string(known) + ", as well");
  run_sql("UPDATE schema_migrations SET oldest_program = " +
          std::to_string(known + 1) + " WHERE version = 9999");
  const auto refused = store_->check_schema();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::schema_mismatch);
}

TEST_P(migration_contract, WorkingWithoutASchemaSaysSo) {
  auto failed = empty_store()->open_session()->head();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::schema_mismatch);
}

INSTANTIATE_TEST_SUITE_P(Engines, migration_contract, both_engines,
                         engine_name);

} // namespace
} // namespace eventweft::testing
