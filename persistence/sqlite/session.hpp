// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/sqlite/database.hpp"
#include "persistence/sqlite/key_filter.hpp"
#include "persistence/store.hpp"
#include "persistence/thread_cache.hpp"

namespace eventweft::sqlite {

class session final : public store_session {
 public:
  explicit session(const database_file& file);

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
  /// As the caller's transaction sees the log head.
  static thread_cache::mark read_mark(database& db);
  expected<append_results> append(std::span<const event_ptr> events,
                                  bool wait_for_disk);
  expected<append_results>
  append(database& db, std::span<const event_ptr> events, bool wait_for_disk);
  /// Brings `known_` up to what others have appended.
  void learn_keys(database& db, seq_t head);

  class batch;

  /// `later`: without the disk, which the batch's results then say.
  expected<void> commit(write_transaction& tx, seq_t before, batch& done,
                        bool later);

  database_file file_;
  lazy_database database_;
  correlation::join_limits limits_;
  /// What this session knows of the threads' tables.
  thread_cache threads_;
  key_filter known_;
  seq_t known_seq_ = 0;
};

} // namespace eventweft::sqlite
