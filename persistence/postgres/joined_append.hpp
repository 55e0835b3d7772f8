// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/joiner.hpp"
#include "messages/flow.hpp"
#include "persistence/cached_threads.hpp"
#include "persistence/postgres/connection.hpp"
#include "persistence/postgres/thread_lookup.hpp"
#include "persistence/thread_cache.hpp"

#include <cstdint>
#include <optional>
#include <span>

namespace eventweft::postgres {

/// Whether a transaction that appends ends when it is durable, or before
/// (`commit_async` in schemas/postgres/0028_async_commit.sql).
enum class commit_mode : uint8_t { sync, async };

/// Appends a batch and joins it to threads, on the caller's transaction: one
/// call reads what `cache` does not know, one call writes. Throws what libpqxx
/// throws.
class joined_append {
 public:
  joined_append(connection& own, pqxx::transaction_base& tx,
                const correlation::join_limits& limits, thread_cache& cache,
                commit_mode mode = commit_mode::sync)
      : own_(own),
        tx_(tx),
        limits_(limits),
        cache_(cache),
        mode_(mode),
        tables_(own, tx) {}

  /// Nothing if somebody else changed the log or its threads in between, which
  /// cannot be when the head was taken first (`lock`). The results say what the
  /// transaction's end does not make durable, whichever `commit_mode` it is.
  expected<std::optional<append_results>> run(std::span<const event_ptr> events,
                                              bool lock);

  /// The same with one call: nothing is read, what the cache does not know is
  /// taken for new, and the server proves it before it writes. Nothing if it
  /// is not so; nothing is written then. The cache has to hold something.
  expected<std::optional<append_results>>
  run_unread(std::span<const event_ptr> events);

  /// Whether `run_unread` took something for new that is there.
  bool was_wrong() const noexcept { return was_wrong_; }

  /// The same as `run` for events that are stored already; `done` says how far
  /// all of them were gone over. The head is taken first.
  expected<thread_report> rejoin(std::span<const rejoined_event> events,
                                 timestamp now);

 private:
  struct fresh_events;

  thread_cache::mark read_mark() const;
  /// Where the log ends now; nothing if somebody else was faster, or if what
  /// was assumed is not so.
  expected<std::optional<log_mark>>
  append_fresh(fresh_events& fresh, const thread_cache::mark& at,
               correlation::thread_index& index, assumed_threads* assumed,
               append_results& results);
  bool write(const thread_cache::mark& at, fresh_events& fresh,
             correlation::join_result& joined,
             const std::vector<event_ptr>& merges, assumed_threads* assumed);
  void write_parents(std::span<const correlation::late_parent> parents);

  connection& own_;
  pqxx::transaction_base& tx_;
  const correlation::join_limits& limits_;
  thread_cache& cache_;
  commit_mode mode_;
  bool was_wrong_ = false;
  thread_lookup tables_;
};

} // namespace eventweft::postgres
