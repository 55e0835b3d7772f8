// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/thread_index.hpp"
#include "messages/event.hpp"
#include "messages/flow.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace eventweft {

/// Rows of the threads' tables as a session read or wrote them last, those that
/// are not there included, so that its next batch need not read them again.
/// Memory is never the truth: it holds as long as nobody else changed the log
/// or its threads, which the log head tells (`mark`). Whoever relies on it asks
/// the store for that, within the transaction that relies on it.
///
/// A batch calls `begin`, then asks and learns, and calls `apply` once it is
/// committed; without that, the next `begin` forgets everything.
///
/// Bounded: what was not used for longest goes, half of all at a time, and not
/// within a batch. Keys and facts as the store has them
/// (`thread_batch::storable_key`). One thread at a time.
class thread_cache {
 public:
  /// What the log head said, and on which connections.
  struct mark {
    seq_t head = 0;
    int64_t thread_version = 0;
    /// Of the store's connections: a server that lost its latest events and
    /// got others under the same numbers is on the far end of a new one.
    uint64_t connections = 0;

    bool operator==(const mark&) const = default;
  };

  static constexpr size_t default_rows = 60'000;

  explicit thread_cache(size_t max_rows = default_rows) : max_rows_(max_rows) {}

  /// What it holds for; nothing if it holds nothing, or within a batch.
  const std::optional<mark>& as_of() const noexcept { return as_of_; }

  /// Forgets everything that is not of `now`.
  void begin(const mark& now);

  void forget() noexcept;

  // -- what is known; nothing: it is not known -------------------------------

  std::optional<std::optional<correlation::key_row>>
  key(const std::string& key);
  std::optional<std::optional<std::string>> fact(const std::string& fact);
  /// Commits that begin with it, of which two are enough.
  std::optional<std::vector<std::string>> commits(const std::string& prefix);
  /// Whether it is known that no stored event waits for it.
  bool nobody_waits_for(const std::string& fact);

  // -- what was read ----------------------------------------------------------

  void learn_key(const std::string& key, const correlation::key_row* row);
  void learn_fact(const std::string& fact, std::optional<std::string> value);
  void learn_commits(const std::string& prefix,
                     std::vector<std::string> commits);
  void learn_nobody_waits_for(const std::string& fact);

  /// The batch's changes, as they were written, are committed; the log head is
  /// `now`.
  void apply(const correlation::thread_changes& changes, const mark& now);

  size_t rows() const noexcept;

  /// Notes where a batch's keys were looked for; the sums since the last call
  /// of `lookups`.
  void count(const key_lookups& keys) noexcept;
  key_lookups lookups() noexcept;

 private:
  struct known_key {
    bool there = false;
    uuid thread;
    uuid owner;
    uint64_t links = 0;
    uint64_t mentions = 0;
    timestamp last_seen{};
  };

  // What was used since the older half was let go, and the older half.
  template <class Key, class Value>
  class halves {
   public:
    Value* find(const Key& key) {
      if (const auto at = young_.find(key); at != young_.end())
        return &at->second;
      const auto at = old_.find(key);
      if (at == old_.end())
        return nullptr;
      return &young_.insert(old_.extract(at)).position->second;
    }
    void put(const Key& key, Value value) {
      old_.erase(key);
      young_.insert_or_assign(key, std::move(value));
    }
    void erase(const Key& key) {
      young_.erase(key);
      old_.erase(key);
    }
    void age() {
      old_ = std::move(young_);
      young_.clear();
    }
    void clear() noexcept {
      young_.clear();
      old_.clear();
    }
    size_t young() const noexcept { return young_.size(); }
    size_t size() const noexcept { return young_.size() + old_.size(); }

   private:
    std::unordered_map<Key, Value> young_;
    std::unordered_map<Key, Value> old_;
  };

  void merge(const correlation::thread_merge& m);
  void grow(const correlation::thread_growth& g);
  void change(const correlation::key_change& k);
  void add_commit(const std::string& key);
  // The thread that `id` is by now.
  uuid present(const uuid& id) const;

  const size_t max_rows_;
  key_lookups lookups_;
  std::optional<mark> as_of_;
  halves<std::string, known_key> keys_;
  halves<std::string, std::optional<std::string>> facts_;
  // Full `git:sha:` keys by the beginning that was asked for.
  halves<std::string, std::vector<std::string>> commits_;
  // The value says nothing.
  halves<std::string, bool> unawaited_;
  // Events of a thread.
  halves<uuid, uint64_t> sizes_;
  // Threads that are no more, and what they are part of.
  std::unordered_map<uuid, uuid> merged_;
};

} // namespace eventweft
