// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/postgres/joined_append.hpp"
#include "persistence/postgres/pool.hpp"
#include "persistence/store.hpp"

namespace eventweft::postgres {

class session final : public store_session {
 public:
  session(pool_ptr pool, const correlation::join_limits& limits)
      : pool_(std::move(pool)), limits_(limits) {}

  expected<std::vector<append_result>>
  append(std::span<const event_ptr> events) override;
  expected<append_results>
  append_and_join(std::span<const event_ptr> events) override;
  expected<append_results>
  append_unsynced(std::span<const event_ptr> events) override;
  expected<void> make_durable(std::span<const log_mark> appended) override;
  expected<log_head> head() override;
  expected<log_range> read_after(seq_t after, size_t max_events,
                                 size_t max_bytes) override;
  expected<std::optional<event_ptr>> find(const uuid& id) override;
  expected<event_page> query(const event_query& q) override;
  expected<std::vector<uuid>>
  present_threads(std::span<const uuid> ids) override;
  expected<places_page> places(const places_request& r) override;
  expected<seq_t> seq_before(timestamp t) override;
  expected<void> add_dead_letter(const dead_letter& letter) override;
  expected<std::vector<dead_letter>>
  dead_letters(const dead_letter_query& q) override;
  expected<bool> drop_dead_letter(const uuid& id) override;

 private:
  expected<append_results> append(std::span<const event_ptr> events,
                                  commit_mode mode);
  /// Events without a key: one call.
  expected<append_results> append_batch(std::span<const event_ptr> events,
                                        commit_mode mode);
  expected<append_results> append_joined(std::span<const event_ptr> events,
                                         commit_mode mode);

  pool_ptr pool_;
  correlation::join_limits limits_;
  /// On the caller's connection; nothing if somebody else was faster.
  expected<std::optional<append_results>>
  append_joined_once(std::span<const event_ptr> events, commit_mode mode,
                     connection& own, pqxx::connection& c);

  /// What this session knows of the threads' tables.
  thread_cache threads_;
  /// So many of the next batches take the log head before they read.
  int careful_ = 0;
  /// So many of the next batches read before they write.
  int reading_ = 0;
};

} // namespace eventweft::postgres
