// SPDX-License-Identifier: Apache-2.0
#include "bench/engine.hpp"
#include "bench/pg.hpp"
#include "persistence/store.hpp"

#include <algorithm>

namespace eventweft::bench {

namespace {

struct copy_rows final : row_set {
  std::string columns;
  std::vector<std::string> rows;
  size_t size() const noexcept override { return rows.size(); }
};

std::vector<std::string> columns_of_events(pg_connection& db) {
  return db.column("SELECT quote_ident(column_name) "
                   "FROM information_schema.columns "
                   "WHERE table_name = 'events' AND is_generated = 'NEVER' "
                   "ORDER BY ordinal_position");
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

  std::unique_ptr<row_set> capture(const std::string& url) override {
    pg_connection db{url};
    auto set = std::make_unique<copy_rows>();
    set->columns = joined(columns_of_events(db));
    db.copy_out("COPY (SELECT " + set->columns +
                    " FROM events ORDER BY seq) TO STDOUT",
                [&](std::string_view row) { set->rows.emplace_back(row); });
    return set;
  }

  double load(const row_set& rows, size_t batch) override {
    const auto& set = dynamic_cast<const copy_rows&>(rows);
    const auto url = fresh();
    server_.settle();
    double seconds = 0;
    {
      pg_connection db{url};
      const auto copy = "COPY events (" + set.columns + ") FROM STDIN";
      const auto size = set.rows.size();
      const auto start = now_ns();
      std::string piece;
      for (size_t begin = 0; begin < size;) {
        const auto end = batch == 0 ? size : std::min(size, begin + batch);
        db.begin_copy_in(copy);
        for (; begin < end; ++begin) {
          piece += set.rows[begin];
          if (piece.size() > 256 * 1024) {
            db.put(piece);
            piece.clear();
          }
        }
        db.put(piece);
        piece.clear();
        db.end_copy_in();
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
  engines.push_back(make_postgres(s));
  engines.push_back(make_sqlite(s));
  return engines;
}

} // namespace eventweft::bench
