// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/store.hpp"

#include "messages/time.hpp"
#include "persistence/postgres/address.hpp"
#include "persistence/postgres/connection.hpp"
#include "persistence/postgres/correlation_rules.hpp"
#include "persistence/postgres/credentials.hpp"
#include "persistence/postgres/maintenance.hpp"
#include "persistence/postgres/migrate.hpp"
#include "persistence/postgres/nodes.hpp"
#include "persistence/postgres/pool.hpp"
#include "persistence/postgres/processing.hpp"
#include "persistence/postgres/reports.hpp"
#include "persistence/postgres/rights.hpp"
#include "persistence/postgres/session.hpp"
#include "persistence/postgres/subscriptions.hpp"
#include "persistence/postgres/threads.hpp"
#include "persistence/postgres/tickets.hpp"

namespace eventweft::postgres {
namespace {

class postgres_store final : public store {
 public:
  postgres_store(store_options options, std::string address)
      : options_(std::move(options)), address_(std::move(address)) {}

  std::string_view engine() const noexcept override { return "postgres"; }

  std::string describe() const override { return address_; }

  expected<migration_report> migrate() override {
    // Not from the pool: it may take as long as it takes.
    connection c{options_, dog_};
    c.lift_deadline();
    auto report = c.call(connection::retry::no,
                         [](auto& live) { return postgres::migrate(live); });
    if (report)
      // A long-running query may be in the way. The server makes them, too;
      // what comes without one is kept in the default partition.
      if (auto made = open_maintenance()->prepare_partitions(now());
          !made && made.error().code != ec::store_unavailable)
        return fail(std::move(made.error()));
    return report;
  }

  expected<migration_report> check_schema() override {
    return pool_->call(connection::retry::yes, [](pqxx::connection& live) {
      return postgres::check_schema(live);
    });
  }

  expected<void> check_rights() override {
    return pool_->call(connection::retry::yes, [](pqxx::connection& live) {
      return postgres::check_rights(live);
    });
  }

  void give_up() override { dog_->give_up(); }

  std::unique_ptr<store_session> open_session() override {
    return std::make_unique<session>(pool_, options_.threads);
  }

  std::unique_ptr<thread_store> open_threads() override {
    return std::make_unique<threads>(pool_, options_.threads);
  }

  std::unique_ptr<credential_store> open_credentials() override {
    return std::make_unique<credentials>(pool_);
  }

  std::unique_ptr<ticket_store> open_tickets() override {
    return std::make_unique<tickets>(pool_);
  }

  std::unique_ptr<store_maintenance> open_maintenance() override {
    return std::make_unique<maintenance>(pool_, options_.dedup_window);
  }

  std::unique_ptr<store_reports> open_reports() override {
    return std::make_unique<reports>(pool_);
  }

  std::unique_ptr<processing_store> open_processing() override {
    return std::make_unique<processing_session>(pool_);
  }

  std::unique_ptr<store_nodes> open_nodes() override {
    return std::make_unique<nodes>(options_, dog_);
  }

  std::unique_ptr<store_listener> open_listener() override {
    return std::make_unique<listener>(options_, dog_);
  }

  std::unique_ptr<subscription_store> open_subscriptions() override {
    return std::make_unique<subscription_tables>(pool_);
  }

  std::unique_ptr<correlation_rule_store> open_correlation_rules() override {
    return std::make_unique<correlation_rules>(pool_);
  }

 private:
  static timestamp now() { return system_clock{}.now(); }

  store_options options_;
  std::string address_;
  watchdog_ptr dog_ = std::make_shared<watchdog>();
  pool_ptr pool_ = std::make_shared<connection_pool>(options_, dog_);
};

} // namespace

expected<store_ptr> open(const store_options& options) {
  const auto address = parse_address(options.url);
  if (!address)
    return fail(address.error());
  return std::make_shared<postgres_store>(options, describe_address(*address));
}

} // namespace eventweft::postgres
