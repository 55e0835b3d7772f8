// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/maintenance.hpp"
#include "persistence/sqlite/database.hpp"

namespace eventweft::sqlite {

/// There are no partitions here: retention deletes single events and gives
/// their pages back to the file system.
class maintenance final : public store_maintenance {
 public:
  explicit maintenance(database_file file) : database_(std::move(file)) {}

  expected<int> prepare_partitions(timestamp now) override;
  expected<int64_t> roll_up_metrics() override;
  expected<std::vector<retention_item>>
  apply_retention(const retention_policy& policy, timestamp now, bool dry_run,
                  size_t limit) override;
  expected<std::vector<metrics_row>> metrics(const metrics_query& q) override;
  expected<void>
  record_performance(std::span<const performance_sample> samples) override;

 private:
  lazy_database database_;
};

} // namespace eventweft::sqlite
