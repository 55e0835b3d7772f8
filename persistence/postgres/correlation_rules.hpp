// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/correlation_rules.hpp"
#include "persistence/postgres/pool.hpp"

#include <utility>

namespace eventweft::postgres {

class correlation_rules final : public correlation_rule_store {
 public:
  explicit correlation_rules(pool_ptr pool) : pool_(std::move(pool)) {}

  expected<std::vector<correlation::declarative_rule>> rules() override;
  expected<bool> set_rule(const correlation::declarative_rule& rule) override;
  expected<bool> drop_rule(std::string_view name) override;

 private:
  pool_ptr pool_;
};

} // namespace eventweft::postgres
