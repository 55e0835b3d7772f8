// SPDX-License-Identifier: Apache-2.0
#include "bench/engine.hpp"
#include "bench/pg.hpp"
#include "persistence/store.hpp"

#include <span>

namespace eventweft::bench {

namespace {

struct copy_table {
  // "name (column, …)"
  std::string target;
  std::vector<std::string> rows;
};

struct copy_rows final : row_set {
  // `events` comes first.
  std::vector<copy_table> tables;
  size_t size() const noexcept override { return tables.front().rows.size(); }
};

std::vector<std::string> columns_of(pg_connection& db,
                                    const std::string& table) {
  return db.column("SELECT quote_ident(column_name) "
                   "FROM information_schema.columns WHERE table_name = '" +
                   table +
                   "' AND is_generated = 'NEVER' "
                   "ORDER BY ordinal_position");
}

std::vector<std::string> columns_of_events(pg_connection& db) {
  return columns_of(db, "events");
}

bool has_rows(pg_connection& db, const std::string& table) {
  return db.value("SELECT EXISTS (SELECT FROM " + table + ")") == "t";
}

copy_table copy_out(pg_connection& db, const std::string& table) {
  const auto columns = joined(columns_of(db, table));
  copy_table copy{.target = table + " (" + columns + ")", .rows = {}};
  db.copy_out("COPY (SELECT " + columns + " FROM " + table +
                  (table == "events" ? " ORDER BY seq" : "") + ") TO STDOUT",
              [&](std::string_view row) { copy.rows.emplace_back(row); });
  return copy;
}

void copy_in(pg_connection& db, const copy_table& table, size_t begin,
             size_t end) {
  db.begin_copy_in("COPY " + table.target + " FROM STDIN");
  std::string piece;
  for (; begin < end; ++begin) {
    piece += table.rows[begin];
    if (piece.size() > 256 * 1024) {
      db.put(piece);
      piece.clear();
    }
  }
  db.put(piece);
  db.end_copy_in();
}

class postgres_engine final : public engine {
 public:
  explicit postgres_engine(const setting& s) : server_(s) {}

  std::string_view name() const noexcept override { return "PostgreSQL"; }
  std::string_view load_name() const noexcept override {
    return "COPY of the same rows";
  }
  std::string_view scan_name() const noexcept override { return "COPY TO"; }

  std::string fresh() override {
    auto url = server_.fresh_database();
    migrate(url);
    return url;
  }

  void drop(const std::string& url) override { server_.drop_database(url); }

  double cpu() const override { return cpu_seconds(server_.pid()); }

  std::unique_ptr<cpu_share> hold(double cores) override {
    return cpu_share::hold(server_.pid(), cores);
  }

  std::unique_ptr<row_set> capture(const std::string& url) override {
    const auto empty_url = fresh();
    auto set = std::make_unique<copy_rows>();
    {
      pg_connection db{url};
      pg_connection empty{empty_url};
      for (const auto& table :
           db.column("SELECT quote_ident(relname) FROM pg_class "
                     "WHERE relnamespace = current_schema()::regnamespace "
                     "AND relkind IN ('r', 'p') AND NOT relispartition "
                     "ORDER BY relname <> 'events', relname"))
        if (table == "events" ||
            (has_rows(db, table) && !has_rows(empty, table)))
          set->tables.push_back(copy_out(db, table));
    }
    drop(empty_url);
    return set;
  }

  double load(const row_set& rows, load_shape shape) override {
    std::span tables{dynamic_cast<const copy_rows&>(rows).tables};
    if (shape.events_only)
      tables = tables.first(1);
    const auto pieces =
        shape.batch == 0 ? 1 : (rows.size() + shape.batch - 1) / shape.batch;
    const auto url = fresh();
    server_.settle();
    double seconds = 0;
    {
      pg_connection db{url};
      const auto start = now_ns();
      for (size_t i = 0; i < pieces; ++i) {
        db.run("BEGIN");
        for (const auto& table : tables) {
          const auto begin = table.rows.size() * i / pieces;
          const auto end = table.rows.size() * (i + 1) / pieces;
          if (begin < end)
            copy_in(db, table, begin, end);
        }
        db.run("COMMIT");
      }
      seconds = seconds_between(start, now_ns());
    }
    drop(url);
    return seconds;
  }

  double scan(const std::string& url) override {
    pg_connection db{url};
    size_t bytes = 0;
    const auto start = now_ns();
    db.copy_out("COPY (SELECT " + joined(columns_of_events(db)) +
                    " FROM events ORDER BY seq) TO STDOUT",
                [&](std::string_view row) { bytes += row.size(); });
    if (bytes == 0)
      throw bench_error("nothing to scan");
    return seconds_between(start, now_ns());
  }

  void grow(const std::string& url, uint64_t count) override {
    pg_connection db{url};
    const auto head = std::stoull(db.value("SELECT last_seq FROM log_head"));
    if (head >= count)
      return;
    std::vector<std::string> values;
    const auto names = columns_of_events(db);
    for (const auto& column : names) {
      if (column == "seq")
        values.emplace_back("g");
      else if (column == "id")
        // A UUIDv7 like ours: made later, sorted later.
        values.emplace_back(
            "(lpad(to_hex(1700000000000 + g), 12, '0') || '70008' || "
            "substr(md5(g::text), 1, 15))::uuid");
      else if (column == "event_id")
        values.emplace_back("md5(g::text)::uuid::text");
      else if (column == "created_at")
        values.emplace_back("e.created_at + g * interval '1 ms'");
      else
        values.push_back("e." + column);
    }
    const auto from = std::to_string(head + 1);
    db.run("INSERT INTO events (" + joined(names) + ") SELECT " +
           joined(values) + " FROM generate_series(" + from + "::bigint, " +
           std::to_string(count) + ") g JOIN events e ON e.seq = 1 + g % " +
           std::to_string(head));
    db.run("UPDATE log_head SET last_seq = " + std::to_string(count));
    // As it is where they came one by one.
    db.run("UPDATE event_metrics_cursor SET last_seq = " +
           std::to_string(count));
    db.run("VACUUM ANALYZE events");
    server_.settle();
  }

  void settle() override { server_.settle(); }

 private:
  postgres_server server_;
};

} // namespace

void migrate(const std::string& url) {
  const auto store = open_store({.url = url});
  if (!store)
    throw bench_error(store.error().message);
  if (const auto done = (*store)->migrate(); !done)
    throw bench_error(done.error().message);
}

std::unique_ptr<engine> make_postgres(const setting& s) {
  return std::make_unique<postgres_engine>(s);
}

std::vector<std::unique_ptr<engine>> all_engines(const setting& s) {
  std::vector<std::unique_ptr<engine>> engines;
  if (s.engine != "sqlite")
    engines.push_back(make_postgres(s));
  if (s.engine != "postgres")
    engines.push_back(make_sqlite(s));
  return engines;
}

} // namespace eventweft::bench
