// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/maintenance.hpp"

#include "messages/time.hpp"
#include "persistence/batch.hpp"
#include "persistence/sqlite/details.hpp"

#include <algorithm>
#include <optional>

namespace eventweft::sqlite {
namespace {

/// Pages given back at once: a few milliseconds of work; and so often in one
/// run.
constexpr int vacuum_pages = 2'000;
constexpr int vacuum_steps = 100;
/// Free pages that stay, for what comes next.
constexpr int64_t spare_pages = 1'000;

int64_t number(database& db, std::string_view sql) {
  auto& q = db.prepared(sql);
  q.executeStep();
  auto value = q.getColumn(0).getInt64();
  q.reset();
  return value;
}

/// All events past their time, with the reason why one must stay. ?1 is since
/// when a processor must have been heard of to be waited for.
constexpr std::string_view overdue =
    "SELECT e.seq, e.id, e.platform, e.created_at, length(e.payload) AS bytes, "
    "CASE WHEN e.seq > (SELECT last_seq FROM event_metrics_cursor) "
    "THEN 'the figures have not counted it' "
    "WHEN e.seq > (SELECT min(cursor_seq) FROM stream_subscriptions "
    "WHERE active) THEN 'a subscription has not read it' "
    "WHEN e.seq > (SELECT min(cursor_seq) FROM processor_marks "
    "WHERE updated_at > ?1) THEN 'a processor has not read it' "
    // A replay under way needs the log from where it is.
    "WHEN e.seq > (SELECT min(json_extract(nullif(replay, ''), '$.after')) "
    "FROM stream_subscriptions WHERE active) "
    "THEN 'a replay has not read it' "
    "WHEN EXISTS (SELECT 1 FROM dead_letters d WHERE d.event_id = e.id) "
    "THEN 'a dead letter needs it' "
    "WHEN EXISTS (SELECT 1 FROM event_processing_status s "
    "WHERE s.event_id = e.id "
    "AND s.status IN ('pending', 'processing', 'retrying') "
    // Who has no marks is none of ours, but a job that notes what it does.
    "AND coalesce((SELECT max(m.updated_at) FROM processor_marks m "
    "WHERE m.processor_name = s.processor_name) > ?1, 1)) "
    "THEN 'a processor is not done with it' END AS reason "
    "FROM events e "
    "WHERE e.created_at < (SELECT max(until) FROM keep_until) "
    "AND e.created_at < coalesce("
    "(SELECT until FROM keep_until k WHERE k.platform = e.platform), "
    "(SELECT until FROM keep_until k WHERE k.platform = ''))";

/// Nobody waits for a processor that was not heard of for a week.
std::string unheard_of() {
  return to_rfc3339(system_clock{}.now() - std::chrono::days{7});
}

/// Of platform, time, number and bytes, in this order.
retention_item read_item(SQLite::Statement& q) {
  retention_item item;
  item.what = q.getColumn(0).getString();
  item.until = parse_rfc3339(q.getColumn(1).getString()).value_or(timestamp{});
  item.events = q.getColumn(2).getInt64();
  item.bytes = q.getColumn(3).getInt64();
  return item;
}

/// The events that may go, as a table `doomed (seq, id, platform, created_at,
/// bytes)` of this connection's own.
void find_expired(database& db, const retention_policy& policy, timestamp now,
                  std::optional<size_t> limit) {
  db.raw().exec("CREATE TEMP TABLE IF NOT EXISTS keep_until "
                "(platform TEXT PRIMARY KEY, until TEXT NOT NULL)");
  db.raw().exec("CREATE TEMP TABLE IF NOT EXISTS doomed (seq INTEGER PRIMARY "
                "KEY, id TEXT, platform TEXT, created_at TEXT, bytes INTEGER)");
  db.raw().exec("DELETE FROM keep_until; DELETE FROM doomed");
  auto add = [&](const std::string& platform,
                 std::optional<std::chrono::seconds> keep) {
    auto& q = db.prepared("INSERT INTO keep_until VALUES (?, ?)");
    q.bind(1, platform);
    // Nothing is older than the empty text: for ever.
    q.bind(2, keep ? to_rfc3339(now - *keep) : std::string{});
    q.exec();
  };
  // No platform has an empty name: that row is for all the others.
  if (policy.others)
    add("", policy.others->keep);
  else if (policy.keep)
    add("", *policy.keep);
  for (const auto& [platform, keep] : policy.platforms)
    add(platform, keep);
  if (policy.others)
    for (const auto& platform : policy.others->but)
      if (!policy.platforms.contains(platform))
        add(platform, policy.keep);
  static const std::string sql =
      "INSERT INTO doomed SELECT seq, id, platform, created_at, bytes FROM (" +
      std::string{overdue} + ") WHERE reason IS NULL ORDER BY seq LIMIT ?2";
  auto& find = db.prepared(sql);
  find.bind(1, unheard_of());
  find.bind(2, limit ? static_cast<int64_t>(*limit) : -1);
  find.exec();
}

/// Takes off the list what is needed since it was made.
void spare_held(database& db) {
  static const std::string sql =
      "DELETE FROM doomed WHERE seq NOT IN (SELECT seq FROM (" +
      std::string{overdue} +
      " AND e.seq IN (SELECT seq FROM doomed)) WHERE reason IS NULL)";
  auto& q = db.prepared(sql);
  q.bind(1, unheard_of());
  q.exec();
}

/// Adds what must stay, of what is past its time.
void add_held(database& db, std::vector<retention_item>& items) {
  static const std::string sql =
      "SELECT platform, max(created_at), count(*), sum(bytes), reason FROM (" +
      std::string{overdue} +
      ") WHERE reason IS NOT NULL GROUP BY platform, reason "
      "ORDER BY platform, reason";
  auto& q = db.prepared(sql);
  q.bind(1, unheard_of());
  while (q.executeStep()) {
    auto item = read_item(q);
    item.action = retention_item::kind::keep_events;
    item.reason = q.getColumn(4).getString();
    items.push_back(std::move(item));
  }
}

std::vector<retention_item> summary(database& db) {
  std::vector<retention_item> items;
  auto& q = db.prepared("SELECT platform, max(created_at), count(*), "
                        "sum(bytes) FROM doomed GROUP BY platform");
  while (q.executeStep())
    items.push_back(read_item(q));
  return items;
}

// What writers know of the threads holds no longer (`thread_cache`).
constexpr std::string_view threads_changed =
    "UPDATE log_head SET thread_version = thread_version + 1;";

/// Keys, threads and other traces of events that are gone.
void forget_threads(database& db) {
  db.raw().exec(
      std::string{threads_changed} +
      "DELETE FROM correlation_threads WHERE last_seq < coalesce("
      "(SELECT min(seq) FROM events), 9223372036854775807);"
      "DELETE FROM correlation_keys WHERE last_seen < coalesce("
      "(SELECT min(created_at) FROM events), '9999') "
      "OR thread_id NOT IN (SELECT id FROM correlation_threads);"
      "DELETE FROM correlation_merges WHERE thread_id NOT IN "
      "(SELECT id FROM correlation_threads);"
      "DELETE FROM correlation_pending WHERE event_created_at < coalesce("
      "(SELECT min(created_at) FROM events), '9999');"
      // Of commits that nothing names any more.
      "DELETE FROM correlation_facts WHERE fact >= 'git:pr:' "
      "AND fact < 'git:pr;' AND NOT EXISTS (SELECT 1 FROM correlation_keys k "
      "WHERE k.key = 'git:sha:' || substr(fact, 8))");
}

/// What `correlation_threads` says of those that lost events, which `shrunk`
/// has, is said anew.
void count_threads(database& db) {
  db.raw().exec(
      std::string{threads_changed} +
      "DELETE FROM correlation_threads WHERE id IN (SELECT id FROM shrunk) "
      "AND NOT EXISTS (SELECT 1 FROM events e "
      "WHERE e.correlation_id = correlation_threads.id);"
      "UPDATE correlation_threads SET "
      "(event_count, last_seq, first_event_at, last_event_at) = "
      "(SELECT count(*), max(e.seq), min(e.created_at), max(e.created_at) "
      "FROM events e WHERE e.correlation_id = correlation_threads.id), "
      "platforms = (SELECT json_group_array(platform) FROM "
      "(SELECT DISTINCT e.platform FROM events e "
      "WHERE e.correlation_id = correlation_threads.id "
      "AND e.platform <> 'eventweft' ORDER BY e.platform)) "
      "WHERE id IN (SELECT id FROM shrunk)");
}

void delete_doomed(database& db) {
  db.raw().exec(
      "CREATE TEMP TABLE IF NOT EXISTS shrunk (id TEXT PRIMARY KEY);"
      "DELETE FROM shrunk;"
      "INSERT OR IGNORE INTO shrunk SELECT e.correlation_id FROM doomed d "
      "JOIN events e ON e.seq = d.seq WHERE e.correlation_id IS NOT NULL");
  db.raw().exec(
      "DELETE FROM github_events WHERE event_seq IN (SELECT seq FROM doomed);"
      "DELETE FROM linear_events WHERE event_seq IN (SELECT seq FROM doomed);"
      "DELETE FROM slack_events WHERE event_seq IN (SELECT seq FROM doomed);"
      "DELETE FROM deployment_events WHERE event_seq IN (SELECT seq FROM "
      "doomed);"
      "DELETE FROM event_deliveries WHERE event_seq IN (SELECT seq FROM "
      "doomed);"
      "DELETE FROM event_processing_status WHERE event_id IN "
      "(SELECT id FROM doomed);"
      "DELETE FROM event_correlations WHERE source_event_id IN "
      "(SELECT id FROM doomed);"
      "DELETE FROM events WHERE seq IN (SELECT seq FROM doomed)");
  count_threads(db);
  forget_threads(db);
}

/// To the file system, in steps between which others write.
void give_space_back(database& db) {
  for (int step = 0; step < vacuum_steps; ++step) {
    const auto free = number(db, "PRAGMA freelist_count") - spare_pages;
    if (free <= 0)
      return;
    write_transaction tx{db};
    SQLite::Statement vacuum{
        db.raw(), "PRAGMA incremental_vacuum(" +
                      std::to_string(std::min<int64_t>(free, vacuum_pages)) +
                      ")"};
    while (vacuum.executeStep()) {
    }
    vacuum.reset();
    tx.commit();
  }
}

} // namespace

expected<int> maintenance::prepare_partitions(timestamp) {
  return 0;
}

expected<int64_t> maintenance::roll_up_metrics() {
  return database_.call([](database& db) -> expected<int64_t> {
    write_transaction tx{db};
    auto from = number(db, "SELECT last_seq FROM event_metrics_cursor");
    auto head = number(db, "SELECT last_seq FROM log_head");
    auto to = std::min(head, from + metrics_at_once);
    if (to <= from)
      return 0;
    auto& count = db.prepared(
        "INSERT INTO event_metrics (day, platform, event_type, source_name, "
        "event_count) SELECT substr(created_at, 1, 10), platform, event_type, "
        "source_name, count(*) FROM events WHERE seq > ? AND seq <= ? "
        "GROUP BY 1, 2, 3, 4 "
        "ON CONFLICT (day, platform, event_type, source_name) DO UPDATE "
        "SET event_count = event_count + excluded.event_count");
    count.bind(1, from);
    count.bind(2, to);
    count.exec();
    auto& note = db.prepared("UPDATE event_metrics_cursor SET last_seq = ?");
    note.bind(1, to);
    note.exec();
    tx.commit();
    return to - from;
  });
}

expected<std::vector<retention_item>>
maintenance::apply_retention(const retention_policy& policy, timestamp now,
                             bool dry_run, size_t limit) {
  using result_t = expected<std::vector<retention_item>>;
  return database_.call([&](database& db) -> result_t {
    std::vector<retention_item> items;
    // Beside the writers: of a long log of which much must stay, this takes
    // long.
    find_expired(db, policy, now,
                 dry_run ? std::nullopt : std::optional{limit});
    const bool all = dry_run || number(db, "SELECT count(*) FROM doomed") <
                                    static_cast<int64_t>(limit);
    items = summary(db);
    if (!dry_run && !items.empty()) {
      write_transaction tx{db};
      spare_held(db);
      items = summary(db);
      delete_doomed(db);
      tx.commit();
    }
    // After the last of them: what is left must stay.
    if (all)
      add_held(db, items);
    if (!dry_run && policy.keep) {
      write_transaction tx{db};
      auto& old =
          db.prepared("DELETE FROM event_performance WHERE recorded_at < ?");
      old.bind(1, to_rfc3339(now - *policy.keep));
      old.exec();
      tx.commit();
    }
    if (!dry_run)
      give_space_back(db);
    return items;
  });
}

expected<std::vector<metrics_row>>
maintenance::metrics(const metrics_query& q) {
  using result_t = expected<std::vector<metrics_row>>;
  return database_.call([&](database& db) -> result_t {
    auto& rows = db.prepared(
        "SELECT day, platform, event_type, source_name, event_count, "
        "error_count, processed_count, avg_processing_time, "
        "max_processing_time FROM event_metrics "
        "WHERE (?1 = '' OR day >= ?1) AND (?2 = '' OR day <= ?2) "
        "AND (?3 = '' OR platform = ?3) "
        "ORDER BY day DESC, event_count DESC, platform, event_type, "
        "source_name "
        "LIMIT ?4");
    rows.bind(1, q.from);
    rows.bind(2, q.to);
    rows.bind(3, q.platform);
    rows.bind(4, static_cast<int64_t>(q.limit));
    std::vector<metrics_row> all;
    while (rows.executeStep()) {
      metrics_row m;
      m.day = rows.getColumn(0).getString();
      m.platform = rows.getColumn(1).getString();
      m.event_type = rows.getColumn(2).getString();
      m.source_name = rows.getColumn(3).getString();
      m.events = rows.getColumn(4).getInt64();
      m.errors = rows.getColumn(5).getInt64();
      m.processed = rows.getColumn(6).getInt64();
      if (auto average = rows.getColumn(7); !average.isNull())
        m.average_processing_time = average.getDouble();
      m.maximum_processing_time = rows.getColumn(8).getDouble();
      all.push_back(std::move(m));
    }
    rows.reset();
    return all;
  });
}

expected<void>
maintenance::record_performance(std::span<const performance_sample> samples) {
  return database_.call([&](database& db) -> expected<void> {
    write_transaction tx{db};
    for (const auto& s : samples) {
      auto& q = db.prepared(
          "INSERT INTO event_performance (recorded_at, stage, platform, "
          "event_type, event_id, duration, queue_depth) "
          "VALUES (?, ?, ?, ?, ?, ?, ?)");
      q.bind(1, to_rfc3339(s.recorded_at));
      q.bind(2, storable_text(s.stage));
      q.bind(3, storable_text(s.platform));
      q.bind(4, storable_text(s.event_type));
      if (s.event_id)
        q.bind(5, to_string(*s.event_id));
      q.bind(6, std::chrono::duration<double>(s.duration).count());
      if (s.queue_depth)
        q.bind(7, *s.queue_depth);
      q.exec();
    }
    tx.commit();
    return {};
  });
}

} // namespace eventweft::sqlite
