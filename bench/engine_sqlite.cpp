// SPDX-License-Identifier: Apache-2.0
#include "bench/engine.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <span>
#include <variant>

namespace eventweft::bench {

namespace {

namespace fs = std::filesystem;

class database {
 public:
  explicit database(const std::string& url) {
    const auto path = url.substr(url.find(':') + 1);
    sqlite3* raw = nullptr;
    const auto code =
        ::sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr);
    handle_.reset(raw);
    if (code != SQLITE_OK)
      fail(path);
    ::sqlite3_busy_timeout(raw, 10'000);
  }

  sqlite3* get() const { return handle_.get(); }

  [[noreturn]] void fail(const std::string& what) const {
    throw bench_error("SQLite, " + what + ": " + ::sqlite3_errmsg(get()));
  }

  void run(const std::string& sql) const {
    if (::sqlite3_exec(get(), sql.c_str(), nullptr, nullptr, nullptr) !=
        SQLITE_OK)
      fail(sql);
  }

 private:
  struct close {
    void operator()(sqlite3* db) const { ::sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, close> handle_;
};

class statement {
 public:
  statement(const database& db, const std::string& sql) : db_(db) {
    sqlite3_stmt* raw = nullptr;
    if (::sqlite3_prepare_v2(db.get(), sql.c_str(), -1, &raw, nullptr) !=
        SQLITE_OK)
      db.fail(sql);
    handle_.reset(raw);
  }

  sqlite3_stmt* get() const { return handle_.get(); }

  bool step() const {
    const auto code = ::sqlite3_step(get());
    if (code != SQLITE_ROW && code != SQLITE_DONE)
      db_.fail("step");
    return code == SQLITE_ROW;
  }

 private:
  struct finalize {
    void operator()(sqlite3_stmt* s) const { ::sqlite3_finalize(s); }
  };
  const database& db_;
  std::unique_ptr<sqlite3_stmt, finalize> handle_;
};

using cell = std::variant<std::monostate, int64_t, double, std::string>;

struct cell_table {
  // "INSERT INTO …"
  std::string insert;
  std::vector<std::vector<cell>> rows;
};

struct cell_rows final : row_set {
  // `events` comes first.
  std::vector<cell_table> tables;
  size_t size() const noexcept override { return tables.front().rows.size(); }
};

std::vector<std::string> texts(const database& db, const std::string& sql,
                               int column = 0) {
  std::vector<std::string> found;
  const statement all{db, sql};
  while (all.step())
    found.emplace_back(reinterpret_cast<const char*>(
        ::sqlite3_column_text(all.get(), column)));
  return found;
}

std::vector<std::string> columns_of(const database& db,
                                    const std::string& table) {
  return texts(db, "PRAGMA table_info(" + table + ")", 1);
}

bool has_rows(const database& db, const std::string& table) {
  return statement{db, "SELECT 1 FROM " + table + " LIMIT 1"}.step();
}

cell read_cell(sqlite3_stmt* row, int column) {
  switch (::sqlite3_column_type(row, column)) {
  case SQLITE_INTEGER:
    return int64_t{::sqlite3_column_int64(row, column)};
  case SQLITE_FLOAT:
    return ::sqlite3_column_double(row, column);
  case SQLITE_NULL:
    return std::monostate{};
  default:
    return std::string{
        reinterpret_cast<const char*>(::sqlite3_column_blob(row, column)),
        static_cast<size_t>(::sqlite3_column_bytes(row, column))};
  }
}

void bind_cell(sqlite3_stmt* insert, int place, const cell& c) {
  if (const auto* text = std::get_if<std::string>(&c))
    ::sqlite3_bind_text(insert, place, text->data(),
                        static_cast<int>(text->size()), SQLITE_STATIC);
  else if (const auto* integer = std::get_if<int64_t>(&c))
    ::sqlite3_bind_int64(insert, place, *integer);
  else if (const auto* real = std::get_if<double>(&c))
    ::sqlite3_bind_double(insert, place, *real);
  else
    ::sqlite3_bind_null(insert, place);
}

cell_table read_table(const database& db, const std::string& table) {
  const auto columns = columns_of(db, table);
  const std::vector<std::string> places(columns.size(), "?");
  cell_table copy{.insert = "INSERT INTO " + table + " (" + joined(columns) +
                            ") VALUES (" + joined(places) + ")",
                  .rows = {}};
  const statement all{db, "SELECT " + joined(columns) + " FROM " + table +
                              (table == "events" ? " ORDER BY seq" : "")};
  while (all.step()) {
    auto& row = copy.rows.emplace_back();
    for (int i = 0; i < ::sqlite3_column_count(all.get()); ++i)
      row.push_back(read_cell(all.get(), i));
  }
  return copy;
}

void write_row(const statement& insert, const std::vector<cell>& row) {
  int place = 0;
  for (const auto& c : row)
    bind_cell(insert.get(), ++place, c);
  insert.step();
  ::sqlite3_reset(insert.get());
}

class sqlite_engine final : public engine {
 public:
  explicit sqlite_engine(const setting& s) : setting_(s) {}

  std::string_view name() const noexcept override { return "SQLite"; }
  std::string_view load_name() const noexcept override {
    return "bare inserts of the same rows, 500 a transaction";
  }
  std::string_view scan_name() const noexcept override { return "bare SELECT"; }

  std::string fresh() override {
    const auto file = setting_.work / ("hub-" + std::to_string(++files_));
    auto url = "sqlite:" + file.string() + ".db";
    migrate(url);
    return url;
  }

  void drop(const std::string& url) override {
    const auto path = url.substr(url.find(':') + 1);
    for (const auto* suffix : {"", "-wal", "-shm"})
      fs::remove(path + suffix);
  }

  // The engine runs inside its user's process.
  double cpu() const override { return 0; }

  std::unique_ptr<row_set> capture(const std::string& url) override {
    const auto empty_url = fresh();
    auto set = std::make_unique<cell_rows>();
    {
      const database db{url};
      const database empty{empty_url};
      for (const auto& table :
           texts(db, "SELECT name FROM sqlite_schema WHERE type = 'table' "
                     "AND name NOT LIKE 'sqlite_%' "
                     "ORDER BY name <> 'events', name"))
        if (table == "events" ||
            (has_rows(db, table) && !has_rows(empty, table)))
          set->tables.push_back(read_table(db, table));
    }
    drop(empty_url);
    return set;
  }

  double load(const row_set& rows, load_shape shape) override {
    std::span tables{dynamic_cast<const cell_rows&>(rows).tables};
    if (shape.events_only)
      tables = tables.first(1);
    const auto batch = shape.batch == 0 ? 500 : shape.batch;
    const auto pieces = (rows.size() + batch - 1) / batch;
    const auto url = fresh();
    double seconds = 0;
    {
      const database db{url};
      db.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
      std::vector<statement> inserts;
      for (const auto& table : tables)
        inserts.emplace_back(db, table.insert);
      const auto start = now_ns();
      for (size_t i = 0; i < pieces; ++i) {
        db.run("BEGIN IMMEDIATE");
        for (size_t t = 0; t < tables.size(); ++t) {
          const auto count = tables[t].rows.size();
          for (auto row = count * i / pieces; row < count * (i + 1) / pieces;
               ++row)
            write_row(inserts[t], tables[t].rows[row]);
        }
        db.run("COMMIT");
      }
      seconds = seconds_between(start, now_ns());
    }
    drop(url);
    return seconds;
  }

  double scan(const std::string& url) override {
    const database db{url};
    const statement all{db, "SELECT * FROM events ORDER BY seq"};
    size_t bytes = 0;
    const auto start = now_ns();
    while (all.step())
      for (int i = 0; i < ::sqlite3_column_count(all.get()); ++i)
        if (::sqlite3_column_text(all.get(), i) != nullptr)
          bytes += static_cast<size_t>(::sqlite3_column_bytes(all.get(), i));
    if (bytes == 0)
      throw bench_error("nothing to scan");
    return seconds_between(start, now_ns());
  }

  void grow(const std::string& url, uint64_t count) override {
    const database db{url};
    const statement last{db, "SELECT last_seq FROM log_head"};
    last.step();
    const auto head = ::sqlite3_column_int64(last.get(), 0);
    ::sqlite3_reset(last.get());
    if (head >= static_cast<int64_t>(count))
      return;
    std::vector<std::string> values;
    const auto names = columns_of(db, "events");
    for (const auto& column : names) {
      if (column == "seq")
        values.emplace_back("g");
      else if (column == "id")
        values.emplace_back(
            "printf('%08x-%04x-7000-8%03x-%012x', (1700000000000 + g) >> 16, "
            "(1700000000000 + g) & 65535, abs(random()) % 4096, "
            "abs(random()) % 281474976710656)");
      else if (column == "event_key")
        values.emplace_back("random()");
      else if (column == "event_id")
        values.emplace_back("lower(hex(randomblob(16)))");
      else if (column == "created_at")
        values.emplace_back("strftime('%Y-%m-%dT%H:%M:%f', '2026-01-01', "
                            "(g / 1000.0) || ' seconds') || '000Z'");
      else
        values.push_back("e." + column);
    }
    db.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
    db.run("WITH RECURSIVE s(g) AS (SELECT " + std::to_string(head + 1) +
           " UNION ALL SELECT g + 1 FROM s WHERE g < " + std::to_string(count) +
           ") INSERT INTO events (" + joined(names) + ") SELECT " +
           joined(values) + " FROM s JOIN events e ON e.seq = 1 + g % " +
           std::to_string(head));
    db.run("UPDATE log_head SET last_seq = " + std::to_string(count));
    // As it is where they came one by one.
    db.run("UPDATE event_metrics_cursor SET last_seq = " +
           std::to_string(count));
    db.run("PRAGMA wal_checkpoint(TRUNCATE); ANALYZE");
    settle();
  }

  void settle() override { ::sync(); }

 private:
  const setting& setting_;
  int files_ = 0;
};

} // namespace

std::unique_ptr<engine> make_sqlite(const setting& s) {
  return std::make_unique<sqlite_engine>(s);
}

} // namespace eventweft::bench
