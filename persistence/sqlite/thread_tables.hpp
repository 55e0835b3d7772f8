// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/thread_index.hpp"
#include "persistence/sqlite/database.hpp"
#include "persistence/thread_batch.hpp"

#include <map>

namespace eventweft::sqlite {

/// The threads' tables, on the caller's write transaction. Throws what
/// SQLiteCpp throws.
class thread_tables final : public correlation::thread_index {
 public:
  explicit thread_tables(database& db) : db_(db) {}

  expected<std::vector<correlation::key_row>>
  find_keys(std::span<const std::string> keys) override;
  expected<std::vector<std::string>>
  find_commits(std::span<const std::string> prefixes) override;
  expected<std::vector<correlation::fact_row>>
  find_facts(std::span<const std::string> facts) override;
  expected<std::vector<correlation::pending_row>>
  find_pending(std::span<const std::string> facts) override;
  expected<std::vector<correlation::thread_row>>
  find_threads(std::span<const uuid> ids) override;
  expected<std::vector<correlation::stored_row>>
  find_events(std::span<const uuid> ids) override;
  /// Does nothing: what is to be written goes to `write`.
  expected<void> apply(const correlation::thread_changes&) override {
    return {};
  }

  /// `details`: of threads that have new events.
  void write(const correlation::thread_changes& changes,
             const std::map<uuid, thread_batch::growth_detail>& details);

 private:
  void merge(const correlation::thread_merge& m);
  void adopt(const correlation::membership& m);

  database& db_;
};

} // namespace eventweft::sqlite
