// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/flow.hpp"
#include "messages/thread.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// Threads, read and worked over. Appending joins events to them, see
/// `store_session::append_and_join`.
namespace eventweft {

/// How far going over stored events again is.
struct backfill_state {
  /// Events up to this seq are done.
  seq_t last_seq = 0;
  /// Where it ends; what came later was joined as it came.
  seq_t until_seq = 0;
  /// Fingerprint of the rules it was begun with.
  std::string rules;
  /// Where it was begun: events up to this seq are none of it.
  seq_t after_seq = 0;

  bool operator==(const backfill_state&) const = default;
};

/// A stored event with what the rules say of it now.
struct rejoined_event {
  event_ptr stored;
  std::vector<correlation_key> keys;
};

/// A session of its own with the store's threads, used by one thread at a
/// time. Blocks and fails as `store_session` does.
class thread_store {
 public:
  virtual ~thread_store() = default;

  /// What events taught, by name, but for commits' pull requests; at most
  /// `limit`.
  virtual expected<std::vector<std::pair<std::string, std::string>>>
  facts(size_t limit) = 0;

  /// The thread that the id of a thread (old or present) or of an event leads
  /// to.
  virtual expected<std::optional<uuid>> thread_of(const uuid& id) = 0;

  /// The value of a fact, if an event taught it.
  virtual expected<std::optional<std::string>>
  fact(const std::string& name) = 0;

  /// Keys that begin with `prefix`, which is not empty, and end with `suffix`,
  /// in order; at most `limit`.
  virtual expected<std::vector<std::string>>
  keys_like(const std::string& prefix, const std::string& suffix,
            size_t limit) = 0;

  /// The thread that a canonical key leads to.
  virtual expected<std::optional<uuid>> thread_of(const std::string& key) = 0;

  /// The thread that the id of a thread, old or present, leads to.
  virtual expected<std::optional<uuid>> thread_with_id(const uuid& id) = 0;

  virtual expected<std::optional<event_ptr>> find(const uuid& event) = 0;

  /// Events of the thread that are linked by that key, newest first, as far as
  /// they are among the thread's newest (`thread_reading::newest_events`) and
  /// fit into `page`, whose `after` counts for nothing.
  virtual expected<std::vector<event_ptr>>
  linked_by(const uuid& thread, const std::string& key,
            const thread_page& page) = 0;

  /// Everything about a thread; of its events that page, at least one if there
  /// is one that is durable, and their links. A page that ends for its bytes
  /// has a next one. Nothing if there is no such thread.
  virtual expected<std::optional<thread_story>>
  read(const uuid& thread, const thread_page& page) = 0;

  /// The threads with the newest events first; one more than `q.limit` if
  /// there are more.
  virtual expected<std::vector<thread_summary>>
  recent(const thread_query& q) = 0;

  /// The evidence of one event.
  virtual expected<std::vector<thread_link>> evidence(const uuid& event) = 0;

  /// What is still to be gone over, if that was begun and not ended.
  virtual expected<std::optional<backfill_state>> backfill() = 0;

  /// Begins it, or with nothing ends it.
  virtual expected<void>
  set_backfill(const std::optional<backfill_state>& state) = 0;

  /// Joins stored events to threads by keys that did not link them yet, and
  /// notes that everything up to `done` was gone over, in one transaction.
  /// What the log is told of joins is of the time `now`.
  virtual expected<thread_report> rejoin(std::span<const rejoined_event> events,
                                         seq_t done, timestamp now) = 0;
};

} // namespace eventweft
