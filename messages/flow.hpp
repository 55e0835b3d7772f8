// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/filter.hpp"
#include "messages/live.hpp"
#include "messages/webhook.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What actors hand to each other besides the events themselves.
namespace eventweft {

/// What the log did with one event of a batch.
struct append_result {
  append_outcome outcome;
  /// Set when the store refused this one event for what it contains
  /// (`row_refused`); the others of its batch are stored.
  std::optional<error> refused;
  /// The thread that the stored event is in, and the event that caused it.
  std::optional<uuid> correlation_id{};
  std::optional<uuid> parent_event_id{};

  bool operator==(const append_result&) const = default;
};

/// Where an append looked for the keys of its events.
struct key_lookups {
  /// In memory, from appends before.
  uint64_t known = 0;
  /// In the store.
  uint64_t read = 0;
  /// Nowhere: taken for new, which the store proved.
  uint64_t assumed = 0;
  /// Rows that are in memory now.
  uint64_t rows = 0;

  /// Of what was looked up later.
  key_lookups& operator+=(const key_lookups& later) noexcept {
    known += later.known;
    read += later.read;
    assumed += later.assumed;
    rows = later.rows;
    return *this;
  }

  bool operator==(const key_lookups&) const = default;
};

/// A key that reached one of its limits.
struct hot_key {
  std::string key;
  /// That of remarks in texts, else that of what has it by its structure, which
  /// goes on where only remarks stop.
  bool by_remarks = false;

  bool operator==(const hot_key&) const = default;
};

/// What an append did to the threads.
struct thread_report {
  /// What tells stream readers of merges: in the log as well, numbered.
  std::vector<event_ptr> merges;
  /// What the events taught, by name (`correlation_key::is_fact`).
  std::vector<std::pair<std::string, std::string>> facts;
  std::vector<hot_key> hot_keys;
  /// Keys that would have joined two threads which are too large together.
  std::vector<std::string> huge_keys;
  /// Events that got a thread; threads that were not there before.
  uint64_t linked = 0;
  uint64_t started = 0;
  key_lookups lookups{};
  /// For those who have earlier events in memory.
  thread_news news{};

  bool operator==(const thread_report&) const = default;
};

/// An event by its place in the log: what has to be durable, and with it all
/// that the store took before.
struct log_mark {
  seq_t seq = 0;
  uuid id;
  /// Where it is known: it spares the store a search.
  std::optional<timestamp> created_at{};

  bool operator==(const log_mark&) const = default;
};

/// Whichever of the two is further on in the log stays.
inline void keep_later(std::optional<log_mark>& mark, const log_mark& other) {
  if (!mark || mark->seq < other.seq)
    mark = other;
}

/// One result an event, in the order of the batch.
struct append_results {
  std::vector<append_result> items;
  thread_report threads{};
  /// Not empty if the batch is not durable yet: nobody may be told of it before
  /// the store has made all of these so. One for each transaction that it took:
  /// the last one's may be there where an earlier one's was lost.
  std::vector<log_mark> unsynced{};
  /// Whether another writer appended to the same log meanwhile, so that this
  /// one had to wait for it or to read again what it knew.
  bool contended = false;

  bool operator==(const append_results&) const = default;
};

/// Events in the order in which they are to be stored; none is null.
struct event_batch {
  std::vector<event_ptr> events;
  /// Whether the store may answer before they are durable, which it then says
  /// (`append_results::unsynced`).
  bool sync_later = false;

  bool operator==(const event_batch&) const = default;
};

/// A batch for the node that appends for others, at the link to it. Answered
/// with one result an event; `refused` other than by `row_refused` says that
/// the event was not taken there, but may be stored all the same. Local only:
/// what comes over the link are the link's own frames.
struct relay_order {
  std::vector<event_ptr> events;
};

/// A piece of the log: what comes after `after`, at most `max_events` and
/// `max_bytes` of payload, but at least one event if there is one.
struct page_request {
  seq_t after = 0;
  uint32_t max_events = 500;
  uint64_t max_bytes = 1ull << 20;

  bool operator==(const page_request&) const = default;
};

/// What may still change of a stored event.
struct event_place {
  seq_t seq = 0;
  std::optional<uuid> thread{};
  std::optional<uuid> parent{};

  bool operator==(const event_place&) const = default;
};

/// Where the events with after < seq ≤ last stand by now, the first so many of
/// those that are in a thread or have a cause. With after = last only the
/// version is asked for.
struct places_request {
  seq_t after = 0;
  seq_t last = 0;
  uint32_t max_events = 5'000;

  bool operator==(const places_request&) const = default;
};

struct places_page {
  /// Another one than before: threads were changed without an event that tells.
  /// No younger than `events`.
  int64_t version = 0;
  /// In order.
  std::vector<event_place> events{};
  /// The last seq that was looked at.
  seq_t last = 0;

  bool operator==(const places_page&) const = default;
};

/// An event in the spool by what makes it unique, and the id it got there.
struct spooled_event {
  std::string platform;
  std::string event_id;
  uuid id;

  bool operator==(const spooled_event&) const = default;
};

/// What the spool holds.
struct spool_state {
  uint64_t events = 0;
  uint64_t bytes = 0;
  /// The events, in order.
  std::vector<spooled_event> held{};

  bool operator==(const spool_state&) const = default;
};

/// A webhook on its way to its platform; null only by default.
using webhook_ptr = std::shared_ptr<const webhook>;

/// A lane in the hub's books. Unique within a process.
using lane_number = uint64_t;

/// A subscription in the bridge's books. Unique within a process.
using subscription_id = uint64_t;

/// A reader that wants to be live after `cursor`. Local only: it holds a lane.
struct join_request {
  subscription_id subscription = 0;
  reader_id reader = 0;
  uint32_t epoch = 0;
  live_lane_ptr lane;
  /// All must match.
  filter stream_filter;
  filter own_filter;
  filter forced_filter;
  /// Negative: the end of the log.
  seq_t cursor = -1;
};

/// What the hub made of a join.
struct join_answer {
  /// The lane gets its `join`, at once or as soon as the lane is that far.
  bool accepted = false;
  /// The lowest cursor that the hub could have joined; does not decrease.
  seq_t oldest = 0;
  /// For one that is not accepted because much comes after its cursor: the next
  /// piece of that from memory, to look through itself. Null otherwise.
  log_range_ptr recent{};
  /// `thread_names::news` as `recent` was taken.
  uint64_t recent_news = 0;

  bool operator==(const join_answer&) const = default;
};

} // namespace eventweft
