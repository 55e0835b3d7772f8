// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/migrate.hpp"

#include "persistence/migrations.hpp"
#include "persistence/schema_version.hpp"

namespace eventweft::postgres {
namespace {

/// Ours alone, by convention: the ASCII of "eventwft".
constexpr auto lock_key = "7311146936416691828";

/// Programs that know so many steps can work with the schema that this one
/// makes. A step that takes away what they use raises it to its own number.
constexpr int oldest_program = 25;

int latest() {
  return static_cast<int>(postgres_migrations().size());
}

int stored_version(pqxx::transaction_base& tx) {
  auto table = tx.exec("SELECT to_regclass('schema_migrations') IS NOT NULL");
  if (!table.one_field().as<bool>())
    return 0;
  return tx.exec("SELECT coalesce(max(version), 0) FROM schema_migrations")
      .one_field()
      .as<int>();
}

/// The server converts what the clients say to the database's encoding: in any
/// other one there are texts that it can't take, or can't give back.
expected<void> check_encoding(pqxx::transaction_base& tx) {
  const auto encoding =
      tx.exec("SHOW server_encoding").one_field().as<std::string>();
  if (encoding == "UTF8")
    return {};
  return fail(ec::schema_mismatch,
              "the database's encoding is " + encoding +
                  " and must be UTF8, which only a new database can have: "
                  "CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0");
}

/// A report of nothing done, if this binary can work with the schema as it is.
expected<migration_report> fits(pqxx::transaction_base& tx, int stored) {
  auto oldest = stored;
  // A newer schema that does not say so is not for us.
  if (stored > latest())
    oldest = tx.exec("SELECT oldest_program FROM schema_migrations "
                     "WHERE version = $1",
                     pqxx::params{stored})
                 .one_field()
                 .as<int>(stored);
  return compare_schema(stored, latest(), oldest).map([stored] {
    return migration_report{stored, stored, latest()};
  });
}

/// Holds the advisory lock. The server lets go of it with the connection, so
/// nothing is left behind if unlocking fails.
class migration_lock {
 public:
  explicit migration_lock(pqxx::connection& c) : c_(c) {
    pqxx::nontransaction tx{c_};
    tx.exec(std::string{"SELECT pg_advisory_lock("} + lock_key + ")");
  }
  ~migration_lock() {
    try {
      pqxx::nontransaction tx{c_};
      tx.exec(std::string{"SELECT pg_advisory_unlock("} + lock_key + ")");
    } catch (const std::exception&) {
      // nop
    }
  }
  migration_lock(const migration_lock&) = delete;
  migration_lock& operator=(const migration_lock&) = delete;

 private:
  pqxx::connection& c_;
};

} // namespace

expected<migration_report> migrate(pqxx::connection& c) {
  {
    // A role that may not change the schema may still find it as it should be.
    pqxx::nontransaction tx{c};
    if (auto good = check_encoding(tx); !good)
      return fail(std::move(good.error()));
    if (auto stored = stored_version(tx); stored >= latest())
      return fits(tx, stored);
  }
  migration_lock lock{c};
  migration_report report;
  {
    pqxx::work tx{c};
    tx.exec("CREATE TABLE IF NOT EXISTS schema_migrations ("
            "version integer PRIMARY KEY CHECK (version > 0), "
            "name text NOT NULL, "
            "applied_at timestamptz NOT NULL DEFAULT clock_timestamp()); "
            "COMMENT ON TABLE schema_migrations IS "
            "'Which steps of the schema were applied, and when.'; "
            "COMMENT ON COLUMN schema_migrations.version IS "
            "'Number of the step.'; "
            "COMMENT ON COLUMN schema_migrations.name IS 'What it is about.'; "
            "COMMENT ON COLUMN schema_migrations.applied_at IS "
            "'When it was applied.'");
    report.from = stored_version(tx);
    // A newer program had the lock before us.
    if (report.from > latest())
      return fits(tx, report.from);
    tx.commit();
  }
  report.to = report.known = latest();
  for (const auto& step : postgres_migrations()) {
    if (step.version <= report.from)
      continue;
    try {
      pqxx::work tx{c};
      // A change of a big table takes longer than a query may.
      tx.exec("SET LOCAL statement_timeout = 0");
      tx.exec(step.sql);
      tx.exec("INSERT INTO schema_migrations (version, name) VALUES ($1, $2)",
              pqxx::params{step.version, step.name});
      if (step.version == report.to)
        tx.exec("UPDATE schema_migrations SET oldest_program = $1 "
                "WHERE version = $2",
                pqxx::params{oldest_program, step.version});
      tx.commit();
    } catch (const pqxx::broken_connection&) {
      throw;
    } catch (const pqxx::sql_error& e) {
      return fail(ec::schema_mismatch,
                  "migration " + std::to_string(step.version) + " (" +
                      std::string{step.name} + "): " + e.what());
    }
  }
  return report;
}

expected<migration_report> check_schema(pqxx::connection& c) {
  pqxx::nontransaction tx{c};
  if (auto good = check_encoding(tx); !good)
    return fail(std::move(good.error()));
  return fits(tx, stored_version(tx));
}

} // namespace eventweft::postgres
