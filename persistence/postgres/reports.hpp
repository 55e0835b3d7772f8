// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/postgres/pool.hpp"
#include "persistence/reports.hpp"

namespace eventweft::postgres {

class reports final : public store_reports {
 public:
  explicit reports(pool_ptr pool) : pool_(std::move(pool)) {}

  expected<store_report> read(timestamp now) override;
  expected<int64_t> forget_samples(timestamp before) override;

 private:
  pool_ptr pool_;
};

} // namespace eventweft::postgres
