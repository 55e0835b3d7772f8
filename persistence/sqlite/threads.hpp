// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/joiner.hpp"
#include "persistence/sqlite/database.hpp"
#include "persistence/threads.hpp"

#include <memory>

namespace eventweft::sqlite {

class threads final : public thread_store {
 public:
  explicit threads(const database_file& file)
      : database_(file), sync_(file.sync), limits_(file.options.threads) {}

  expected<std::vector<std::pair<std::string, std::string>>>
  facts(size_t limit) override;
  expected<std::optional<std::string>> fact(const std::string& name) override;
  expected<std::vector<std::string>> keys_like(const std::string& prefix,
                                               const std::string& suffix,
                                               size_t limit) override;
  expected<std::optional<uuid>> thread_of(const uuid& id) override;
  expected<std::optional<uuid>> thread_of(const std::string& key) override;
  expected<std::optional<uuid>> thread_with_id(const uuid& id) override;
  expected<std::optional<event_ptr>> find(const uuid& event) override;
  expected<std::vector<event_ptr>> linked_by(const uuid& thread,
                                             const std::string& key,
                                             const thread_page& page) override;
  expected<std::optional<thread_story>> read(const uuid& thread,
                                             const thread_page& page) override;
  expected<std::vector<thread_summary>> recent(const thread_query& q) override;
  expected<std::vector<thread_link>> evidence(const uuid& event) override;
  expected<std::optional<backfill_state>> backfill() override;
  expected<void>
  set_backfill(const std::optional<backfill_state>& state) override;
  expected<thread_report> rejoin(std::span<const rejoined_event> events,
                                 seq_t done, timestamp now) override;

 private:
  lazy_database database_;
  std::shared_ptr<log_sync> sync_;
  correlation::join_limits limits_;
};

} // namespace eventweft::sqlite
