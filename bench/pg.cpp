// SPDX-License-Identifier: Apache-2.0
#include "bench/pg.hpp"

#include "bench/basics.hpp"

namespace eventweft::bench {

pg_connection::pg_connection(const std::string& url)
    : connection_(::PQconnectdb(url.c_str())) {
  if (::PQstatus(connection_.get()) != CONNECTION_OK)
    fail("connect");
  run("SET client_min_messages = warning");
}

void pg_connection::fail(const std::string& what) {
  throw bench_error("PostgreSQL, " + what + ": " +
                    ::PQerrorMessage(connection_.get()));
}

pg_connection::result pg_connection::query(const std::string& sql) {
  result r{::PQexec(connection_.get(), sql.c_str())};
  const auto status = ::PQresultStatus(r.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
    fail(sql.substr(0, 200));
  return r;
}

void pg_connection::run(const std::string& sql) {
  query(sql);
}

std::string pg_connection::value(const std::string& sql) {
  const auto r = query(sql);
  if (::PQntuples(r.get()) < 1)
    fail("no row from " + sql);
  return ::PQgetvalue(r.get(), 0, 0);
}

std::vector<std::string> pg_connection::column(const std::string& sql) {
  const auto r = query(sql);
  std::vector<std::string> values;
  for (int row = 0; row < ::PQntuples(r.get()); ++row)
    values.emplace_back(::PQgetvalue(r.get(), row, 0));
  return values;
}

void pg_connection::begin_copy(const std::string& sql,
                               ExecStatusType expected) {
  result r{::PQexec(connection_.get(), sql.c_str())};
  if (::PQresultStatus(r.get()) != expected)
    fail(sql.substr(0, 200));
}

void pg_connection::end_copy() {
  bool good = true;
  while (auto* r = ::PQgetResult(connection_.get())) {
    const result owned{r};
    good = good && ::PQresultStatus(r) == PGRES_COMMAND_OK;
  }
  if (!good)
    fail("COPY");
}

void pg_connection::put(std::string_view text) {
  if (::PQputCopyData(connection_.get(), text.data(),
                      static_cast<int>(text.size())) != 1)
    fail("COPY");
}

void pg_connection::end_copy_in() {
  if (::PQputCopyEnd(connection_.get(), nullptr) != 1)
    fail("COPY");
  end_copy();
}

} // namespace eventweft::bench
