// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::bench {

/// libpq with as little around it as possible: what is measured here is the
/// limit that a client can reach.
class pg_connection {
 public:
  explicit pg_connection(const std::string& url);

  /// Runs statements, forgets what they return.
  void run(const std::string& sql);
  /// The first column of the first row.
  std::string value(const std::string& sql);
  /// The first column of all rows.
  std::vector<std::string> column(const std::string& sql);

  /// `COPY … TO STDOUT`: calls `take` with each row's text, its line end
  /// included.
  template <class Take>
  void copy_out(const std::string& sql, Take take) {
    begin_copy(sql, PGRES_COPY_OUT);
    char* row = nullptr;
    int size = 0;
    while ((size = ::PQgetCopyData(connection_.get(), &row, 0)) > 0) {
      take(std::string_view{row, static_cast<size_t>(size)});
      ::PQfreemem(row);
    }
    end_copy();
  }

  /// `COPY … FROM STDIN` of text that is ready.
  void begin_copy_in(const std::string& sql) { begin_copy(sql, PGRES_COPY_IN); }
  void put(std::string_view text);
  void end_copy_in();

 private:
  struct close {
    void operator()(PGconn* c) const { ::PQfinish(c); }
  };
  struct clear {
    void operator()(PGresult* r) const { ::PQclear(r); }
  };
  using result = std::unique_ptr<PGresult, clear>;

  result query(const std::string& sql);
  void begin_copy(const std::string& sql, ExecStatusType expected);
  void end_copy();
  [[noreturn]] void fail(const std::string& what);

  std::unique_ptr<PGconn, close> connection_;
};

} // namespace eventweft::bench
