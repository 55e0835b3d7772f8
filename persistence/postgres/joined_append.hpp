// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/joiner.hpp"
#include "messages/flow.hpp"
#include "persistence/postgres/connection.hpp"
#include "persistence/postgres/thread_lookup.hpp"

#include <cstdint>
#include <optional>
#include <span>

namespace eventweft::postgres {

/// Whether a transaction that appends ends when it is durable, or before
/// (`commit_async` in schemas/postgres/0028_async_commit.sql).
enum class commit_mode : uint8_t { sync, async };

/// Appends a batch and joins it to threads, on the caller's transaction: one
/// call reads, one call writes. Throws what libpqxx throws.
class joined_append {
 public:
  joined_append(connection& own, pqxx::transaction_base& tx,
                const correlation::join_limits& limits,
                commit_mode mode = commit_mode::sync)
      : own_(own), tx_(tx), limits_(limits), mode_(mode), index_(own, tx) {}

  /// Nothing if somebody else changed the log or its threads in between, which
  /// cannot be when the head was taken first (`lock`). The results say what the
  /// transaction's end does not make durable, whichever `commit_mode` it is.
  expected<std::optional<append_results>> run(std::span<const event_ptr> events,
                                              bool lock);

  /// The same for events that are stored already; `done` says how far all of
  /// them were gone over. The head is taken first.
  expected<thread_report> rejoin(std::span<const rejoined_event> events);

 private:
  bool write(std::span<const event_ptr> fresh,
             std::span<const std::optional<uuid>> threads,
             std::span<const std::optional<uuid>> parents,
             correlation::join_result& joined,
             const std::vector<event_ptr>& merges,
             std::map<uuid, timestamp> created_at);
  void write_parents(std::span<const correlation::late_parent> parents);

  connection& own_;
  pqxx::transaction_base& tx_;
  const correlation::join_limits& limits_;
  commit_mode mode_;
  thread_lookup index_;
};

} // namespace eventweft::postgres
