// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/reports.hpp"

#include "messages/time.hpp"

namespace eventweft::sqlite {
namespace {

using std::chrono::days;

std::vector<event_figures> figures(database& db, const char* sql,
                                   timestamp from) {
  std::vector<event_figures> all;
  auto& rows = db.prepared(sql);
  rows.bind(1, to_rfc3339(from).substr(0, 10));
  while (rows.executeStep()) {
    auto& f = all.emplace_back();
    f.day = rows.getColumn(0).getString();
    f.platform = rows.getColumn(1).getString();
    f.event_type = rows.getColumn(2).getString();
    f.source_name = rows.getColumn(3).getString();
    f.events = rows.getColumn(4).getInt64();
    f.errors = rows.getColumn(5).getInt64();
    f.processed = rows.getColumn(6).getInt64();
    if (const auto average = rows.getColumn(7); !average.isNull())
      f.average_processing_time = average.getDouble();
    f.maximum_processing_time = rows.getColumn(8).getDouble();
  }
  rows.reset();
  return all;
}

} // namespace

expected<store_report> reports::read(timestamp now) {
  return database_.call([&](database& db) -> expected<store_report> {
    store_report r;
    r.days = figures(db, reports_sql::days, now - days{29});
    r.types = figures(db, reports_sql::types, now - days{6});
    r.sources = figures(db, reports_sql::sources, now - days{6});
    auto& rows = db.prepared(reports_sql::stages);
    rows.bind(1, to_rfc3339(now - std::chrono::hours{1}));
    while (rows.executeStep()) {
      auto& f = r.stages.emplace_back();
      f.stage = rows.getColumn(0).getString();
      f.samples = rows.getColumn(1).getInt64();
      f.average = rows.getColumn(2).getDouble();
      f.median = rows.getColumn(3).getDouble();
      f.percentile_95 = rows.getColumn(4).getDouble();
      f.maximum = rows.getColumn(5).getDouble();
    }
    rows.reset();
    return r;
  });
}

expected<int64_t> reports::forget_samples(timestamp before) {
  return database_.call([&](database& db) -> expected<int64_t> {
    write_transaction tx{db};
    auto& q =
        db.prepared("DELETE FROM event_performance WHERE recorded_at < ?");
    q.bind(1, to_rfc3339(before));
    const int64_t gone = q.exec();
    tx.commit();
    return gone;
  });
}

} // namespace eventweft::sqlite
