// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/postgres/pool.hpp"
#include "persistence/store.hpp"

namespace eventweft::postgres {

class session final : public store_session {
 public:
  explicit session(pool_ptr pool) : pool_(std::move(pool)) {}

  expected<std::vector<append_result>>
  append(std::span<const event_ptr> events) override;
  expected<log_head> head() override;
  expected<log_range> read_after(seq_t after, size_t max_events,
                                 size_t max_bytes) override;
  expected<std::optional<event_ptr>> find(const uuid& id) override;
  expected<event_page> query(const event_query& q) override;
  expected<seq_t> seq_before(timestamp t) override;
  expected<void> add_dead_letter(const dead_letter& letter) override;
  expected<std::vector<dead_letter>>
  dead_letters(const dead_letter_query& q) override;
  expected<bool> drop_dead_letter(const uuid& id) override;

 private:
  expected<std::vector<append_outcome>>
  append_batch(std::span<const event_ptr> events);

  pool_ptr pool_;
};

} // namespace eventweft::postgres
