// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "persistence/store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace eventweft::sqlite {

/// What the exception in flight means to our callers. Call it in a `catch`.
error translate_exception() noexcept;

/// An open file with its prepared statements. One thread at a time. Its
/// methods throw `SQLite::Exception`.
class database {
 public:
  database(const std::string& path, const store_options& options);

  SQLite::Database& raw() noexcept { return db_; }

  /// The statement for `sql`, prepared once, ready for new parameters. `sql`
  /// must live as long as this object.
  SQLite::Statement& prepared(std::string_view sql);

 private:
  SQLite::Database db_;
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
  bool open_ = true;
};

/// Opens the file on the first call and again after an error that says
/// something about the file rather than about what was asked.
class lazy_database {
 public:
  lazy_database(std::string path, store_options options)
      : path_(std::move(path)), options_(std::move(options)) {}

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

  std::string path_;
  store_options options_;
  std::unique_ptr<database> open_;
};

/// Brings the schema to this binary's version.
expected<migration_report> migrate(database& db);

/// `schema_mismatch` unless the schema is exactly this binary's.
expected<void> check_schema(database& db);

} // namespace eventweft::sqlite
