// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/maintenance.hpp"
#include "persistence/postgres/pool.hpp"

namespace eventweft::postgres {

class maintenance final : public store_maintenance {
 public:
  explicit maintenance(
      pool_ptr pool,
      std::optional<std::chrono::seconds> dedup_window = std::nullopt)
      : pool_(std::move(pool)), dedup_window_(dedup_window) {}

  expected<int> prepare_partitions(timestamp now) override;
  expected<int64_t> roll_up_metrics() override;
  expected<std::vector<retention_item>>
  apply_retention(const retention_policy& policy, timestamp now, bool dry_run,
                  size_t limit) override;
  expected<std::vector<metrics_row>> metrics(const metrics_query& q) override;
  expected<void>
  record_performance(std::span<const performance_sample> samples) override;

 private:
  pool_ptr pool_;
  std::optional<std::chrono::seconds> dedup_window_;
};

} // namespace eventweft::postgres
