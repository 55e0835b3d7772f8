// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/database.hpp"

#include "codec/json_spans.hpp"
#include "persistence/migrations.hpp"
#include "persistence/schema_version.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <thread>

namespace eventweft::sqlite {
namespace {

ec code_of(int result) {
  switch (result & 0xFF) {
  case SQLITE_CONSTRAINT:
  case SQLITE_TOOBIG:
  case SQLITE_MISMATCH:
    return ec::row_refused;
  case SQLITE_FULL:
    return ec::store_full;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    return ec::corrupt;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
  case SQLITE_IOERR:
  case SQLITE_CANTOPEN:
  case SQLITE_READONLY:
  case SQLITE_PERM:
  case SQLITE_NOMEM:
  case SQLITE_INTERRUPT:
  case SQLITE_PROTOCOL:
    return ec::store_unavailable;
  case SQLITE_SCHEMA:
    return ec::schema_mismatch;
  default:
    return ec::internal;
  }
}

/// The longest pause between two attempts to get a lock.
constexpr std::chrono::milliseconds longest_pause{50};

/// Between two looks at whether the file is given up: well below a millisecond.
constexpr int steps_between_looks = 20'000;

int latest() {
  return static_cast<int>(sqlite_migrations().size());
}

bool has_table(database& db, const std::string& name) {
  SQLite::Statement q{db.raw(), "SELECT 1 FROM sqlite_schema "
                                "WHERE type = 'table' AND name = ?"};
  q.bind(1, name);
  return q.executeStep();
}

/// SQLite opens what it may not write to, and says so at the first event only;
/// of what else is wrong it does not say where.
expected<void> check_place(const std::string& path) {
  auto directory = std::filesystem::path{path}.parent_path();
  if (directory.empty())
    directory = ".";
  std::error_code ignored;
  if (!std::filesystem::is_directory(directory, ignored))
    return fail(ec::store_unavailable,
                "the directory " + directory.string() + " does not exist");
  if (::access(directory.c_str(), W_OK | X_OK) != 0)
    return fail(ec::store_unavailable,
                "the directory " + directory.string() + " is not writable");
  if (std::filesystem::is_directory(path, ignored))
    return fail(ec::store_unavailable,
                path + " is a directory: the path of a file is needed");
  for (const auto* suffix : {"", "-wal", "-shm"})
    if (const auto file = path + suffix;
        ::access(file.c_str(), R_OK | W_OK) != 0 && errno != ENOENT)
      return fail(ec::store_unavailable,
                  "the file " + file + " can't be written by this user: " +
                      std::generic_category().message(errno));
  return {};
}

error opening_failed(const std::string& path) {
  auto why = translate_exception();
  why.message = why.code == ec::corrupt
                    ? "the file " + path + " is no database of SQLite's (" +
                          why.message +
                          "): put the right file there, or name another path"
                    : "the file " + path + " can't be opened: " + why.message;
  return why;
}

int stored_version(database& db) {
  if (!has_table(db, "schema_migrations"))
    return 0;
  return db.raw()
      .execAndGet("SELECT coalesce(max(version), 0) FROM schema_migrations")
      .getInt();
}

std::string_view text_of(sqlite3_value* value) {
  const auto* bytes = static_cast<const char*>(sqlite3_value_blob(value));
  return {bytes, bytes ? static_cast<size_t>(sqlite3_value_bytes(value)) : 0};
}

/// `stands_at(json, path, text)` for statements.
void stands_at(sqlite3_context* context, int, sqlite3_value** arguments) {
  try {
    const auto found =
        codec::json_text_at(text_of(arguments[0]), text_of(arguments[1]));
    sqlite3_result_int(context, found == text_of(arguments[2]) ? 1 : 0);
  } catch (const std::exception&) {
    sqlite3_result_error_nomem(context);
  }
}

} // namespace

error translate_exception() noexcept {
  try {
    throw;
  } catch (const SQLite::Exception& e) {
    auto code = e.getErrorCode();
    std::string text = e.what();
    // "no such table": SQLite has no code of its own for it.
    if (code == SQLITE_ERROR && text.starts_with("no such"))
      return {ec::schema_mismatch, text};
    if (code == SQLITE_ERROR && text.find("malformed JSON") != text.npos)
      return {ec::row_refused, text};
    return {code_of(code), text};
  } catch (const std::exception& e) {
    return {ec::internal, e.what()};
  } catch (...) {
    return {ec::internal, "an exception of an unknown type"};
  }
}

database::database(const database_file& file)
    : writers_(file.writers),
      checkpoints_(file.checkpoints),
      given_up_(file.given_up),
      patience_(file.options.lock_timeout),
      // A connection is used by one thread at a time.
      db_(file.path,
          SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX) {
  sqlite3_busy_handler(db_.getHandle(), wait_for_lock, this);
  sqlite3_progress_handler(db_.getHandle(), steps_between_looks, is_given_up,
                           this);
  has_log_ = db_.execAndGet("PRAGMA journal_mode").getString() == "wal";
  if (!has_log_)
    set_up();
  // Acknowledged means durable.
  db_.exec("PRAGMA synchronous = FULL");
  db_.exec("PRAGMA foreign_keys = ON");
  db_.exec("PRAGMA cache_size = -32768");
  sqlite3_wal_hook(db_.getHandle(), log_grew, this);
  db_.exec("PRAGMA journal_size_limit = 67108864");
  db_.createFunction("stands_at", 3, true, nullptr, &stands_at);
}

// Of several that find a new file, SQLite gives up on those that are in each
// other's way, and waits for none of them.
void database::set_up() {
  const auto turn = turn_to_write();
  // Only possible before the first table; retention gives pages back.
  if (db_.execAndGet("PRAGMA page_count").getInt() == 0)
    db_.exec("PRAGMA auto_vacuum = INCREMENTAL");
  has_log_ = db_.execAndGet("PRAGMA journal_mode = WAL").getString() == "wal";
}

// As SQLite's own does, which can't be told to give up.
int database::wait_for_lock(void* self, int times) noexcept {
  using std::chrono::milliseconds;
  using std::chrono::steady_clock;
  auto& db = *static_cast<database*>(self);
  const auto now = steady_clock::now();
  if (times == 0)
    db.locked_until_ = now + db.patience_;
  if (*db.given_up_ || now >= db.locked_until_)
    return 0;
  const auto pause =
      std::min(longest_pause, milliseconds{1 << std::min(times, 10)});
  std::this_thread::sleep_for(
      std::min<steady_clock::duration>(pause, db.locked_until_ - now));
  return 1;
}

int database::is_given_up(void* self) noexcept {
  return *static_cast<database*>(self)->given_up_ ? 1 : 0;
}

int database::log_grew(void* self, sqlite3* /*db*/, const char* /*name*/,
                       int pages) noexcept {
  static_cast<database*>(self)->checkpoints_->grown(pages);
  return SQLITE_OK;
}

bool database::wait_for_disk(bool wait) {
  if (!wait && !has_log_)
    return false;
  if (wait != std::exchange(waits_for_disk_, wait))
    db_.exec(wait ? "PRAGMA synchronous = FULL"
                  : "PRAGMA synchronous = NORMAL");
  return true;
}

write_queue::turn database::turn_to_write() const {
  auto turn = write_queue::wait(writers_, patience_);
  if (!turn)
    throw SQLite::Exception{"database is busy: others write to it for longer "
                            "than lock_timeout",
                            SQLITE_BUSY};
  return turn;
}

SQLite::Statement& database::prepared(std::string_view sql) {
  auto& slot = statements_[sql];
  if (!slot)
    slot = std::make_unique<SQLite::Statement>(db_, std::string{sql});
  // The error of its last run has been dealt with.
  slot->tryReset();
  slot->clearBindings();
  return *slot;
}

write_transaction::write_transaction(database& db)
    : db_(db), turn_(db.turn_to_write()) {
  db_.prepared("BEGIN IMMEDIATE").exec();
}

write_transaction::~write_transaction() {
  if (!open_)
    return;
  try {
    // SQLite has rolled back by itself after some errors.
    if (sqlite3_get_autocommit(db_.raw().getHandle()) == 0)
      db_.prepared("ROLLBACK").exec();
  } catch (const std::exception&) {
    // The session drops the connection, which rolls back as well.
  }
}

void write_transaction::commit() {
  db_.prepared("COMMIT").exec();
  open_ = false;
  turn_.end();
}

read_transaction::read_transaction(database& db) : db_(db) {
  db_.prepared("BEGIN").exec();
  try {
    // The view is that of the first statement.
    auto& first = db_.prepared("SELECT 1 FROM sqlite_schema LIMIT 1");
    first.executeStep();
    first.reset();
  } catch (...) {
    end();
    throw;
  }
}

read_transaction::~read_transaction() {
  end();
}

void read_transaction::end() noexcept {
  try {
    if (sqlite3_get_autocommit(db_.raw().getHandle()) == 0)
      db_.prepared("ROLLBACK").exec();
  } catch (const std::exception&) {
    // The session drops the connection, which ends it as well.
  }
}

expected<void> lazy_database::ensure_open() {
  if (*file_.given_up)
    return fail(ec::store_unavailable,
                "the file " + file_.path + " is not waited for any longer");
  if (auto same = file_.identity->check(file_.path); !same || open_)
    return same;
  if (auto usable = check_place(file_.path); !usable)
    return usable;
  try {
    open_ = std::make_unique<database>(file_);
  } catch (...) {
    return fail(opening_failed(file_.path));
  }
  auto same = file_.identity->learn(file_.path);
  if (!same)
    open_.reset();
  return same;
}

expected<migration_report> migrate(database& db) {
  // Others that start at the same time wait here, then find nothing to do.
  write_transaction tx{db};
  migration_report report{stored_version(db), latest(), latest()};
  if (report.from > report.to)
    return fail(compare_schema(report.from, report.to, report.from).error());
  db.raw().exec("CREATE TABLE IF NOT EXISTS schema_migrations ("
                "version INTEGER PRIMARY KEY CHECK (version > 0), "
                "name TEXT NOT NULL, applied_at TEXT NOT NULL "
                "DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))) STRICT");
  for (const auto& step : sqlite_migrations()) {
    if (step.version <= report.from)
      continue;
    try {
      db.raw().exec(std::string{step.sql});
    } catch (const SQLite::Exception& e) {
      if (code_of(e.getErrorCode()) != ec::internal)
        throw;
      return fail(ec::schema_mismatch,
                  "migration " + std::to_string(step.version) + " (" +
                      std::string{step.name} + "): " + e.what());
    }
    SQLite::Statement note{
        db.raw(),
        "INSERT INTO schema_migrations (version, name) VALUES (?, ?)"};
    note.bind(1, step.version);
    note.bind(2, std::string{step.name});
    note.exec();
  }
  tx.commit();
  return report;
}

expected<migration_report> check_schema(database& db) {
  // One program at a time: none has to live with a newer one's.
  const auto stored = stored_version(db);
  return compare_schema(stored, latest(), stored).map([stored] {
    return migration_report{stored, stored, stored};
  });
}

} // namespace eventweft::sqlite
