// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/thread_index.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace eventweft::correlation {

/// What one batch does to threads: which of them, and which events that have
/// none yet, become one, and whose id stays. Disjoint sets; knows no keys.
class thread_forest {
 public:
  /// A thread, or an event that is about to be one; as long as the forest is.
  using node = size_t;
  static constexpr node none = static_cast<node>(-1);

  /// `max_joined_events` as in `join_limits`.
  explicit thread_forest(uint64_t max_joined_events)
      : max_joined_events_(max_joined_events) {}

  /// A thread that is there, with the number of its events: one node, however
  /// often it is asked for.
  node of_thread(const uuid& thread, uint64_t events);

  /// An event that has no thread yet.
  node add_event(const uuid& event);

  /// Makes both one, because of this event and key. False if they are too large
  /// together; nothing happens then.
  bool unite(node a, node b, const uuid& event, const std::string& key);

  /// Whether both are one by now.
  bool are_one(node a, node b) { return root(a) == root(b); }

  /// An event asks for `id`: its thread gets it unless there is one already. Of
  /// several, the least.
  void wish(node n, const uuid& id);

  /// Whether none of what became one with `n` was a thread before.
  bool is_fresh(node n);

  /// The id that stays: that of the largest thread, of two alike the older. Of
  /// a fresh one what was wished for, or the id of its oldest event.
  uuid thread_of(node n);

  /// The threads that became part of others, in the order of their ids. Each is
  /// there once, with what joined it to the one that took its place.
  std::vector<thread_merge> merges();

 private:
  struct tree {
    node parent;
    // Nil while there is no thread yet.
    uuid thread;
    // Events of its own; of a root, `total` counts all that hang on it.
    uint64_t stored;
    uint64_t total;
    // Of a root: whose id stays.
    node best;
    // Of a root without a thread: its oldest event, and the id that one of them
    // asks for.
    uuid oldest;
    uuid wish;
    // What joined it to the one whose id stays.
    uuid lost_by_event;
    std::string lost_by_key;
  };

  node add(const uuid& thread, uint64_t stored, uint64_t total,
           const uuid& event);
  node root(node n);

  uint64_t max_joined_events_;
  std::vector<tree> trees_;
  std::map<uuid, node> by_thread_;
};

} // namespace eventweft::correlation
