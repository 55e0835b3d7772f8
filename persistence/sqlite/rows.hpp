// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/dead_letter.hpp"
#include "messages/event.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>
#include <string_view>

namespace eventweft::sqlite {

/// What `read_event` expects and `bind_event` fills, in this order.
inline constexpr std::string_view event_columns =
    "seq, id, created_at, processed_at, processing_duration, correlation_id, "
    "parent_event_id, priority, platform, event_id, event_type, source_id, "
    "source_name, actor_id, actor_name, metadata, payload, payload_raw";

/// Throws `std::runtime_error` for a value that none of ours can be.
event_ptr read_event(SQLite::Statement& row);

/// Binds `event_columns` from parameter 1 on, all texts as blobs that must
/// stay where they are until the statement is done, then `event_key`.
void bind_event(SQLite::Statement& insert, const event& e,
                const std::optional<uuid>& thread,
                const std::optional<uuid>& parent, seq_t seq, int64_t key);

/// Binds without a copy; the statement casts it to text.
void bind_text(SQLite::Statement& s, int index, std::string_view text);

inline constexpr std::string_view dead_letter_columns =
    "id, created_at, origin, reason, attempts, history, event_id, event_seq, "
    "platform, event_type, body";

dead_letter read_dead_letter(SQLite::Statement& row);

/// The 64 bits that stand for `(platform, event_id)` in the index. Stored:
/// must never change.
int64_t event_key(std::string_view platform, std::string_view event_id);

/// What PostgreSQL would not take either: text that is not UTF-8 or holds a
/// NUL. The member's name, empty if all is well.
std::string_view unstorable_member(const event& e);

} // namespace eventweft::sqlite
