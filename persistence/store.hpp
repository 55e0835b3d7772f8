// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/joiner.hpp"
#include "messages/dead_letter.hpp"
#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/filter.hpp"
#include "messages/flow.hpp"
#include "persistence/correlation_rules.hpp"
#include "persistence/credentials.hpp"
#include "persistence/maintenance.hpp"
#include "persistence/nodes.hpp"
#include "persistence/processing.hpp"
#include "persistence/reports.hpp"
#include "persistence/subscriptions.hpp"
#include "persistence/threads.hpp"
#include "persistence/tickets.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace eventweft {

/// What a store session can be asked at any time.
struct log_head {
  /// The last seq given out; 0 for an empty log.
  seq_t seq = 0;
};

/// One session with the store: one connection, used by one thread at a time.
/// All calls block. Every error is a value: `store_unavailable` when the
/// engine does not answer (the session reconnects by itself on the next
/// call), `store_full` when it has no room; nothing throws.
class store_session {
 public:
  virtual ~store_session() = default;

  /// Appends in one transaction: takes the log head, looks up duplicates
  /// (also within the batch), numbers what is new without a hole and commits.
  /// Returns one result an event, in order. Events whose row the engine
  /// refuses are reported one by one; the rest is stored. An error means that
  /// nothing of the batch is known to be stored; to append it again is safe.
  /// All of it is durable, also what is there already, by whomever.
  /// `events` have seq 0; their other members are stored as they are.
  virtual expected<std::vector<append_result>>
  append(std::span<const event_ptr> events) = 0;

  /// The same together with what it did to threads: events with keys are
  /// joined to threads in that very transaction (`correlation/joiner.hpp`).
  virtual expected<append_results>
  append_and_join(std::span<const event_ptr> events) {
    return append(events).map([](std::vector<append_result>&& items) {
      return append_results{std::move(items), {}};
    });
  }

  /// The same, but the store may have it on disk only once `make_durable` was
  /// called with all of the results' `unsynced`, by any session of the store;
  /// the next append can work meanwhile. Until then `head`, `read_after` and
  /// `query` don't show the events. The results may get lost with the store.
  virtual expected<append_results>
  append_unsynced(std::span<const event_ptr> events) {
    return append_and_join(events);
  }

  /// Makes durable what was appended, at least these events, which may be none:
  /// so the end of the log that a process left behind is shown, too, which died
  /// before it had made it durable. `store_unavailable` if the store has lost
  /// one of them: to append the batches again is safe.
  virtual expected<void> make_durable(std::span<const log_mark> /*appended*/) {
    return {};
  }

  virtual expected<log_head> head() = 0;

  /// Events with seq > after, in order: at most `max_events`, and no more
  /// than fit into `max_bytes` of payload, but at least one if there is one.
  /// The range's `last` is the last seq looked at, `after` if there is none.
  virtual expected<log_range> read_after(seq_t after, size_t max_events,
                                         size_t max_bytes) = 0;

  virtual expected<std::optional<event_ptr>> find(const uuid& id) = 0;

  virtual expected<event_page> query(const event_query& q) = 0;

  /// What each of these threads is part of by now, in the same order: itself
  /// for one that was not merged into another one or is not known. Also that
  /// which a `correlation_id` leads to that a sender gave to an event of a
  /// thread which has another id.
  virtual expected<std::vector<uuid>>
  present_threads(std::span<const uuid> ids) {
    return std::vector<uuid>(ids.begin(), ids.end());
  }

  /// Which threads and causes events have by now. The version is another one
  /// after each change of threads that appended nothing to the log.
  virtual expected<places_page> places(const places_request& r) {
    return places_page{0, {}, r.last};
  }

  /// The seq before the first event with created_at ≥ t; the head's when
  /// there is none.
  virtual expected<seq_t> seq_before(timestamp t) = 0;

  virtual expected<void> add_dead_letter(const dead_letter& letter) = 0;

  /// Newest first.
  virtual expected<std::vector<dead_letter>>
  dead_letters(const dead_letter_query& q) = 0;

  /// True if there was one.
  virtual expected<bool> drop_dead_letter(const uuid& id) = 0;
};

struct migration_report {
  int from = 0;
  int to = 0;
  /// What this binary knows up to: less than `to` with a newer schema that
  /// serves it, too.
  int known = 0;
};

/// A store that can be opened any number of times. Thread-safe.
class store {
 public:
  virtual ~store() = default;

  /// "sqlite" or "postgres".
  virtual std::string_view engine() const noexcept = 0;

  /// For logs and people: the address without its password.
  virtual std::string describe() const = 0;

  /// Brings the schema to this binary's version under a lock that two nodes
  /// starting together respect. A newer one stays; `schema_mismatch` if it
  /// does not serve this binary.
  virtual expected<migration_report> migrate() = 0;

  /// Whether the schema is one that this binary can work with: what `migrate`
  /// tells where there is nothing to do.
  virtual expected<migration_report> check_schema() = 0;

  /// `forbidden`, with what is missing, unless this user may do what a server
  /// does all the time. For a schema that `check_schema` finds usable; stores
  /// without users always say yes.
  virtual expected<void> check_rights() { return {}; }

  /// Every call that is under way, and every later one, ends within a moment
  /// with `store_unavailable`, for good: for a process that must end, although
  /// the store is silent or locked. Nothing to do for stores that never wait.
  virtual void give_up() {}

  /// A session of its own. Does not connect before the first call.
  virtual std::unique_ptr<store_session> open_session() = 0;

  /// Reads threads and goes over stored events again; null for a store that
  /// has none.
  virtual std::unique_ptr<thread_store> open_threads() { return nullptr; }

  /// Upkeep and figures; null for a store that has neither.
  virtual std::unique_ptr<store_maintenance> open_maintenance() {
    return nullptr;
  }

  /// What can be told of the figures; null for a store that has none.
  virtual std::unique_ptr<store_reports> open_reports() { return nullptr; }

  /// What processors remember; null for a store that remembers nothing of
  /// them.
  virtual std::unique_ptr<processing_store> open_processing() {
    return nullptr;
  }

  /// What several nodes share; null for a store that one process has alone.
  virtual std::unique_ptr<store_nodes> open_nodes() { return nullptr; }
  virtual std::unique_ptr<store_listener> open_listener() { return nullptr; }

  /// API keys and the audit trail; null for a store without them.
  virtual std::unique_ptr<credential_store> open_credentials() {
    return nullptr;
  }

  /// Tickets that all nodes take; null for a store that one process has alone.
  virtual std::unique_ptr<ticket_store> open_tickets() { return nullptr; }

  /// Streams and subscriptions; null for a store that keeps none.
  virtual std::unique_ptr<subscription_store> open_subscriptions() {
    return nullptr;
  }

  /// Correlation rules; null for a store that keeps none.
  virtual std::unique_ptr<correlation_rule_store> open_correlation_rules() {
    return nullptr;
  }
};

using store_ptr = std::shared_ptr<store>;

/// What a store in memory, which has to let go of things, asks the process that
/// it serves, and tells it. Called on any thread; not to call the store.
struct memory_hooks {
  /// Whether there is a processor of that name.
  std::function<bool(std::string_view processor)> runs;
  /// Whether its filter lets the event through. There where `runs` is.
  std::function<bool(std::string_view processor, const event& ev)> wants;
  /// This dead letter had to make room for newer ones.
  std::function<void(const dead_letter&)> letter_gone;
};

/// What `open_store` needs to know.
struct store_options {
  /// `sqlite:PATH`, `memory:`, or `postgresql://…` / a libpq connection string.
  std::string url;
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds statement_timeout{30'000};
  std::chrono::milliseconds lock_timeout{10'000};
  /// PostgreSQL: connections that all sessions of a store share, call by call.
  uint32_t min_connections = 1;
  uint32_t max_connections = 10;
  /// PostgreSQL: the name under which appends wake other nodes; empty: there
  /// are none. [a-z0-9.-].
  std::string node;
  /// PostgreSQL: how far back deliveries are recognised, set whenever
  /// partitions are made; none: as the store has it.
  std::optional<std::chrono::seconds> dedup_window;
  /// For events with correlation keys.
  correlation::join_limits threads;
  /// Of a store in memory. May be empty.
  memory_hooks memory;
};

/// Refuses a URL it cannot read with `bad_configuration`. Connects to nothing.
expected<store_ptr> open_store(const store_options& options);

} // namespace eventweft
