// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/session.hpp"

#include "codec/dead_letter_json.hpp"
#include "correlation/keys.hpp"
#include "persistence/batch.hpp"
#include "persistence/sqlite/query.hpp"
#include "persistence/sqlite/rows.hpp"

#include <algorithm>

// What a session reads, and its dead letters; appending is in
// session_append.cpp.
namespace eventweft::sqlite {

session::session(const database_file& file)
    : file_(file), database_(file), limits_(file.options.threads) {}

thread_cache::mark session::read_mark(database& db) {
  auto& q = db.prepared("SELECT last_seq, thread_version FROM log_head");
  q.executeStep();
  const thread_cache::mark at{q.getColumn(0).getInt64(),
                              q.getColumn(1).getInt64(), 0};
  q.reset();
  return at;
}

expected<log_head> session::head() {
  return database_.call([&](database& db) -> expected<log_head> {
    const auto head = read_mark(db).head;
    return log_head{std::min(head, file_.sync->shown())};
  });
}

expected<log_range> session::read_after(seq_t after, size_t max_events,
                                        size_t max_bytes) {
  static const std::string sql =
      "SELECT " + std::string{event_columns} +
      " FROM events WHERE seq > ? AND seq <= ? ORDER BY seq";
  return database_.call([&](database& db) -> expected<log_range> {
    const read_transaction view{db};
    log_range range{after + 1, after, {}};
    auto& q = db.prepared(sql);
    q.bind(1, static_cast<int64_t>(after));
    q.bind(2, static_cast<int64_t>(file_.sync->shown()));
    size_t bytes = 0;
    while (range.events.size() < max_events && q.executeStep()) {
      auto next = read_event(q);
      bytes += next->payload.size();
      if (bytes > max_bytes && !range.events.empty())
        break;
      range.last = next->seq;
      range.events.push_back(std::move(next));
    }
    q.reset();
    return range;
  });
}

expected<std::optional<event_ptr>> session::find(const uuid& id) {
  using result_t = expected<std::optional<event_ptr>>;
  return database_.call(
      [&](database& db) -> result_t { return find_event(db, id); });
}

expected<event_page> session::query(const event_query& q) {
  return database_.call([&](database& db) -> expected<event_page> {
    const read_transaction view{db};
    auto question = page_statement(q, file_.sync->shown());
    SQLite::Statement rows{db.raw(), question.sql};
    for (size_t i = 0; i < question.parameters.size(); ++i)
      rows.bind(static_cast<int>(i) + 1, question.parameters[i]);
    event_page page;
    uint64_t bytes = 0;
    while (rows.executeStep()) {
      const bool full = page.events.size() == q.limit ||
                        (!page.events.empty() && bytes >= q.max_bytes);
      if (full) {
        if (q.limit != 0)
          page.next_cursor = page.events.back()->seq;
        break;
      }
      page.events.push_back(read_event(rows));
      bytes += page.events.back()->payload.size();
    }
    return page;
  });
}

expected<std::vector<uuid>>
session::present_threads(std::span<const uuid> ids) {
  using result_t = expected<std::vector<uuid>>;
  return database_.call([&](database& db) -> result_t {
    std::vector<uuid> out;
    out.reserve(ids.size());
    for (const auto& id : ids) {
      auto& q = db.prepared(
          "SELECT coalesce((SELECT thread_id FROM correlation_merges "
          "WHERE old_id = ?1), (SELECT thread_id FROM correlation_keys "
          "WHERE key = ?2), ?1)");
      binder{q} << id << correlation::correlation_id_key(id);
      q.executeStep();
      out.push_back(read_uuid(q.getColumn(0)));
      q.reset();
    }
    return out;
  });
}

expected<places_page> session::places(const places_request& r) {
  return database_.call([&](database& db) -> expected<places_page> {
    const read_transaction view{db};
    places_page page{read_mark(db).thread_version, {}, r.last};
    if (r.after >= r.last)
      return page;
    auto& q = db.prepared(
        "SELECT seq, correlation_id, parent_event_id FROM events "
        "WHERE seq > ? AND seq <= ? "
        "AND (correlation_id IS NOT NULL OR parent_event_id IS NOT NULL) "
        "ORDER BY seq LIMIT ?");
    binder{q} << static_cast<int64_t>(r.after) << static_cast<int64_t>(r.last)
              << static_cast<int64_t>(r.max_events);
    while (q.executeStep())
      page.events.push_back({q.getColumn(0).getInt64(),
                             uuid::parse(q.getColumn(1).getText("")),
                             uuid::parse(q.getColumn(2).getText(""))});
    q.reset();
    if (page.events.size() == r.max_events)
      page.last = page.events.back().seq;
    return page;
  });
}

expected<seq_t> session::seq_before(timestamp t) {
  return database_.call([&](database& db) -> expected<seq_t> {
    auto& q = db.prepared("SELECT coalesce((SELECT min(seq) - 1 FROM events "
                          "WHERE created_at >= ?),"
                          " (SELECT last_seq FROM log_head))");
    q.bind(1, to_rfc3339(t));
    q.executeStep();
    auto seq = q.getColumn(0).getInt64();
    q.reset();
    return std::min(seq, file_.sync->shown());
  });
}

expected<void> session::add_dead_letter(const dead_letter& letter) {
  static const std::string sql =
      "INSERT INTO dead_letters (" + std::string{dead_letter_columns} +
      ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING";
  return database_.call([&](database& db) -> expected<void> {
    auto& q = db.prepared(sql);
    q.bind(1, to_string(letter.id));
    q.bind(2, to_rfc3339(letter.created_at));
    q.bind(3, storable_text(letter.origin));
    q.bind(4, storable_text(letter.reason));
    q.bind(5, letter.attempts);
    q.bind(6, storable_text(codec::attempts_json(letter.history)));
    if (letter.event_id)
      q.bind(7, to_string(*letter.event_id));
    q.bind(8, static_cast<int64_t>(letter.event_seq));
    q.bind(9, storable_text(letter.platform));
    q.bind(10, storable_text(letter.event_type));
    q.bind(11, letter.body.data(), static_cast<int>(letter.body.size()));
    q.exec();
    return {};
  });
}

expected<std::vector<dead_letter>>
session::dead_letters(const dead_letter_query& q) {
  using result_t = expected<std::vector<dead_letter>>;
  return database_.call([&](database& db) -> result_t {
    auto question = dead_letters_statement(q);
    SQLite::Statement rows{db.raw(), question.sql};
    for (size_t i = 0; i < question.parameters.size(); ++i)
      rows.bind(static_cast<int>(i) + 1, question.parameters[i]);
    std::vector<dead_letter> letters;
    while (rows.executeStep())
      letters.push_back(read_dead_letter(rows, q.bodies));
    return letters;
  });
}

expected<bool> session::drop_dead_letter(const uuid& id) {
  return database_.call([&](database& db) -> expected<bool> {
    auto& q = db.prepared("DELETE FROM dead_letters WHERE id = ?");
    q.bind(1, to_string(id));
    return q.exec() != 0;
  });
}

} // namespace eventweft::sqlite
