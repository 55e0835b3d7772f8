// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/store.hpp"

#include "persistence/sqlite/correlation_rules.hpp"
#include "persistence/sqlite/credentials.hpp"
#include "persistence/sqlite/database.hpp"
#include "persistence/sqlite/maintenance.hpp"
#include "persistence/sqlite/processing.hpp"
#include "persistence/sqlite/reports.hpp"
#include "persistence/sqlite/session.hpp"
#include "persistence/sqlite/subscriptions.hpp"
#include "persistence/sqlite/threads.hpp"

#include <sqlite3.h>

namespace eventweft::sqlite {
namespace {

class sqlite_store final : public store {
 public:
  sqlite_store(std::string path, store_options options)
      : file_{std::move(path), std::move(options)} {}

  std::string_view engine() const noexcept override { return "sqlite"; }

  std::string describe() const override { return "sqlite:" + file_.path; }

  expected<migration_report> migrate() override {
    lazy_database db{file_};
    return db.call([](database& open) { return sqlite::migrate(open); });
  }

  expected<migration_report> check_schema() override {
    lazy_database db{file_};
    return db.call([](database& open) { return sqlite::check_schema(open); });
  }

  void give_up() override { *file_.given_up = true; }

  std::unique_ptr<store_session> open_session() override {
    return std::make_unique<session>(file_);
  }

  std::unique_ptr<thread_store> open_threads() override {
    return std::make_unique<threads>(file_);
  }
  std::unique_ptr<credential_store> open_credentials() override {
    return std::make_unique<credentials>(file_);
  }

  std::unique_ptr<store_maintenance> open_maintenance() override {
    return std::make_unique<maintenance>(file_);
  }

  std::unique_ptr<store_reports> open_reports() override {
    return std::make_unique<reports>(file_);
  }

  std::unique_ptr<processing_store> open_processing() override {
    return std::make_unique<processing_session>(file_);
  }

  std::unique_ptr<subscription_store> open_subscriptions() override {
    return std::make_unique<subscription_tables>(file_);
  }

  std::unique_ptr<correlation_rule_store> open_correlation_rules() override {
    return std::make_unique<correlation_rules>(file_);
  }

 private:
  database_file file_;
};

} // namespace

expected<store_ptr> open(std::string_view path, const store_options& options) {
  if (path.empty() || path.front() == ':')
    return fail(ec::bad_configuration,
                "sqlite: needs the path of a file, as in sqlite:eventweft.db");
  return std::make_shared<sqlite_store>(std::string{path}, options);
}

bool spare_memory_accounts() noexcept {
  return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK;
}

} // namespace eventweft::sqlite
