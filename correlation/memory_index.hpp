// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/thread_index.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace eventweft::correlation {

/// A `thread_index` in memory: what the stores' tables do, without a store.
/// For tests, for `--explain` and for a dry run. Not thread-safe.
class memory_index final : public thread_index {
 public:
  expected<std::vector<key_row>>
  find_keys(std::span<const std::string> keys) override;
  expected<std::vector<std::string>>
  find_commits(std::span<const std::string> prefixes) override;
  expected<std::vector<fact_row>>
  find_facts(std::span<const std::string> facts) override;
  expected<std::vector<pending_row>>
  find_pending(std::span<const std::string> facts) override;
  expected<std::vector<thread_row>>
  find_threads(std::span<const uuid> ids) override;
  expected<std::vector<stored_row>>
  find_events(std::span<const uuid> ids) override;
  expected<void> apply(const thread_changes& changes) override;

  /// An event that is stored without a thread.
  void add_event(const stored_row& row) {
    loose_.insert_or_assign(row.event, row.at);
  }
  /// The parent that an event got after it was stored.
  std::optional<uuid> late_parent_of(const uuid& event) const;

  /// The event's thread, if it has one.
  std::optional<uuid> thread_of(const uuid& event) const;
  /// The thread that an id, old or present, leads to.
  std::optional<uuid> current(const uuid& thread) const;
  /// Every thread with its events.
  std::map<uuid, std::set<uuid>> threads() const;
  size_t key_count() const { return keys_.size(); }
  size_t pending_count() const { return pending_.size(); }
  /// Rows that merges rewrote so far.
  uint64_t rewritten() const { return rewritten_; }

 private:
  struct thread_info {
    std::set<uuid> events;
    std::set<std::string> keys;
    std::set<uuid> former;
  };

  std::map<std::string, key_row> keys_;
  std::map<std::string, std::string> facts_;
  std::map<std::tuple<std::string, uuid, std::string>, pending_row> pending_;
  std::map<uuid, uuid> events_;
  std::map<uuid, timestamp> loose_;
  std::map<uuid, uuid> parents_;
  std::map<uuid, uuid> merged_;
  std::map<uuid, thread_info> threads_;
  uint64_t rewritten_ = 0;
};

} // namespace eventweft::correlation
