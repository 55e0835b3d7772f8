// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/correlation_key.hpp"
#include "messages/errors.hpp"
#include "messages/event.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace eventweft::correlation {

/// Which thread a key leads to.
struct key_row {
  std::string key;
  uuid thread;
  /// The first event that said it is this thing; nil if none did.
  uuid owner;
  /// Events that linked through it by their structure, and by a remark in
  /// their text.
  uint64_t links = 0;
  uint64_t mentions = 0;
  timestamp last_seen{};
  /// Of its thread.
  uint64_t thread_events = 0;
};

struct fact_row {
  std::string fact;
  std::string value;

  bool operator==(const fact_row&) const = default;
};

/// A key of a stored event that waits for a fact.
struct pending_row {
  std::string fact;
  uuid event;
  timestamp at{};
  correlation_key key;
};

struct thread_row {
  /// What was asked for: a thread's id, old or present, or an event's.
  uuid asked;
  uuid thread;
  uint64_t events = 0;
};

/// An event that is stored.
struct stored_row {
  uuid event;
  timestamp at{};
  /// Whether it is in a thread itself, not only a thread named by its id.
  bool threaded = false;
};

/// Why a key that is sure enough does not link.
enum class not_linked : uint8_t {
  none = 0,
  /// Its confidence is below the threshold.
  unsure = 1,
  /// It waits for a fact.
  pending = 2,
  /// Too many events have it.
  hot_key = 3,
  /// It would join two threads that are too large together.
  huge_thread = 4,
};

std::string_view to_string(not_linked why) noexcept;

/// One row of `event_correlations`: the evidence.
struct link_row {
  uuid event;
  /// Resolved: a short SHA has all its digits.
  correlation_key key;
  not_linked why = not_linked::none;
};

/// `from` is no more; all that had it now has `into`.
struct thread_merge {
  uuid from;
  uuid into;
  /// The event and the key that joined them.
  uuid event;
  std::string key;

  bool operator==(const thread_merge&) const = default;
};

struct membership {
  uuid event;
  uuid thread;
  /// The event was stored before, without a thread.
  bool adopted = false;
};

/// A stored event whose cause came after it.
struct late_parent {
  uuid event;
  timestamp at{};
  uuid parent;

  bool operator==(const late_parent&) const = default;
};

struct thread_growth {
  uuid thread;
  uint64_t events = 0;
  timestamp first{};
  timestamp last{};
  /// Not there before this batch.
  bool fresh = false;
};

struct key_change {
  std::string key;
  uuid thread;
  /// Nil: leave what is there.
  uuid owner;
  /// To be added.
  uint64_t links = 0;
  uint64_t mentions = 0;
  timestamp last_seen{};
};

/// What one batch changes, to be applied in this order.
struct thread_changes {
  /// Rewrites the keys, the events and the merges of `from` to `into`, adds
  /// its size to that of `into` and keeps `from → into` for look-ups. Several
  /// may have the same `into`; no `into` is a `from`.
  std::vector<thread_merge> merges;
  std::vector<thread_growth> growth;
  /// Upserts.
  std::vector<key_change> keys;
  /// New events, and adopted ones whose row is to be updated.
  std::vector<membership> members;
  /// Insert unless there.
  std::vector<fact_row> facts;
  std::vector<pending_row> pending;
  /// By fact, event and key.
  std::vector<pending_row> resolved;
  /// Upserts by event and key.
  std::vector<link_row> links;
  /// Only where there is no parent yet.
  std::vector<late_parent> parents;
};

/// The key → thread store that `join` works on: one batch's reads and writes,
/// all within one transaction that no other batch runs beside (the log head's
/// row sees to that). Rows that are not there are left out of an answer;
/// answers come in any order. Used by one thread at a time.
class thread_index {
 public:
  virtual ~thread_index() = default;

  virtual expected<std::vector<key_row>>
  find_keys(std::span<const std::string> keys) = 0;

  /// At most two full `git:sha:` keys that begin with each of `prefixes`
  /// (`git:sha:1a2b3c4`).
  virtual expected<std::vector<std::string>>
  find_commits(std::span<const std::string> prefixes) = 0;

  virtual expected<std::vector<fact_row>>
  find_facts(std::span<const std::string> facts) = 0;

  virtual expected<std::vector<pending_row>>
  find_pending(std::span<const std::string> facts) = 0;

  /// By thread id, through merges, or by the id of a stored event that has a
  /// thread.
  virtual expected<std::vector<thread_row>>
  find_threads(std::span<const uuid> ids) = 0;

  /// Those of `ids` that are stored events, with or without a thread. Asked
  /// for few: those that others name as their cause and that may have none.
  virtual expected<std::vector<stored_row>>
  find_events(std::span<const uuid> ids) = 0;

  virtual expected<void> apply(const thread_changes& changes) = 0;
};

} // namespace eventweft::correlation
