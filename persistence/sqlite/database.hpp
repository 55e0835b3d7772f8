// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "persistence/sqlite/checkpointer.hpp"
#include "persistence/sqlite/file_identity.hpp"
#include "persistence/sqlite/log_sync.hpp"
#include "persistence/sqlite/write_queue.hpp"
#include "persistence/store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace eventweft::sqlite {

/// What the exception in flight means to our callers. Call it in a `catch`.
error translate_exception() noexcept;

/// Which file, how it is used, and what all that have it open in this process
/// share: who writes to it next, how far it is on disk, what shortens its log,
/// which one it is, and whether it is given up.
struct database_file {
  std::string path;
  store_options options;
  std::shared_ptr<write_queue> writers = std::make_shared<write_queue>();
  std::shared_ptr<log_sync> sync = std::make_shared<log_sync>();
  std::shared_ptr<checkpointer> checkpoints =
      std::make_shared<checkpointer>(path, writers);
  std::shared_ptr<file_identity> identity = std::make_shared<file_identity>();
  std::shared_ptr<std::atomic<bool>> given_up =
      std::make_shared<std::atomic<bool>>(false);
};

/// An open file with its prepared statements. One thread at a time. Its
/// methods throw `SQLite::Exception`.
class database {
 public:
  explicit database(const database_file& file);
  /// SQLite knows where it is.
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  SQLite::Database& raw() noexcept { return db_; }

  /// Whether commits wait for the disk, as they do at first. False and nothing
  /// else if they have to: without a write-ahead log.
  bool wait_for_disk(bool wait);

  /// Throws that the database is busy if it does not come in time.
  write_queue::turn turn_to_write() const;

  /// The statement for `sql`, prepared once, ready for new parameters. `sql`
  /// must live as long as this object.
  SQLite::Statement& prepared(std::string_view sql);

 private:
  void set_up();
  /// What SQLite asks: whether to wait once more for others' lock; whether to
  /// break off the statement that runs.
  static int wait_for_lock(void* self, int times) noexcept;
  static int is_given_up(void* self) noexcept;
  /// What it tells after each commit.
  static int log_grew(void* self, sqlite3* db, const char* name,
                      int pages) noexcept;

  std::shared_ptr<write_queue> writers_;
  std::shared_ptr<checkpointer> checkpoints_;
  std::shared_ptr<std::atomic<bool>> given_up_;
  std::chrono::milliseconds patience_;
  std::chrono::steady_clock::time_point locked_until_;
  SQLite::Database db_;
  bool has_log_ = false;
  bool waits_for_disk_ = true;
  std::map<std::string_view, std::unique_ptr<SQLite::Statement>> statements_;
};

/// A write transaction: it holds the file's one writer lock from its first
/// moment and rolls back unless committed.
class write_transaction {
 public:
  explicit write_transaction(database& db);
  ~write_transaction();
  write_transaction(const write_transaction&) = delete;
  write_transaction& operator=(const write_transaction&) = delete;

  void commit();

 private:
  database& db_;
  /// Given back when all is written or rolled back.
  write_queue::turn turn_;
  bool open_ = true;
};

/// One view of the file, as it is when this is made, for all statements until
/// it ends.
class read_transaction {
 public:
  explicit read_transaction(database& db);
  ~read_transaction();
  read_transaction(const read_transaction&) = delete;
  read_transaction& operator=(const read_transaction&) = delete;

 private:
  void end() noexcept;

  database& db_;
};

/// Opens the file on the first call and again after an error that says
/// something about the file rather than about what was asked. While the file is
/// gone, or another one is in its place, every call is refused.
class lazy_database {
 public:
  explicit lazy_database(database_file file) : file_(std::move(file)) {}

  /// Runs `work(database&)`, which returns an `expected<…>`.
  template <class Work>
  auto call(Work&& work) -> decltype(work(std::declval<database&>())) {
    try {
      if (auto usable = ensure_open(); !usable)
        return fail(std::move(usable.error()));
      return work(*open_);
    } catch (...) {
      auto failed = translate_exception();
      if (failed.code != ec::row_refused)
        open_.reset();
      return fail(std::move(failed));
    }
  }

 private:
  expected<void> ensure_open();

  database_file file_;
  std::unique_ptr<database> open_;
};

/// Brings the schema to this binary's version.
expected<migration_report> migrate(database& db);

/// `schema_mismatch` unless the schema is exactly this binary's.
expected<migration_report> check_schema(database& db);

} // namespace eventweft::sqlite
