// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/session.hpp"

#include "codec/dead_letter_json.hpp"
#include "persistence/batch.hpp"
#include "persistence/sqlite/details.hpp"
#include "persistence/sqlite/query.hpp"
#include "persistence/sqlite/rows.hpp"

namespace eventweft::sqlite {
namespace {

// Texts are bound as blobs, which SQLiteCpp takes without a copy.
constexpr std::string_view insert_sql =
    "INSERT INTO events (seq, id, created_at, processed_at, "
    "processing_duration, correlation_id, parent_event_id, priority, platform, "
    "event_id, event_type, source_id, source_name, actor_id, actor_name, "
    "metadata, payload, payload_raw, event_key) VALUES (?, ?, ?, ?, ?, ?, ?, "
    "CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), "
    "CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), "
    "CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), ?)";

// Part by part of the index, the newest first.
constexpr std::string_view lookup_sql =
    "WITH RECURSIVE part (n) AS (SELECT ?4 >> 14 UNION ALL "
    "SELECT n - 1 FROM part WHERE n > (SELECT min(seq) >> 14 FROM events)) "
    "SELECT e.seq, e.id FROM part CROSS JOIN events e INDEXED BY events_key "
    "ON e.seq >> 14 = part.n AND e.event_key = ?1 "
    "WHERE e.platform = CAST(?2 AS TEXT) AND e.event_id = CAST(?3 AS TEXT) "
    "LIMIT 1";

// Reads nothing but the index.
constexpr std::string_view keys_sql =
    "SELECT event_key FROM events INDEXED BY events_key WHERE seq >> 14 >= ?";

constexpr std::string_view head_sql = "SELECT last_seq FROM log_head";

seq_t read_head(database& db) {
  auto& q = db.prepared(head_sql);
  q.executeStep();
  auto seq = q.getColumn(0).getInt64();
  q.reset();
  return seq;
}

std::optional<append_outcome> find_stored(database& db, const event& e,
                                          int64_t key, seq_t head) {
  auto& q = db.prepared(lookup_sql);
  q.bind(1, key);
  bind_text(q, 2, e.platform);
  bind_text(q, 3, e.event_id);
  q.bind(4, static_cast<int64_t>(head));
  std::optional<append_outcome> found;
  if (q.executeStep()) {
    found.emplace();
    found->seq = q.getColumn(0).getInt64();
    found->id = uuid::parse(q.getColumn(1).getText()).value_or(uuid{});
    // The event itself, appended before by a call whose end got lost, is no
    // duplicate.
    found->duplicate = found->id != e.id;
  }
  q.reset();
  return found;
}

void insert_details(database& db, const event& e, seq_t seq) {
  if (e.details.empty())
    return;
  for (const auto& table : detail_tables) {
    const auto& json = e.details.*table.member;
    if (json.empty())
      continue;
    auto& insert = db.prepared(table.insert);
    insert.bind(1, static_cast<int64_t>(seq));
    insert.bind(2, to_string(e.id));
    insert.bind(3, to_rfc3339(e.created_at));
    bind_text(insert, 4, json);
    insert.exec();
  }
}

append_result append_one(database& db, const event& e, seq_t& head,
                         key_filter& known) {
  append_result result;
  result.outcome.id = e.id;
  auto key = event_key(e.platform, e.event_id);
  if (known.may_contain(key))
    if (auto stored = find_stored(db, e, key, head)) {
      result.outcome = *stored;
      return result;
    }
  if (auto member = unstorable_member(e); !member.empty()) {
    result.refused = error{ec::row_refused,
                           std::string{member} + " is not UTF-8 or holds NUL"};
    return result;
  }
  // A single statement is undone by itself.
  bool many = !e.details.empty();
  if (many)
    db.prepared("SAVEPOINT one_event").exec();
  try {
    auto& insert = db.prepared(insert_sql);
    bind_event(insert, e, head + 1, key);
    insert.exec();
    insert_details(db, e, head + 1);
    result.outcome.seq = ++head;
    known.add(key);
  } catch (const SQLite::Exception&) {
    auto failed = translate_exception();
    if (failed.code != ec::row_refused)
      throw;
    if (many)
      db.prepared("ROLLBACK TO one_event").exec();
    result.refused = std::move(failed);
  }
  if (many)
    db.prepared("RELEASE one_event").exec();
  return result;
}

} // namespace

session::session(std::string path, const store_options& options)
    : database_(std::move(path), options) {}

expected<std::vector<append_result>>
session::append(std::span<const event_ptr> events) {
  using result_t = expected<std::vector<append_result>>;
  return database_.call([&](database& db) -> result_t {
    std::vector<append_result> results;
    results.reserve(events.size());
    // Most of it before anybody has to wait for us.
    learn_keys(db, read_head(db));
    write_transaction tx{db};
    auto before = read_head(db);
    learn_keys(db, before);
    auto head = before;
    for (const auto& e : events)
      results.push_back(append_one(db, *e, head, known_));
    // The payloads belong to the caller.
    db.prepared(insert_sql);
    if (head != before) {
      auto& update = db.prepared("UPDATE log_head SET last_seq = ?");
      update.bind(1, static_cast<int64_t>(head));
      update.exec();
    }
    tx.commit();
    known_seq_ = head;
    return results;
  });
}

void session::learn_keys(database& db, seq_t head) {
  // A log that got shorter is another file.
  if (head < known_seq_) {
    known_ = {};
    known_seq_ = 0;
  }
  if (head == known_seq_)
    return;
  auto& q = db.prepared(keys_sql);
  q.bind(1, static_cast<int64_t>(known_seq_ >> 14));
  while (q.executeStep())
    known_.add(q.getColumn(0).getInt64());
  q.reset();
  known_seq_ = head;
}

expected<log_head> session::head() {
  return database_.call([](database& db) -> expected<log_head> {
    return log_head{read_head(db)};
  });
}

expected<log_range> session::read_after(seq_t after, size_t max_events,
                                        size_t max_bytes) {
  static const std::string sql = "SELECT " + std::string{event_columns} +
                                 " FROM events WHERE seq > ? ORDER BY seq";
  return database_.call([&](database& db) -> expected<log_range> {
    log_range range{after + 1, after, {}};
    auto& q = db.prepared(sql);
    q.bind(1, static_cast<int64_t>(after));
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
  static const std::string sql =
      "SELECT " + std::string{event_columns} + " FROM events WHERE id = ?";
  using result_t = expected<std::optional<event_ptr>>;
  return database_.call([&](database& db) -> result_t {
    auto& q = db.prepared(sql);
    q.bind(1, to_string(id));
    std::optional<event_ptr> found;
    if (q.executeStep())
      found = read_event(q);
    q.reset();
    return found;
  });
}

expected<event_page> session::query(const event_query& q) {
  return database_.call([&](database& db) -> expected<event_page> {
    auto question = page_statement(q);
    SQLite::Statement rows{db.raw(), question.sql};
    for (size_t i = 0; i < question.parameters.size(); ++i)
      rows.bind(static_cast<int>(i) + 1, question.parameters[i]);
    event_page page;
    while (rows.executeStep()) {
      if (page.events.size() == q.limit) {
        if (q.limit != 0)
          page.next_cursor = page.events.back()->seq;
        break;
      }
      page.events.push_back(read_event(rows));
    }
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
    return seq;
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
      letters.push_back(read_dead_letter(rows));
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
