// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/joiner.hpp"
#include "persistence/postgres/pool.hpp"
#include "persistence/threads.hpp"

namespace eventweft::postgres {

class threads final : public thread_store {
 public:
  threads(pool_ptr pool, const correlation::join_limits& limits)
      : pool_(std::move(pool)), limits_(limits) {}

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
  pool_ptr pool_;
  correlation::join_limits limits_;
};

} // namespace eventweft::postgres
