// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/store.hpp"

#include "persistence/postgres/connection.hpp"
#include "persistence/postgres/migrate.hpp"
#include "persistence/postgres/session.hpp"

namespace eventweft::postgres {
namespace {

class postgres_store final : public store {
 public:
  postgres_store(store_options options, std::string address)
      : options_(std::move(options)), address_(std::move(address)) {}

  std::string_view engine() const noexcept override { return "postgres"; }

  std::string describe() const override { return address_; }

  expected<migration_report> migrate() override {
    connection c{options_, dog_};
    c.lift_deadline();
    return c.call(connection::retry::no,
                  [](auto& live) { return postgres::migrate(live); });
  }

  expected<void> check_schema() override {
    connection c{options_, dog_};
    return c.call(connection::retry::no,
                  [](auto& live) { return postgres::check_schema(live); });
  }

  std::unique_ptr<store_session> open_session() override {
    return std::make_unique<session>(options_, dog_);
  }

 private:
  store_options options_;
  std::string address_;
  watchdog_ptr dog_ = std::make_shared<watchdog>();
};

} // namespace

expected<store_ptr> open(const store_options& options) {
  auto address = describe_address(options.url);
  if (!address)
    return fail(std::move(address.error()));
  return std::make_shared<postgres_store>(options, std::move(*address));
}

} // namespace eventweft::postgres
