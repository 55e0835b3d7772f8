// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/correlation_rules.hpp"
#include "persistence/sqlite/database.hpp"

#include <utility>

namespace eventweft::sqlite {

class correlation_rules final : public correlation_rule_store {
 public:
  explicit correlation_rules(database_file file) : database_(std::move(file)) {}

  expected<std::vector<correlation::declarative_rule>> rules() override;
  expected<bool> set_rule(const correlation::declarative_rule& rule) override;
  expected<bool> drop_rule(std::string_view name) override;

 private:
  lazy_database database_;
};

} // namespace eventweft::sqlite
