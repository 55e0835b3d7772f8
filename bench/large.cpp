// SPDX-License-Identifier: Apache-2.0
#include "bench/engine.hpp"
#include "bench/parts.hpp"
#include "bench/pg.hpp"
#include "persistence/postgres/query.hpp"
#include "persistence/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace eventweft::bench {

namespace {

using std::chrono::days;

constexpr int span_days = 120;
constexpr timestamp last_moment =
    std::chrono::sys_days{std::chrono::year{2026} / 6 / 1};

/// Rows of a team's four platforms, `first` to `last`, evenly over 120 days.
/// Ten events make a thread, all within a thousand of each other.
constexpr std::string_view events_sql = R"(
  INSERT INTO events (seq, id, created_at, correlation_id, priority,
                      payload_bytes, platform, event_id, event_type, source_id,
                      source_name, actor_id, actor_name, payload)
  SELECT g, (lpad(to_hex((extract(epoch FROM t) * 1000)::bigint), 12, '0')
             || '70008' || substr(md5(g::text), 1, 15))::uuid,
         t, md5('thread' || (g / 1000 * 100 + g % 100))::uuid,
         CASE WHEN g % 5000 = 0 THEN 'critical' WHEN g % 3 = 0 THEN 'high'
              ELSE 'normal' END::event_priority,
         octet_length(p), platform, md5(g::text),
         CASE platform
           WHEN 'github' THEN (ARRAY['push', 'pull_request:opened',
             'pull_request:closed', 'issues:opened', 'issue_comment:created',
             'check_run:completed', 'workflow_run:completed'])[1 + h % 7]
           WHEN 'linear' THEN (ARRAY['Issue:create', 'Issue:update',
             'Comment:create'])[1 + h % 3]
           WHEN 'slack' THEN (ARRAY['message', 'app_mention',
             'reaction_added'])[1 + h % 3]
           ELSE 'deployment:success' END,
         (h % 2000)::text, 'octo/repo-' || h % 2000, (h % 5000)::text,
         'user-' || h % 5000, p::json
  FROM (
    SELECT g, h, t,
           CASE WHEN h % 10 < 6 THEN 'github' WHEN h % 10 < 8 THEN 'linear'
                WHEN h % 10 < 9 THEN 'slack' ELSE 'deployments' END AS platform,
           format('{"action":"opened","number":%s,"pull_request":{"id":%s,'
                  '"title":"Change %s of what is there","base":{"ref":"%s"},'
                  '"head":{"ref":"branch-%s","sha":"%s"}},"repository":'
                  '{"full_name":"octo/repo-%s"}}', g % 9999, g, g,
                  CASE WHEN g % 50 = 0 THEN 'next' ELSE 'main' END, g % 777,
                  md5(g::text), h % 2000) AS p
    FROM (
      SELECT g, (hashint8(g)::bigint & 2147483647)::int AS h,
             '{from}'::timestamptz + g * '{step} microseconds'::interval AS t
      FROM generate_series({first}::bigint, {last}) g) AS numbers) AS rows)";

constexpr std::string_view details_sql = R"(
  INSERT INTO github_events (event_seq, event_id, created_at, event, action,
                             repository_name, pr_number, title, state)
  SELECT seq, id, created_at, split_part(event_type, ':', 1), 'opened',
         source_name, seq % 9999, 'Change ' || seq, 'open'
  FROM events
  WHERE seq BETWEEN {first} AND {last} AND platform = 'github')";

std::string with(std::string_view text, uint64_t first, uint64_t last,
                 uint64_t rows) {
  std::string out{text};
  const auto put = [&](std::string_view name, const std::string& value) {
    if (const auto at = out.find(name); at != std::string::npos)
      out.replace(at, name.size(), value);
  };
  put("{first}", std::to_string(first));
  put("{last}", std::to_string(last));
  put("{from}", to_rfc3339(last_moment - days{span_days}));
  put("{step}", std::to_string(span_days * 86'400'000'000ull / rows));
  return out;
}

/// As a restore does it: the secondary indexes of `events` are made afterwards.
void fill(pg_connection& db, uint64_t rows) {
  db.run(fmt::format("SELECT ensure_partitions('{}', '{}')",
                     to_rfc3339(last_moment - days{span_days + 7}),
                     to_rfc3339(last_moment + days{14})));
  db.run("SET synchronous_commit = off");
  db.run("SET maintenance_work_mem = '256MB'");
  const std::string ours =
      "FROM pg_index i WHERE i.indrelid = 'events'::regclass "
      "AND NOT i.indisunique";
  const auto indexes =
      db.column("SELECT pg_get_indexdef(i.indexrelid) " + ours);
  for (const auto& name :
       db.column("SELECT i.indexrelid::regclass::text " + ours))
    db.run("DROP INDEX " + name);
  constexpr uint64_t piece = 500'000;
  for (uint64_t first = 1; first <= rows; first += piece) {
    const auto last = std::min(rows, first + piece - 1);
    db.run(with(events_sql, first, last, rows));
    db.run(with(details_sql, first, last, rows));
    progress(fmt::format("large: {} of {} rows", last, rows));
  }
  for (const auto& definition : indexes) {
    std::string sql = definition;
    // As PostgreSQL tells it, it would be made for the parent alone.
    if (const auto at = sql.find(" ON ONLY "); at != std::string::npos)
      sql.replace(at, 9, " ON ");
    db.run(sql);
  }
  db.run(fmt::format("UPDATE log_head SET last_seq = {}", rows));
  db.run(fmt::format("SELECT roll_up_metrics({})", rows));
  db.run("VACUUM ANALYZE");
}

double median_ms(const std::function<void()>& work) {
  std::vector<double> all;
  for (int i = 0; i < 5; ++i) {
    const auto start = now_ns();
    work();
    all.push_back(seconds_between(start, now_ns()) * 1e3);
  }
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

/// What the API asks, through the store as the server does, and its plan.
class pages {
 public:
  pages(const std::string& url, report& out)
      : out_(out), sql_(url), store_(open_store({.url = url}).value()) {
    session_ = store_->open_session();
  }

  void measure(const std::string& what, const event_query& q, size_t at_least) {
    const auto ms = median_ms([&] {
      const auto page = session_->query(q);
      if (!page)
        throw bench_error(what + ": " + page.error().message);
      if (page->events.size() < at_least)
        throw bench_error(what + ": a page of " +
                          std::to_string(page->events.size()));
    });
    out_.figure("large", what, ms, "ms", 100);
    const auto s = postgres::page_statement(q, session_->head()->seq);
    pqxx::nontransaction tx{sql_};
    std::vector<std::string> plan;
    for (const auto& row :
         tx.exec("EXPLAIN (ANALYZE, BUFFERS) " + s.sql, s.parameters))
      plan.emplace_back(row[0].view());
    out_.plan(what, std::move(plan));
  }

 private:
  report& out_;
  pqxx::connection sql_;
  store_ptr store_;
  std::unique_ptr<store_session> session_;
};

event_query question(const std::function<void(event_query&)>& change) {
  event_query q;
  change(q);
  return q;
}

void measure_pages(const std::string& url, pg_connection& db, uint64_t rows,
                   report& out) {
  pages p{url, out};
  p.measure("page: newest 100", question([](auto&) {}), 100);
  p.measure("page: far back by cursor",
            question([&](auto& q) { q.cursor = static_cast<seq_t>(rows / 2); }),
            100);
  p.measure("page: platform and type", question([](auto& q) {
              q.platforms = {"github"};
              q.event_types = {"pull_request"};
            }),
            100);
  p.measure("page: one repository",
            question([](auto& q) { q.source_names = {"octo/repo-77"}; }), 100);
  p.measure("page: one repository's pushes", question([](auto& q) {
              q.source_names = {"octo/repo-77"};
              q.event_types = {"push"};
            }),
            0);
  p.measure("page: one actor, by id or name",
            question([](auto& q) { q.actors = {"user-77"}; }), 100);
  p.measure("page: critical ones",
            question([](auto& q) { q.priorities = {priority::critical}; }),
            100);
  p.measure("page: one hour, two months ago", question([](auto& q) {
              q.since = last_moment - days{60};
              q.until = *q.since + std::chrono::hours{1};
            }),
            100);
  p.measure("page: a delivery id", question([&](auto& q) {
              q.event_ids = {db.value("SELECT md5('777')")};
            }),
            1);
  p.measure("page: a payload's path", question([](auto& q) {
              q.conditions = {{"payload.pull_request.base.ref", "next"}};
            }),
            100);
  p.measure("page: a payload's path, one repository", question([](auto& q) {
              q.source_names = {"octo/repo-77"};
              q.conditions = {{"payload.pull_request.base.ref", "next"}};
            }),
            0);
  p.measure("a thread's events", question([&](auto& q) {
              q.correlation_id =
                  uuid::parse(db.value("SELECT md5('thread777')::uuid::text"));
              q.ascending = true;
            }),
            10);
}

void measure_sql(pg_connection& db, report& out, const std::string& sql,
                 double at_most) {
  out.figure("large", sql, median_ms([&] { db.run(sql); }), "ms", at_most);
  out.plan(sql, db.column("EXPLAIN (ANALYZE, BUFFERS) " + sql));
}

void measure_retention(const std::string& url, pg_connection& db, report& out) {
  const auto store = open_store({.url = url}).value();
  const auto upkeep = store->open_maintenance();
  retention_policy policy;
  policy.keep = days{90};
  const auto run = [&](const std::string& what, bool dry_run, double at_most) {
    const auto start = now_ns();
    const auto items = upkeep->apply_retention(policy, last_moment, dry_run);
    if (!items || items->empty())
      throw bench_error(what + ": nothing went");
    const auto ms = seconds_between(start, now_ns()) * 1e3;
    int64_t events = 0;
    for (const auto& item : *items)
      events += item.events;
    out.figure("large", fmt::format("{}, {} events", what, events), ms, "ms",
               at_most);
  };
  run("retention, weeks, dry run", true, 2'000);
  run("retention, weeks", false, 2'000);
  policy.platforms["slack"] = days{60};
  run("retention, 10,000 of one platform", false, 10'000);
  if (db.value("SELECT min(seq) FROM events") == "1")
    throw bench_error("retention left the first event");
}

} // namespace

void measure_large(const setting& s, report& out) {
  const auto engine = make_postgres(s);
  const auto url = engine->fresh();
  const auto rows = s.quick ? std::min<uint64_t>(s.rows, 100'000) : s.rows;
  pg_connection db{url};
  const auto start = now_ns();
  fill(db, rows);
  const auto seconds = seconds_between(start, now_ns());
  engine->settle();
  out.figure("large", "rows", static_cast<double>(rows), "events");
  out.figure("large", "generated", static_cast<double>(rows) / seconds,
             "events/s");
  out.figure(
      "large", "size",
      std::stod(db.value("SELECT pg_database_size(current_database())")) / 1e9,
      "GB");
  measure_sql(db, out, "SELECT * FROM recent_events LIMIT 10", 100);
  measure_sql(db, out, "SELECT * FROM event_processing_summary", 1'000);
  measure_pages(url, db, rows, out);
  measure_retention(url, db, out);
}

} // namespace eventweft::bench
