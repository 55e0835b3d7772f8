// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/processing.hpp"

#include "messages/time.hpp"
#include "persistence/batch.hpp"
#include "persistence/processing_figures.hpp"

#include <chrono>

namespace eventweft::sqlite {
namespace {

template <class T, class Convert>
void bind_maybe(SQLite::Statement& s, int index, const std::optional<T>& value,
                Convert convert) {
  if (value)
    s.bind(index, convert(*value));
  else
    s.bind(index);
}

void write_status(database& db, const std::string& processor,
                  const processing::status_row& row) {
  auto& q = db.prepared(
      "INSERT INTO event_processing_status (event_id, processor_name, status, "
      "attempts, error_message, started_at, completed_at, duration) "
      "VALUES (?, ?, ?, ?, nullif(?, ''), ?, ?, ?) "
      "ON CONFLICT (event_id, processor_name) DO UPDATE SET "
      "status = excluded.status, attempts = excluded.attempts, "
      "error_message = excluded.error_message, "
      "started_at = coalesce(started_at, excluded.started_at), "
      "completed_at = excluded.completed_at, duration = excluded.duration");
  const auto time = [](timestamp t) { return to_rfc3339(t); };
  q.bind(1, to_string(row.event->id));
  q.bind(2, processor);
  q.bind(3, std::string{to_string(row.status)});
  q.bind(4, row.attempts);
  q.bind(5, storable_text(row.error));
  bind_maybe(q, 6, row.started_at, time);
  bind_maybe(q, 7, row.completed_at, time);
  bind_maybe(q, 8, row.duration, [](double d) { return d; });
  q.exec();
}

// An event is processed once nobody has anything left to do with it.
void write_processed(database& db, const processing::status_row& row,
                     timestamp heard_since) {
  auto& q = db.prepared(
      "UPDATE events SET (processed_at, processing_duration) = "
      "(SELECT max(s.completed_at), total(s.duration) "
      "FROM event_processing_status s WHERE s.event_id = ?2) "
      "WHERE seq = ?1 "
      "AND NOT EXISTS (SELECT 1 FROM event_processing_status s "
      "WHERE s.event_id = ?2 "
      "AND s.status IN ('pending', 'processing', 'retrying')) "
      // One that nobody runs any more is not waited for.
      "AND NOT EXISTS (SELECT 1 FROM processor_marks m "
      "WHERE instr(?3, ',' || m.processor_name || ',') > 0 "
      "AND m.feed IN ('all', events.priority) AND m.updated_at > ?4 "
      "AND (m.cursor_seq < events.seq OR EXISTS (SELECT 1 "
      "FROM json_each(m.mark, '$.open') u "
      "WHERE json_extract(u.value, '$[0]') = events.seq)))");
  std::string others = ",";
  for (const auto& name : row.others)
    others.append(name).append(",");
  q.bind(1, static_cast<int64_t>(row.event->seq));
  q.bind(2, to_string(row.event->id));
  q.bind(3, others);
  q.bind(4, to_rfc3339(heard_since));
  q.exec();
}

// It was done with before, and is to be done again.
void write_unprocessed(database& db, const processing::status_row& row) {
  auto& q = db.prepared(
      "UPDATE events SET processed_at = NULL, processing_duration = NULL "
      "WHERE seq = ? AND processed_at IS NOT NULL");
  q.bind(1, static_cast<int64_t>(row.event->seq));
  q.exec();
}

void write_figures(database& db, const processing_figures& f) {
  auto& q = db.prepared(
      "INSERT INTO event_metrics (day, platform, event_type, source_name, "
      "error_count, processed_count, total_processing_time, "
      "max_processing_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (day, platform, event_type, source_name) DO UPDATE SET "
      "error_count = error_count + excluded.error_count, "
      "processed_count = processed_count + excluded.processed_count, "
      "total_processing_time = total_processing_time "
      "+ excluded.total_processing_time, "
      "max_processing_time = max(max_processing_time, "
      "excluded.max_processing_time)");
  q.bind(1, to_rfc3339(f.day).substr(0, 10));
  q.bind(2, f.platform);
  q.bind(3, f.event_type);
  q.bind(4, f.source_name);
  q.bind(5, f.failed);
  q.bind(6, f.completed);
  q.bind(7, f.total);
  q.bind(8, f.longest);
  q.exec();
}

void write_marks(database& db, const std::string& processor,
                 const std::vector<processing::stored_mark>& marks) {
  if (marks.empty())
    return;
  for (const auto& m : marks) {
    auto& q = db.prepared(
        "INSERT INTO processor_marks (processor_name, feed, cursor_seq, mark) "
        "VALUES (?, ?, ?, ?) ON CONFLICT (processor_name, feed) DO UPDATE SET "
        "cursor_seq = excluded.cursor_seq, mark = excluded.mark, "
        "updated_at = excluded.updated_at");
    q.bind(1, processor);
    q.bind(2, m.feed);
    q.bind(3, static_cast<int64_t>(m.cursor));
    q.bind(4, m.mark);
    q.exec();
  }
  // Feeds that the processor read by before it was made to keep an order, or
  // the other way round.
  auto& q = db.prepared("DELETE FROM processor_marks WHERE processor_name = ? "
                        "AND (feed = 'all') <> (? = 'all')");
  q.bind(1, processor);
  q.bind(2, marks.front().feed);
  q.exec();
}

} // namespace

expected<std::vector<processing::stored_mark>>
processing_session::marks(std::string_view processor) {
  using result_t = expected<std::vector<processing::stored_mark>>;
  return database_.call([&](database& db) -> result_t {
    auto& q = db.prepared("SELECT feed, cursor_seq, mark FROM processor_marks "
                          "WHERE processor_name = ?");
    q.bind(1, std::string{processor});
    std::vector<processing::stored_mark> out;
    while (q.executeStep())
      out.push_back({q.getColumn(0).getString(), q.getColumn(1).getInt64(),
                     q.getColumn(2).getString()});
    q.reset();
    return out;
  });
}

expected<processing::named_marks> processing_session::known() {
  return database_.call([&](database& db) -> expected<processing::named_marks> {
    auto& q = db.prepared("SELECT processor_name, feed, cursor_seq, mark "
                          "FROM processor_marks ORDER BY processor_name");
    processing::named_marks out;
    while (q.executeStep())
      out.push_back({q.getColumn(0).getString(),
                     {q.getColumn(1).getString(), q.getColumn(2).getInt64(),
                      q.getColumn(3).getString()}});
    q.reset();
    return out;
  });
}

expected<void> processing_session::record(std::string_view processor,
                                          const fence&,
                                          const processing::changes& what) {
  return database_.call([&](database& db) -> expected<void> {
    const std::string name{processor};
    const auto heard_since = system_clock{}.now() - std::chrono::days{7};
    write_transaction tx{db};
    for (const auto& row : what.rows)
      write_status(db, name, row);
    write_marks(db, name, what.marks);
    for (const auto& row : what.rows)
      if (row.status != processing::status::completed &&
          row.status != processing::status::failed)
        write_unprocessed(db, row);
      else if (row.settled)
        write_processed(db, row, heard_since);
    for (const auto& f : figures_of(what.rows))
      write_figures(db, f);
    tx.commit();
    return {};
  });
}

} // namespace eventweft::sqlite
