// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/dead_letter.hpp"
#include "messages/event.hpp"

#include <pqxx/pqxx>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::postgres {

/// What `read_event` expects, in its order.
inline constexpr std::string_view event_columns =
    "seq, id, created_at, processed_at, processing_duration, correlation_id, "
    "parent_event_id, priority, platform, event_id, event_type, source_id, "
    "source_name, actor_id, actor_name, metadata, payload, payload_raw";

/// Throws `std::runtime_error` for a value that none of ours can be.
event_ptr read_event(const pqxx::row& row);

inline constexpr std::string_view dead_letter_columns =
    "id, created_at, origin, reason, attempts, history, event_id, event_seq, "
    "platform, event_type, body";

/// The event of that id, as the caller's transaction sees it.
std::optional<event_ptr> find_event(pqxx::transaction_base& tx, const uuid& id);

/// In place of the last of these: its size.
inline constexpr std::string_view dead_letter_summary_columns =
    "id, created_at, origin, reason, attempts, history, event_id, event_seq, "
    "platform, event_type, octet_length(body)";

dead_letter read_dead_letter(const pqxx::row& row, bool with_body);

/// "2026-01-31 12:00:00.123+00", as the server writes it with DateStyle ISO
/// in UTC.
timestamp read_time(std::string_view text);

/// The same moment as a literal that the server reads.
std::string time_text(timestamp t);

uuid read_uuid(std::string_view text);

/// NULL is none.
inline std::optional<uuid> maybe_uuid(const pqxx::field& f) {
  return f.is_null() ? std::nullopt : std::optional{read_uuid(f.view())};
}

/// Of a `text[]` without nulls.
std::vector<std::string> read_texts(const pqxx::field& f);

} // namespace eventweft::postgres
