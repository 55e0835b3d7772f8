// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/thread_index.hpp"
#include "persistence/postgres/connection.hpp"
#include "persistence/thread_batch.hpp"

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace eventweft::postgres {

/// The threads' tables as one batch sees them: all that the batch is known to
/// ask for is read with one call, together with the log head and what of the
/// batch is a duplicate; what turns up on the way is asked for as it does.
/// Changes are only noted. Throws what libpqxx throws.
class thread_lookup final : public correlation::thread_index {
 public:
  /// An event of the batch that the log has already, or that comes twice.
  struct seen_event {
    size_t first = 0;
    seq_t seq = 0;
    uuid id;
    std::optional<uuid> thread;
    std::optional<uuid> parent;
  };

  thread_lookup(connection& own, pqxx::transaction_base& tx)
      : own_(own), tx_(tx) {}

  /// `lock` holds the log head to the transaction's end. Only the first call
  /// notes the head and what was seen.
  void look(bool lock, std::span<const event_ptr> events,
            const thread_batch::lookup& what);

  seq_t head() const noexcept { return head_; }
  int64_t version() const noexcept { return version_; }
  /// By their place in the batch.
  const std::map<size_t, seen_event>& seen() const noexcept { return seen_; }
  /// When the stored events came in that wait for something, or that others
  /// name as their cause.
  const std::map<uuid, timestamp>& waiting_since() const noexcept {
    return waiting_since_;
  }

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
  expected<void> apply(const correlation::thread_changes&) override {
    return {};
  }

 private:
  void take(const pqxx::row& row);

  connection& own_;
  pqxx::transaction_base& tx_;
  bool begun_ = false;
  seq_t head_ = 0;
  int64_t version_ = 0;
  std::map<size_t, seen_event> seen_;
  std::map<uuid, timestamp> waiting_since_;
  // With nothing for what was asked for and is not there.
  std::map<std::string, std::optional<correlation::key_row>> keys_;
  std::map<std::string, std::optional<std::string>> facts_;
  std::map<std::string, std::vector<correlation::pending_row>> waiting_;
  std::map<uuid, std::optional<correlation::thread_row>> threads_;
  std::set<std::string> prefixes_;
  std::set<std::string> commits_;
};

} // namespace eventweft::postgres
