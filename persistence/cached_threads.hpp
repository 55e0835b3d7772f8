// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/thread_index.hpp"
#include "messages/errors.hpp"
#include "persistence/thread_batch.hpp"
#include "persistence/thread_cache.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace eventweft {

/// The threads' tables through a session's cache: asks the tables for what that
/// does not know, and tells it. Changes are the caller's to write, and to apply
/// to the cache once they are committed.
class cached_threads final : public correlation::thread_index {
 public:
  /// Both outlive it.
  cached_threads(thread_cache& cache, correlation::thread_index& tables)
      : cache_(cache), tables_(tables) {}

  expected<std::vector<correlation::key_row>>
  find_keys(std::span<const std::string> keys) override;
  expected<std::vector<std::string>>
  find_commits(std::span<const std::string> prefixes) override;
  expected<std::vector<correlation::fact_row>>
  find_facts(std::span<const std::string> facts) override;
  expected<std::vector<correlation::pending_row>>
  find_pending(std::span<const std::string> facts) override;
  expected<std::vector<correlation::thread_row>>
  find_threads(std::span<const uuid> ids) override {
    return tables_.find_threads(ids);
  }
  expected<std::vector<correlation::stored_row>>
  find_events(std::span<const uuid> ids) override {
    return tables_.find_events(ids);
  }
  expected<void> apply(const correlation::thread_changes&) override {
    return {};
  }

 private:
  thread_cache& cache_;
  correlation::thread_index& tables_;
};

/// Of what a batch is going to ask for, only what the cache does not know.
void leave_out_known(thread_batch::lookup& what, thread_cache& cache);

/// The threads' tables as far as a session's cache knows them; what it does not
/// know is taken for not being there, and noted, for the store to prove when
/// the batch is written. Questions that can't be answered so fail, and
/// `must_read` is true.
class assumed_threads final : public correlation::thread_index {
 public:
  /// It outlives this.
  explicit assumed_threads(thread_cache& cache) : cache_(cache) {}

  expected<std::vector<correlation::key_row>>
  find_keys(std::span<const std::string> keys) override;
  expected<std::vector<std::string>>
  find_commits(std::span<const std::string> prefixes) override;
  expected<std::vector<correlation::fact_row>>
  find_facts(std::span<const std::string> facts) override;
  expected<std::vector<correlation::pending_row>>
  find_pending(std::span<const std::string> facts) override;
  expected<std::vector<correlation::thread_row>>
  find_threads(std::span<const uuid>) override {
    return unknown();
  }
  expected<std::vector<correlation::stored_row>>
  find_events(std::span<const uuid>) override {
    return unknown();
  }
  expected<void> apply(const correlation::thread_changes&) override {
    return {};
  }

  bool must_read() const noexcept { return must_read_; }

  /// What must not be there; what no stored event may wait for.
  const std::vector<std::string>& absent_keys() const { return absent_keys_; }
  const std::vector<std::string>& absent_facts() const { return absent_facts_; }
  const std::vector<std::string>& unawaited() const { return unawaited_; }

  /// It was so: the cache knows it from now on. To be told before the batch's
  /// changes are.
  void were_right();

 private:
  tl::unexpected<error> unknown();

  thread_cache& cache_;
  bool must_read_ = false;
  std::vector<std::string> absent_keys_;
  std::vector<std::string> absent_facts_;
  std::vector<std::string> unawaited_;
};

} // namespace eventweft
