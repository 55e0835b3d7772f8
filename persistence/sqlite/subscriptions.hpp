// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/sqlite/database.hpp"
#include "persistence/subscriptions.hpp"

namespace eventweft::sqlite {

class subscription_tables final : public subscription_store {
 public:
  explicit subscription_tables(database_file file)
      : database_(std::move(file)) {}

  expected<std::vector<stream_definition>> streams() override;
  expected<void> add_stream(const stream_definition& stream) override;
  expected<void> change_stream(const stream_definition& stream) override;
  expected<void> drop_stream(std::string_view name) override;
  expected<std::vector<subscription>> subscriptions() override;
  expected<std::optional<subscription_record>>
  find_subscription(const uuid& id) override;
  expected<void> add_subscription(const subscription_record& r) override;
  expected<void> change_subscription(const subscription& s) override;
  expected<bool> drop_subscription(const uuid& id) override;
  expected<std::vector<std::optional<error>>>
  save(std::span<const delivery_report> reports) override;
  expected<std::vector<delivery_attempt>>
  deliveries(const uuid& subscription_id, const uuid& before,
             size_t limit) override;

 private:
  lazy_database database_;
};

} // namespace eventweft::sqlite
