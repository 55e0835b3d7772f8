// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/reports.hpp"

#include "persistence/postgres/rows.hpp"

namespace eventweft::postgres {
namespace {

using retry = connection::retry;
using std::chrono::days;

std::vector<event_figures> figures(pqxx::transaction_base& tx, const char* sql,
                                   timestamp from) {
  std::vector<event_figures> all;
  const auto day = to_rfc3339(from).substr(0, 10);
  for (const auto& row : tx.exec(sql, pqxx::params{day})) {
    auto& f = all.emplace_back();
    f.day = row[0].view();
    f.platform = row[1].view();
    f.event_type = row[2].view();
    f.source_name = row[3].view();
    f.events = row[4].as<int64_t>();
    f.errors = row[5].as<int64_t>();
    f.processed = row[6].as<int64_t>();
    if (!row[7].is_null())
      f.average_processing_time = row[7].as<double>();
    f.maximum_processing_time = row[8].as<double>();
  }
  return all;
}

} // namespace

expected<store_report> reports::read(timestamp now) {
  using result_t = expected<store_report>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::read_transaction tx{c};
    store_report r;
    r.days = figures(tx, reports_sql::days, now - days{29});
    r.types = figures(tx, reports_sql::types, now - days{6});
    r.sources = figures(tx, reports_sql::sources, now - days{6});
    const pqxx::params hour{time_text(now - std::chrono::hours{1})};
    for (const auto& row : tx.exec(reports_sql::stages, hour)) {
      auto& f = r.stages.emplace_back();
      f.stage = row[0].view();
      f.samples = row[1].as<int64_t>();
      f.average = row[2].as<double>();
      f.median = row[3].as<double>();
      f.percentile_95 = row[4].as<double>();
      f.maximum = row[5].as<double>();
    }
    return r;
  });
}

expected<int64_t> reports::forget_samples(timestamp before) {
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> expected<int64_t> {
    pqxx::nontransaction tx{c};
    return tx
        .exec("DELETE FROM event_performance WHERE recorded_at < $1",
              pqxx::params{time_text(before)})
        .affected_rows();
  });
}

} // namespace eventweft::postgres
