// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/reports.hpp"
#include "persistence/sqlite/database.hpp"

namespace eventweft::sqlite {

class reports final : public store_reports {
 public:
  explicit reports(database_file file) : database_(std::move(file)) {}

  expected<store_report> read(timestamp now) override;
  expected<int64_t> forget_samples(timestamp before) override;

 private:
  lazy_database database_;
};

} // namespace eventweft::sqlite
