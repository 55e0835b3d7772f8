// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/maintenance.hpp"

#include "codec/json_text.hpp"
#include "persistence/batch.hpp"
#include "persistence/postgres/rows.hpp"

namespace eventweft::postgres {
namespace {

using retry = connection::retry;

/// Each lets go of a thousand threads; what is left has time until retention
/// runs again, which is more than a process that ends has.
constexpr int forget_calls = 100;

// An advisory lock of the database: two at once would drop the same tables in
// each other's way. It is there before the retention begins, which is asked
// with what comes of it.
constexpr int64_t one_retention = 7311146936416691831;

std::string interval_text(std::chrono::seconds s) {
  return std::to_string(s.count()) + " seconds";
}

std::string platforms_json(const retention_policy& policy) {
  std::string json = "{";
  const auto add = [&json](const std::string& name,
                           const std::chrono::seconds* keep) {
    if (json.size() > 1)
      json += ',';
    codec::append_quoted(json, name);
    json += ':';
    if (keep)
      codec::append_quoted(json, interval_text(*keep));
    else
      json += "null";
  };
  for (const auto& [name, keep] : policy.platforms)
    add(name, &keep);
  if (policy.others) {
    // The empty name is for all that are not named.
    add("", &policy.others->keep);
    for (const auto& name : policy.others->but)
      if (!policy.platforms.contains(name))
        add(name, nullptr);
  }
  return json + "}";
}

/// Single events past their time that must stay.
constexpr auto held_events =
    "SELECT 'keep events', platform, until, events, bytes, reason "
    "FROM held_events($1, $2, $3)";

retention_item::kind read_action(std::string_view text) {
  using kind = retention_item::kind;
  for (auto k : {kind::drop_week, kind::keep_week, kind::keep_events})
    if (text == to_string(k))
      return k;
  return kind::delete_events;
}

retention_item read_item(const pqxx::row& row) {
  retention_item item;
  item.action = read_action(row[0].view());
  item.what = row[1].view();
  item.until = read_time(row[2].view());
  item.events = row[3].as<int64_t>();
  item.bytes = row[4].as<int64_t>();
  item.reason = row[5].is_null() ? "" : row[5].view();
  return item;
}

metrics_row read_metrics(const pqxx::row& row) {
  metrics_row m;
  m.day = row[0].view();
  m.platform = row[1].view();
  m.event_type = row[2].view();
  m.source_name = row[3].view();
  m.events = row[4].as<int64_t>();
  m.errors = row[5].as<int64_t>();
  m.processed = row[6].as<int64_t>();
  if (!row[7].is_null())
    m.average_processing_time = row[7].as<double>();
  m.maximum_processing_time = row[8].as<double>();
  return m;
}

} // namespace

expected<int> maintenance::prepare_partitions(timestamp now) {
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> expected<int> {
    pqxx::nontransaction tx{c};
    const auto made =
        tx.exec("SELECT ensure_partitions($1::timestamptz - interval '1 week', "
                "$1::timestamptz + interval '2 weeks')",
                pqxx::params{time_text(now)})
            .one_field()
            .as<int>();
    if (dedup_window_)
      tx.exec("UPDATE log_head SET dedup_window = make_interval(secs => $1) "
              "WHERE dedup_window <> make_interval(secs => $1)",
              pqxx::params{dedup_window_->count()});
    return made;
  });
}

expected<int64_t> maintenance::roll_up_metrics() {
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> expected<int64_t> {
    pqxx::nontransaction tx{c};
    return tx.exec("SELECT roll_up_metrics($1)", pqxx::params{metrics_at_once})
        .one_field()
        .as<int64_t>();
  });
}

expected<std::vector<retention_item>>
maintenance::apply_retention(const retention_policy& policy, timestamp now,
                             bool dry_run, size_t limit) {
  using result_t = expected<std::vector<retention_item>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    const auto keep =
        policy.keep ? std::optional{interval_text(*policy.keep)} : std::nullopt;
    const auto platforms = platforms_json(policy);
    const pqxx::params p{keep,
                         platforms,
                         dry_run,
                         time_text(now),
                         static_cast<int64_t>(limit),
                         one_retention};
    pqxx::nontransaction tx{c};
    std::vector<retention_item> items;
    for (bool more = true; more;) {
      more = false;
      std::vector<retention_item> step;
      for (const auto& row :
           tx.exec("SELECT action, what, until, events, bytes, reason "
                   "FROM (SELECT $3 OR pg_advisory_xact_lock($6) IS NULL AS "
                   "dry_run "
                   "OFFSET 0) AS alone CROSS JOIN LATERAL "
                   "apply_retention($1, $2, alone.dry_run, $4, $5)",
                   p)) {
        step.push_back(read_item(row));
        more = more || (!dry_run &&
                        step.back().action == retention_item::kind::drop_week);
      }
      // Weeks go a few at a time, and the last step says again which stay.
      for (auto& item : step)
        if (!more || item.action == retention_item::kind::drop_week)
          items.push_back(std::move(item));
    }
    if (dry_run) {
      // Where a subscription is far behind they are many: not each time that
      // the server retains.
      for (const auto& row :
           tx.exec(held_events, pqxx::params{keep, platforms, time_text(now)}))
        items.push_back(read_item(row));
    } else {
      int64_t forgotten = 1;
      for (int i = 0; forgotten > 0 && i < forget_calls; ++i)
        forgotten = tx.exec("SELECT forget_threads($1)",
                            pqxx::params{static_cast<int64_t>(limit)})
                        .one_field()
                        .as<int64_t>();
      // Of commits that nothing names any more.
      tx.exec("DELETE FROM correlation_facts f WHERE f.fact >= 'git:pr:' "
              "AND f.fact < 'git:pr;' AND NOT EXISTS ("
              "SELECT 1 FROM correlation_keys k "
              "WHERE k.key = 'git:sha:' || substr(f.fact, 8))");
    }
    return items;
  });
}

expected<std::vector<metrics_row>>
maintenance::metrics(const metrics_query& q) {
  using result_t = expected<std::vector<metrics_row>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    auto rows = tx.exec(
        "SELECT day, platform, event_type, source_name, event_count, "
        "error_count, processed_count, avg_processing_time, "
        "max_processing_time "
        "FROM event_metrics "
        "WHERE ($1::text = '' OR day >= nullif($1::text, '')::date) "
        "AND ($2::text = '' OR day <= nullif($2::text, '')::date) "
        "AND ($3::text = '' OR platform = $3::text) "
        "ORDER BY day DESC, event_count DESC, platform, event_type, "
        "source_name "
        "LIMIT $4",
        pqxx::params{q.from, q.to, q.platform, static_cast<int64_t>(q.limit)});
    std::vector<metrics_row> all;
    for (const auto& row : rows)
      all.push_back(read_metrics(row));
    return all;
  });
}

expected<void>
maintenance::record_performance(std::span<const performance_sample> samples) {
  // Not twice: a sample has no identity that would tell.
  return pool_->call(retry::no, [&](pqxx::connection& c) -> expected<void> {
    pqxx::work tx{c};
    auto copy = pqxx::stream_to::table(tx, {"event_performance"},
                                       {"recorded_at", "stage", "platform",
                                        "event_type", "event_id", "duration",
                                        "queue_depth"});
    for (const auto& s : samples) {
      std::optional<std::string> id;
      if (s.event_id)
        id = to_string(*s.event_id);
      copy.write_values(time_text(s.recorded_at), storable_text(s.stage),
                        storable_text(s.platform), storable_text(s.event_type),
                        id, std::chrono::duration<double>(s.duration).count(),
                        s.queue_depth);
    }
    copy.complete();
    tx.commit();
    return {};
  });
}

} // namespace eventweft::postgres
