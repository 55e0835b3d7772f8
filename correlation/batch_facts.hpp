// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/thread_index.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace eventweft::correlation {

/// What the keys of one batch wait for, as far as it is known: facts, and the
/// commits that short SHAs may mean, both from the index and from the batch.
class batch_facts {
 public:
  /// Notes what an event's key teaches or waits for. Commits below `threshold`
  /// tell nothing.
  void add(const correlation_key& key, float threshold);

  /// Reads what the noted keys wait for. An error is the index's.
  expected<void> read(thread_index& index);

  /// Reads the commits that stored keys wait for.
  expected<void> read_commits(thread_index& index,
                              const std::set<std::string>& short_shas);

  /// The key once its fact is known; empty while it is not.
  std::string resolve(const correlation_key& key) const;

  /// What the batch teaches and the index did not know.
  const std::vector<fact_row>& learned() const noexcept { return learned_; }

  /// Full keys, of the batch and those read.
  const std::set<std::string>& commits() const noexcept { return commits_; }

 private:
  std::map<std::string, std::string> taught_;
  std::set<std::string> wanted_;
  std::set<std::string> short_shas_;
  std::set<std::string> commits_;
  std::map<std::string, std::string> facts_;
  std::vector<fact_row> learned_;
};

} // namespace eventweft::correlation
