// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/thread_index.hpp"
#include "messages/event.hpp"
#include "persistence/postgres/array_columns.hpp"
#include "persistence/thread_batch.hpp"

#include <map>
#include <optional>
#include <span>

namespace eventweft::postgres {

/// An event on its way into the log.
struct event_row {
  const event* it;
  std::optional<uuid> thread;
  std::optional<uuid> parent;
};

/// The columns of `append_events`, in its order.
void add_event_columns(array_columns& out, std::span<const event_row> rows);

/// The columns of `change_threads`, in its order.
void add_thread_columns(
    array_columns& out, const correlation::thread_changes& changes,
    const std::map<uuid, thread_batch::growth_detail>& details,
    const std::map<uuid, timestamp>& created_at);

} // namespace eventweft::postgres
