// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/dead_letter.hpp"
#include "messages/event.hpp"
#include "persistence/sqlite/database.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>
#include <string_view>

namespace eventweft::sqlite {

/// The column's bytes, until the statement goes on.
std::string_view view(const SQLite::Column& column);

/// Throw `std::runtime_error` for what none of ours can be.
timestamp read_time(std::string_view text);
uuid read_uuid(std::string_view text);
inline timestamp read_time(const SQLite::Column& column) {
  return read_time(view(column));
}
inline uuid read_uuid(const SQLite::Column& column) {
  return read_uuid(view(column));
}

/// Binds one value after the other.
class binder {
 public:
  explicit binder(SQLite::Statement& q) : q_(q) {}
  binder& operator<<(const std::string& text) {
    q_.bind(++at_, text);
    return *this;
  }
  binder& operator<<(std::string_view text) {
    q_.bind(++at_, std::string{text});
    return *this;
  }
  binder& operator<<(const uuid& id) { return *this << to_string(id); }
  binder& operator<<(timestamp t) { return *this << to_rfc3339(t); }
  binder& operator<<(int64_t n) {
    q_.bind(++at_, n);
    return *this;
  }
  binder& operator<<(double x) {
    q_.bind(++at_, x);
    return *this;
  }
  /// NULL for none.
  binder& operator<<(const std::optional<timestamp>& t) {
    return t ? *this << *t : null();
  }
  binder& null() {
    q_.bind(++at_);
    return *this;
  }

 private:
  SQLite::Statement& q_;
  int at_ = 0;
};

/// What `read_event` expects and `bind_event` fills, in this order.
inline constexpr std::string_view event_columns =
    "seq, id, created_at, processed_at, processing_duration, correlation_id, "
    "parent_event_id, priority, platform, event_id, event_type, source_id, "
    "source_name, actor_id, actor_name, metadata, payload, payload_raw";

/// Throws `std::runtime_error` for a value that none of ours can be.
event_ptr read_event(SQLite::Statement& row);

/// The event of that id, as the caller's transaction sees it.
std::optional<event_ptr> find_event(database& db, const uuid& id);

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

/// In place of the last of these: its size.
inline constexpr std::string_view dead_letter_summary_columns =
    "id, created_at, origin, reason, attempts, history, event_id, event_seq, "
    "platform, event_type, length(body)";

dead_letter read_dead_letter(SQLite::Statement& row, bool with_body);

/// The 64 bits that stand for `(platform, event_id)` in the index. Stored:
/// must never change.
int64_t event_key(std::string_view platform, std::string_view event_id);

/// What PostgreSQL would not take either: text that is not UTF-8 or holds a
/// NUL. The member's name, empty if all is well.
std::string_view unstorable_member(const event& e);

} // namespace eventweft::sqlite
