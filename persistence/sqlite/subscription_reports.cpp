// SPDX-License-Identifier: Apache-2.0
#include "persistence/subscription_reports.hpp"

#include "persistence/sqlite/rows.hpp"
#include "persistence/sqlite/subscriptions.hpp"

// What was delivered: `subscription_tables`' other half.
namespace eventweft::sqlite {
namespace {

constexpr std::string_view move_sql =
    "UPDATE stream_subscriptions SET cursor_seq = ?2, progress = ?3, replay = "
    "?4, matched = ?5, delivered = ?6, failed = ?7, given_up = ?8, last_seq = "
    "?9, last_delivery_at = ?10, active = active AND ?11 = '', "
    "disabled_reason = CASE ?11 WHEN '' THEN disabled_reason ELSE ?11 END "
    "WHERE id = ?1";

constexpr std::string_view note_sql =
    "INSERT INTO event_deliveries (id, subscription_id, event_id, "
    "event_created_at, event_seq, attempt, status, response_status, "
    "response_body, error_message, duration, created_at, next_attempt_at) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) "
    "ON CONFLICT DO NOTHING";

constexpr std::string_view deliveries_sql =
    "SELECT id, subscription_id, event_id, event_created_at, event_seq, "
    "attempt, status, coalesce(response_status, 0), "
    "coalesce(response_body, ''), coalesce(error_message, ''), "
    "coalesce(duration, 0), created_at, coalesce(next_attempt_at, '') "
    "FROM event_deliveries WHERE subscription_id = ?1 AND (?2 = '' OR id < ?2) "
    "ORDER BY id DESC LIMIT ?3";

delivery_attempt read_attempt(SQLite::Statement& row) {
  using state = delivery_attempt::state;
  delivery_attempt a;
  a.id = read_uuid(row.getColumn(0).getString());
  a.subscription_id = read_uuid(row.getColumn(1).getString());
  a.event_id = read_uuid(row.getColumn(2).getString());
  a.event_created_at = read_time(row.getColumn(3).getString());
  a.event_seq = row.getColumn(4).getInt64();
  a.attempt = static_cast<uint32_t>(row.getColumn(5).getInt64());
  for (auto s : {state::pending, state::delivered, state::failed})
    if (row.getColumn(6).getString() == to_string(s))
      a.status = s;
  a.response_status = static_cast<int32_t>(row.getColumn(7).getInt64());
  a.response_body = row.getColumn(8).getString();
  a.error_message = row.getColumn(9).getString();
  a.duration = row.getColumn(10).getDouble();
  a.created_at = read_time(row.getColumn(11).getString());
  if (auto next = row.getColumn(12).getString(); !next.empty())
    a.next_attempt_at = read_time(next);
  return a;
}

} // namespace

// One process alone uses the file: there is nobody to lose the work to.
expected<std::vector<std::optional<error>>>
subscription_tables::save(std::span<const delivery_report> reports) {
  using result_t = expected<std::vector<std::optional<error>>>;
  const auto once = [this](std::span<const delivery_report> part) -> result_t {
    return database_.call([&](database& db) -> result_t {
      write_transaction tx{db};
      for (const auto& r : part) {
        const auto& p = r.progress;
        auto& move = db.prepared(move_sql);
        binder bind{move};
        bind << r.subscription_id;
        bind << p.done_until;
        bind << p.mark;
        bind << p.replay;
        bind << p.matched;
        bind << p.delivered;
        bind << p.failed;
        bind << p.given_up;
        bind << p.last_seq;
        bind << p.last_delivery_at;
        bind << r.disabled_reason;
        if (move.exec() == 0)
          continue; // deleted meanwhile
        for (const auto& a : r.attempts) {
          auto& note = db.prepared(note_sql);
          binder bind_note{note};
          bind_note << a.id;
          bind_note << a.subscription_id;
          bind_note << a.event_id;
          bind_note << a.event_created_at;
          bind_note << a.event_seq;
          bind_note << int64_t{a.attempt};
          bind_note << to_string(a.status);
          bind_note << int64_t{a.response_status};
          bind_note << a.response_body;
          bind_note << a.error_message;
          bind_note << a.duration;
          bind_note << a.created_at;
          bind_note << a.next_attempt_at;
          note.exec();
        }
      }
      tx.commit();
      return std::vector<std::optional<error>>(part.size());
    });
  };
  return save_isolating(reports, once);
}

expected<std::vector<delivery_attempt>>
subscription_tables::deliveries(const uuid& subscription_id, const uuid& before,
                                size_t limit) {
  using result_t = expected<std::vector<delivery_attempt>>;
  return database_.call([&](database& db) -> result_t {
    auto& q = db.prepared(deliveries_sql);
    q.bind(1, to_string(subscription_id));
    // Ids are made in the order of time.
    q.bind(2, before.is_nil() ? std::string{} : to_string(before));
    q.bind(3, static_cast<int64_t>(limit));
    std::vector<delivery_attempt> out;
    while (q.executeStep())
      out.push_back(read_attempt(q));
    q.reset();
    return out;
  });
}

} // namespace eventweft::sqlite
