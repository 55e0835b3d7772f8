// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "codec/filter.hpp"
#include "messages/event.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace eventweft::codec {

/// What filters made of which events: of many readers with equal filters that
/// go through the same part of the log, one tries the filter, and the others
/// know. Filters that ask for threads are tried each time, as events get into
/// other threads. Bounded; what is forgotten is tried again. Thread-safe.
class match_memo {
 public:
  /// Of one filter; a block has 4 KiB.
  static constexpr size_t block_events = 1'024;

  explicit match_memo(size_t max_blocks = 1'024);
  ~match_memo();
  match_memo(const match_memo&) = delete;
  match_memo& operator=(const match_memo&) = delete;

  /// Takes out of `events` (in order) what does not match. Returns how many
  /// were tried.
  size_t keep_matching(const compiled_filter& f,
                       std::vector<event_ptr>& events);

  size_t blocks() const;

 private:
  struct block;
  struct place {
    std::string key;
    seq_t number;

    bool operator==(const place&) const = default;
  };
  struct place_hash {
    size_t operator()(const place& p) const noexcept;
  };
  using entry = std::pair<place, std::shared_ptr<block>>;

  std::shared_ptr<block> block_of(const std::string& key, seq_t number);

  const size_t max_blocks_;
  mutable std::mutex mutex_;
  /// The one used last comes first.
  std::list<entry> blocks_;
  std::unordered_map<place, std::list<entry>::iterator, place_hash> by_place_;
};

} // namespace eventweft::codec
