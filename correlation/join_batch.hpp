// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/batch_facts.hpp"
#include "correlation/joiner.hpp"
#include "correlation/thread_forest.hpp"

#include <map>
#include <string>
#include <vector>

namespace eventweft::correlation {

/// All that the events of one batch touch, as the index has it before them;
/// `join` (`joiner.hpp`) works on it.
struct join_batch {
  /// An event of this batch, or a stored one that waited for a fact.
  struct member {
    uuid id;
    timestamp at{};
    thread_forest::node node = thread_forest::none;
    /// Stored, and had no thread.
    bool adopted = false;
    bool stored = false;
  };

  /// A key, and what became of it with this batch.
  struct key_state {
    thread_forest::node node = thread_forest::none;
    uuid owner;
    uint64_t links = 0;
    uint64_t mentions = 0;
    uint64_t new_links = 0;
    uint64_t new_mentions = 0;
    uuid new_owner;
    timestamp last_seen{};
    bool known = false;
    bool touched = false;
  };

  /// A key of a stored event whose fact became known with this batch.
  struct waiting_key {
    pending_row row;
    /// Index into `members`.
    size_t member;
    std::string resolved;
  };

  explicit join_batch(uint64_t max_joined_events) : forest(max_joined_events) {}

  batch_facts facts;
  thread_forest forest;
  /// The events of the batch in their order, then stored ones.
  std::vector<member> members;
  std::map<std::string, key_state> keys;
  /// Threads that events name by an id, of a thread or of an event.
  std::map<uuid, thread_forest::node> named;
  /// Whether a key names an event or a thread of ours by its id.
  bool any_ids = false;
  /// If it is one of the batch's, its events: their indexes in `members`.
  std::map<uuid, size_t> here;
  /// Events that others name as their cause and that have no thread: their
  /// indexes in `members`.
  std::map<uuid, size_t> loose;
  std::vector<waiting_key> waiting;
  /// Stored events that came before what caused them.
  std::vector<pending_row> effects;
};

/// Reads it. An error is the index's.
expected<join_batch> read_batch(thread_index& index,
                                std::span<const join_input> events,
                                const join_limits& limits);

/// Whether a key may link now, or once its fact is known.
inline bool may_link(const correlation_key& key, float threshold) noexcept {
  return !key.is_fact() && (key.confidence >= threshold || !key.needs.empty());
}

/// Whether a key is what the event says was there before it.
inline bool is_cause(const correlation_key& key) noexcept {
  return key.type.from == correlation_noun::cause;
}

} // namespace eventweft::correlation
