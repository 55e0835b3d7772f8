// SPDX-License-Identifier: Apache-2.0
#include "correlation/joiner.hpp"
#include "persistence/postgres/query.hpp"
#include "tests/integration/persistence/store_fixture.hpp"

#include <fmt/format.h>
#include <pqxx/pqxx>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <regex>
#include <string>
#include <string_view>
#include <thread>

namespace eventweft::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// What a program prints; a test failure if it does not end well.
std::string output_of(const std::string& command) {
  auto* pipe = ::popen(command.c_str(), "r");
  std::string text;
  char buffer[4096];
  for (size_t n; pipe && (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    text.append(buffer, n);
  EXPECT_TRUE(pipe && ::pclose(pipe) == 0) << command << '\n' << text;
  return text;
}

class postgres_schema : public ::testing::Test {
 protected:
  postgres_schema()
      : url_(shared_server().create_database()),
        store_(must(open_store({url_}))) {}

  pqxx::result run(const std::string& sql, const std::string& url = {}) const {
    pqxx::connection c{url.empty() ? url_ : url};
    return pqxx::nontransaction{c}.exec(sql);
  }

  static void psql(const std::string& file, const std::string& url) {
    output_of((shared_server().binaries() / "psql").string() + " -X -q -d '" +
              url + "' -f " + file + " 2>&1");
  }

  void run_file(const std::string& name, const std::string& url) const {
    psql(EVENTWEFT_SOURCE_DIR "/schemas/" + name, url);
  }

  /// All that pg_dump knows, but for the random words that newer ones print.
  static std::string dump(const std::string& url) {
    return output_of((shared_server().binaries() / "pg_dump").string() +
                     " --schema-only --no-owner '" + url +
                     "' | grep -v '^.\\(un\\)\\?restrict '");
  }

  /// The schema as it was, by hand.
  static void set_up_schema(int version, const std::string& url) {
    std::ifstream whole{EVENTWEFT_SOURCE_DIR "/schemas/events_schema.sql"};
    auto part = std::filesystem::path{::testing::TempDir()} /
                fmt::format("schema_{}_{}.sql", version, ::getpid());
    std::ofstream out{part};
    const std::string_view include = "\\ir postgres/";
    for (std::string line; std::getline(whole, line);) {
      if (line.starts_with("INSERT INTO schema_migrations"))
        break;
      if (!line.starts_with(include))
        out << line << '\n';
      else if (std::stoi(line.substr(include.size(), 4)) <= version)
        out << "\\i " EVENTWEFT_SOURCE_DIR "/schemas/" << line.substr(4)
            << '\n';
    }
    out << "INSERT INTO schema_migrations (version, name) "
           "SELECT n, 'step' FROM generate_series(1, "
        << version << ") n;\nCOMMIT;\n";
    out.close();
    psql(part.string(), url);
    std::filesystem::remove(part);
  }

  /// A processor that has nothing to do begins.
  static void start_processor(const store_ptr& store) {
    processing::changes starts;
    starts.marks = {{"all", 0, R"({"cursor":0,"open":[]})"}};
    must(store->open_processing()->record("p", {"processor:p", 0}, starts));
  }

  /// How full pages of events are to be; more than one where weeks differ.
  std::string fills(const std::string& url = {}) const {
    return run("SELECT string_agg(DISTINCT array_to_string(c.reloptions, ','), "
               "' ') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
               "WHERE i.inhparent = 'events'::regclass",
               url)
        .one_field()
        .as<std::string>();
  }

  std::string url_;
  store_ptr store_;
};

TEST_F(postgres_schema, ByHandIsTheSameAsByMigration) {
  must(store_->migrate());
  auto by_hand = shared_server().create_database();
  run_file("events_schema.sql", by_hand);
  EXPECT_EQ(dump(url_), dump(by_hand));
  auto steps = "SELECT version || name FROM schema_migrations ORDER BY version";
  auto migrated = run(steps);
  auto written = run(steps, by_hand);
  ASSERT_EQ(migrated.size(), written.size());
  for (int i = 0; i < migrated.size(); ++i)
    EXPECT_EQ(migrated[i][0].view(), written[i][0].view());
  must(must(open_store({by_hand}))->check_schema());
}

TEST_F(postgres_schema, EverythingIsCommented) {
  must(store_->migrate());
  must(store_->open_maintenance()->prepare_partitions(noon));
  std::vector<std::string> bare;
  for (const auto& row :
       run("SELECT c.relname || coalesce('.' || a.attname, '') "
           "FROM pg_class c CROSS JOIN LATERAL ("
           "SELECT 0 AS attnum, NULL AS attname UNION ALL "
           "SELECT a.attnum, a.attname FROM pg_attribute a "
           "WHERE a.attrelid = c.oid AND a.attnum > 0 "
           "AND NOT a.attisdropped) a "
           "WHERE c.relnamespace = 'public'::regnamespace "
           "AND c.relkind IN ('r', 'p', 'v') AND coalesce("
           "CASE a.attnum WHEN 0 THEN obj_description(c.oid, 'pg_class') "
           "ELSE col_description(c.oid, a.attnum) END, '') = ''"))
    bare.emplace_back(row[0].view());
  EXPECT_THAT(bare, IsEmpty());
}

TEST_F(postgres_schema, AJobOfOnesOwnIsNotedAndMeasured) {
  must(store_->migrate());
  const auto session = store_->open_session();
  const std::vector<event_ptr> events{event_ptr{numbered_event(1)},
                                      event_ptr{numbered_event(2)}};
  must(session->append(events));
  const auto maintenance = store_->open_maintenance();
  must(maintenance->roll_up_metrics());
  const auto mark = [this](int n, const std::string& how) {
    return run("SELECT mark_event_processed('" +
               to_string(numbered_event(n).id) + "', 'nightly', " + how + ")")
        .one_field()
        .as<bool>();
  };
  EXPECT_TRUE(mark(1, "true, NULL, 0.5"));
  EXPECT_TRUE(mark(2, "false, 'no', 1"));
  EXPECT_TRUE(mark(2, "true, NULL, 1.5"));
  EXPECT_FALSE(mark(77, "true, NULL, 1"));
  std::vector<std::string> noted;
  for (const auto& row :
       run("SELECT status || ' ' || attempts FROM event_processing_status "
           "ORDER BY event_id"))
    noted.emplace_back(row[0].view());
  EXPECT_THAT(noted, ElementsAre("completed 1", "completed 2"));
  const auto all = must(maintenance->metrics({}));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].events, 2);
  EXPECT_EQ(all[0].errors, 1);
  EXPECT_EQ(all[0].processed, 2);
  EXPECT_EQ(all[0].average_processing_time, 1.0);
  EXPECT_EQ(all[0].maximum_processing_time, 1.5);
  const auto event = *must(session->find(numbered_event(1).id));
  EXPECT_TRUE(event->processed_at);
  EXPECT_EQ(event->processing_duration, 0.5);
}

// An update that finds no room on its page is written to all of the indexes.
TEST_F(postgres_schema, WhatIsProcessedStaysOnItsPage) {
  must(store_->migrate());
  start_processor(store_);
  std::vector<event_ptr> events;
  processing::changes done;
  for (int n = 1; n <= 100; ++n) {
    events.emplace_back(numbered_event(n));
    done.rows.push_back({.event = events.back(),
                         .status = processing::status::completed,
                         .attempts = 1,
                         .error = {},
                         .started_at = noon,
                         .completed_at = noon + 1s,
                         .duration = 1,
                         .settled = true,
                         .others = {}});
  }
  must(store_->open_session()->append(events));
  const auto pages = [&] {
    return run("SELECT string_agg(split_part(ctid::text, ',', 1), ' ' "
               "ORDER BY seq), count(processed_at) FROM events");
  };
  const auto before = pages();
  must(store_->open_processing()->record("p", {"processor:p", 0}, done));
  const auto after = pages();
  EXPECT_EQ(after[0][1].as<int>(), 100);
  EXPECT_EQ(after[0][0].view(), before[0][0].view());
}

TEST_F(postgres_schema, PagesAreHalfEmptyFromTheFirstProcessorOn) {
  must(store_->migrate());
  EXPECT_EQ(fills(), "fillfactor=80");
  start_processor(store_);
  EXPECT_EQ(fills(), "fillfactor=45");
  // So are those of weeks to come.
  run("SELECT ensure_partitions(now(), now() + interval '8 weeks')");
  EXPECT_EQ(fills(), "fillfactor=45");
  run("DELETE FROM processor_marks");
  run("SELECT ensure_partitions()");
  EXPECT_EQ(fills(), "fillfactor=80");
}

// Whoever tends to a table meanwhile is not waited for, nor in the way.
TEST_F(postgres_schema, AFirstProcessorWaitsForNobody) {
  must(store_->migrate());
  pqxx::connection other{url_};
  pqxx::work tending{other};
  tending.exec("LOCK TABLE events_default IN SHARE UPDATE EXCLUSIVE MODE");
  start_processor(store_);
  EXPECT_EQ(must(store_->open_processing()->marks("p")).size(), 1u);
  tending.abort();
  run("SELECT ensure_partitions()");
  EXPECT_EQ(fills(), "fillfactor=45");
}

TEST_F(postgres_schema, AFirstProcessorGetsAlongWithAWeekThatGoes) {
  must(store_->migrate());
  const auto week = run("SELECT max(c.relname) FROM pg_inherits i "
                        "JOIN pg_class c ON c.oid = i.inhrelid "
                        "WHERE i.inhparent = 'events'::regclass "
                        "AND c.relname <> 'events_default'")
                        .one_field()
                        .as<std::string>();
  pqxx::connection other{url_};
  pqxx::work dropping{other};
  dropping.exec("DROP TABLE " + week);
  auto started =
      std::async(std::launch::async, [this] { start_processor(store_); });
  while (run("SELECT count(*) FROM pg_locks l WHERE NOT l.granted "
             "AND l.database = (SELECT oid FROM pg_database "
             "WHERE datname = current_database())")
             .one_field()
             .as<int>() == 0)
    std::this_thread::yield();
  dropping.commit();
  started.get();
  EXPECT_EQ(must(store_->open_processing()->marks("p")).size(), 1u);
}

TEST_F(postgres_schema, AMarkThatSaysNothingOfUseIsRefusedByName) {
  must(store_->migrate());
  const auto session = store_->open_session();
  const std::vector<event_ptr> events{event_ptr{numbered_event(1)}};
  must(session->append(events));
  const auto mark = [this](const std::string& how) -> std::string {
    try {
      run("SELECT mark_event_processed('" + to_string(numbered_event(1).id) +
          "', " + how + ")");
      return "";
    } catch (const pqxx::sql_error& e) {
      return e.what();
    }
  };
  for (auto* seconds : {"-1", "'NaN'", "'Infinity'", "1e300", "1000000001"})
    EXPECT_THAT(mark("'nightly', true, NULL, " + std::string{seconds}),
                ::testing::HasSubstr("p_duration: "))
        << seconds;
  EXPECT_THAT(mark("''"), ::testing::HasSubstr("p_processor_name: "));
  EXPECT_THAT(mark("NULL"), ::testing::HasSubstr("p_processor_name: "));
  EXPECT_THAT(mark("'nightly', NULL"), ::testing::HasSubstr("p_success: "));
  EXPECT_EQ(
      run("SELECT count(*) FROM event_processing_status").one_field().as<int>(),
      0);
  EXPECT_EQ(mark("'nightly', true, NULL, 0"), "");
}

TEST_F(postgres_schema, AMarkWithoutADurationIsOfAnUnknownTime) {
  must(store_->migrate());
  auto session = store_->open_session();
  std::vector<event_ptr> events{
      event_ptr{numbered_event(1)}, event_ptr{numbered_event(2)},
      event_ptr{numbered_event(3)}, event_ptr{numbered_event(4)}};
  must(session->append(events));
  const auto id = [](int n) {
    return "'" + to_string(numbered_event(n).id) + "'";
  };
  const auto mark = [&](int n, const std::string& how) {
    return run("SELECT mark_event_processed(" + id(n) + ", 'nightly', " + how +
               ")")
        .one_field()
        .as<bool>();
  };
  const auto average = [this] {
    return run("SELECT avg_processing_time FROM event_metrics")
        .one_field()
        .as<std::optional<double>>();
  };
  EXPECT_TRUE(mark(1, "true"));
  EXPECT_FALSE(average());
  EXPECT_FALSE(run("SELECT processing_duration FROM events WHERE seq = 1")
                   .one_field()
                   .as<std::optional<double>>());
  EXPECT_TRUE(mark(2, "true, NULL, 4"));
  EXPECT_EQ(average(), 4.0) << "not of both";
  // What failed an hour ago and is done now did not take an hour.
  EXPECT_TRUE(mark(3, "false, 'no', 1"));
  run("UPDATE event_processing_status SET started_at = started_at - "
      "interval '1 hour', completed_at = completed_at - interval '1 hour' "
      "WHERE event_id = " +
      id(3));
  EXPECT_TRUE(mark(3, "true"));
  EXPECT_EQ(average(), 4.0);
  // Who says when an attempt begins need not measure it.
  EXPECT_TRUE(mark(4, "false, 'no', 1"));
  run("UPDATE event_processing_status SET status = 'processing', "
      "started_at = clock_timestamp() - interval '1 hour', "
      "completed_at = clock_timestamp() - interval '2 hours' "
      "WHERE event_id = " +
      id(4));
  EXPECT_TRUE(mark(4, "true"));
  EXPECT_GE(*average(), (4.0 + 3'600) / 2);
  const auto figures = run("SELECT processed_events, failed_events, "
                           "avg_processing_time = (SELECT avg_processing_time "
                           "FROM event_metrics) FROM event_processing_summary");
  ASSERT_EQ(figures.size(), 1);
  EXPECT_EQ(figures[0][0].as<int>(), 4);
  EXPECT_EQ(figures[0][1].as<int>(), 2);
  EXPECT_TRUE(figures[0][2].as<bool>());
  const auto report = must(store_->open_reports()->read(noon));
  ASSERT_EQ(report.types.size(), 1u);
  EXPECT_EQ(report.types[0].processed, 4);
  EXPECT_GE(report.types[0].average_processing_time, (4.0 + 3'600) / 2);
}

TEST_F(postgres_schema, TheSameCompletionCountsOnce) {
  must(store_->migrate());
  auto session = store_->open_session();
  std::vector<event_ptr> events{event_ptr{numbered_event(1)}};
  must(session->append(events));
  must(store_->open_maintenance()->roll_up_metrics());
  const auto mark = [this](const std::string& how) {
    return run("SELECT mark_event_processed('" +
               to_string(numbered_event(1).id) + "', " + how + ")")
        .one_field()
        .as<bool>();
  };
  EXPECT_TRUE(mark("'nightly', true, NULL, 2"));
  EXPECT_TRUE(mark("'nightly', true, NULL, 2"));
  EXPECT_TRUE(mark("'nightly', false, 'late'"));
  const auto duration = [this] {
    return run("SELECT processing_duration FROM events")
        .one_field()
        .as<double>();
  };
  EXPECT_EQ(duration(), 2.0);
  EXPECT_TRUE(mark("'other', true, NULL, 1"));
  EXPECT_EQ(duration(), 3.0) << "of both";
  const auto rows = run("SELECT total_events, processed_events, failed_events "
                        "FROM event_processing_summary");
  ASSERT_EQ(rows.size(), 1);
  EXPECT_EQ(rows[0][0].as<int>(), 1);
  EXPECT_EQ(rows[0][1].as<int>(), 2) << "once a processor";
  EXPECT_EQ(rows[0][2].as<int>(), 0);
  EXPECT_EQ(run("SELECT attempts FROM event_processing_status "
                "WHERE processor_name = 'nightly'")
                .one_field()
                .as<int>(),
            1);
}

TEST_F(postgres_schema, TheQueriesOfAnAnalystRun) {
  must(store_->migrate());
  auto session = store_->open_session();
  std::vector<event_ptr> events{event_ptr{numbered_event(1)},
                                event_ptr{numbered_event(2)}};
  must(session->append(events));
  auto link = "SELECT create_event_correlation('" + to_string(events[0]->id) +
              "', '" + to_string(events[1]->id) + "', 'pr_to_issue')";
  EXPECT_TRUE(run(link).one_field().as<bool>());
  EXPECT_FALSE(run(link).one_field().as<bool>());
  run("SELECT mark_event_processed('" + to_string(events[0]->id) + "')");
  EXPECT_EQ(run("SELECT * FROM event_processing_summary").size(), 1);
  EXPECT_EQ(run("SELECT * FROM recent_events LIMIT 10").size(), 2);
  EXPECT_EQ(run("SELECT * FROM correlated_events "
                "WHERE correlation_type = 'pr_to_issue'")
                .size(),
            1);
  EXPECT_EQ(run("SELECT platform, count(*), "
                "AVG(EXTRACT(EPOCH FROM (processed_at - created_at))) "
                "FROM events GROUP BY platform")
                .size(),
            1);
  // Both are in one thread now.
  auto first = **must(session->find(events[0]->id));
  auto second = **must(session->find(events[1]->id));
  ASSERT_TRUE(first.correlation_id);
  EXPECT_EQ(first.correlation_id, second.correlation_id);
  EXPECT_TRUE(first.processed_at);
  EXPECT_TRUE(run("SELECT create_event_correlation(gen_random_uuid(), "
                  "gen_random_uuid(), 'x')")[0][0]
                  .is_null());
}

TEST_F(postgres_schema, ALinkByHandThatCanNotBeIsRefusedInWords) {
  must(store_->migrate());
  auto session = store_->open_session();
  std::vector<event_ptr> events{event_ptr{numbered_event(1)},
                                event_ptr{numbered_event(2)}};
  must(session->append(events));
  const auto a = "'" + to_string(events[0]->id) + "'";
  const auto b = "'" + to_string(events[1]->id) + "'";
  const std::pair<std::string, std::string> wrong[] = {
      {a + ", " + a + ", 'x'", "can't be linked to itself"},
      {a + ", " + b + ", 'x', NULL, 5", "p_confidence_score: 5 is not"},
      {a + ", " + b + ", 'x', NULL, NULL", "p_confidence_score: NULL is not"},
      {a + ", " + b + ", NULL", "p_correlation_type"},
      {a + ", " + b + ", 'x', ''", "p_correlation_key"},
  };
  for (const auto& [arguments, words] : wrong) {
    try {
      run("SELECT create_event_correlation(" + arguments + ")");
      ADD_FAILURE() << arguments;
    } catch (const pqxx::data_exception& e) {
      EXPECT_NE(std::string_view{e.what()}.find(words), std::string_view::npos)
          << e.what();
    }
  }
}

TEST_F(postgres_schema, ALinkByHandJoinsThreads) {
  must(store_->migrate());
  auto session = store_->open_session();
  std::vector<event_ptr> events;
  for (int i = 1; i <= 5; ++i)
    events.emplace_back(numbered_event(i));
  must(session->append(events));
  const auto link = [&](size_t source, size_t target) {
    EXPECT_TRUE(run("SELECT create_event_correlation('" +
                    to_string(events[source]->id) + "', '" +
                    to_string(events[target]->id) + "', 'x')")
                    .one_field()
                    .as<bool>());
  };
  const auto thread_of = [&](size_t i) {
    return (**must(session->find(events[i]->id))).correlation_id;
  };
  link(0, 1);
  link(2, 3);
  link(2, 4);
  const auto small = *thread_of(0);
  const auto large = *thread_of(2);
  ASSERT_NE(small, large);
  // The target's is the smaller one, and goes.
  link(2, 0);
  for (size_t i = 0; i < 5; ++i)
    EXPECT_EQ(thread_of(i), large);
  EXPECT_EQ(run("SELECT thread_id FROM correlation_merges WHERE old_id = '" +
                to_string(small) + "'")
                .one_field()
                .view(),
            to_string(large));
  // The merge is an event of the thread, as it is when rules have found it.
  event_query q;
  q.platforms = {"eventweft"};
  q.limit = 10;
  const auto told = must(session->query(q)).events;
  ASSERT_EQ(told.size(), 1u);
  correlation::thread_merge merge;
  merge.from = small;
  merge.into = large;
  merge.event = events[2]->id;
  merge.key = "event:" + to_string(events[0]->id);
  const auto expected =
      correlation::merge_event(merge, told[0]->id, told[0]->created_at);
  EXPECT_EQ(told[0]->seq, 6);
  EXPECT_EQ(told[0]->id.bytes[6] >> 4, 7);
  EXPECT_EQ(told[0]->event_id, expected.event_id);
  EXPECT_EQ(told[0]->event_type, expected.event_type);
  EXPECT_EQ(told[0]->source_id, expected.source_id);
  EXPECT_EQ(told[0]->priority, expected.priority);
  EXPECT_EQ(told[0]->correlation_id, expected.correlation_id);
  EXPECT_EQ(told[0]->parent_event_id, expected.parent_event_id);
  EXPECT_EQ(told[0]->payload.view(), expected.payload.view());
  EXPECT_EQ(run("SELECT last_seq FROM log_head").one_field().as<int>(), 6);
  EXPECT_EQ(run("SELECT seq FROM log_durable").one_field().as<int>(), 6);
  const auto thread = run("SELECT event_count, last_seq FROM "
                          "correlation_threads");
  ASSERT_EQ(thread.size(), 1);
  EXPECT_EQ(thread[0][0].as<int>(), 6);
  EXPECT_EQ(thread[0][1].as<int>(), 6);
  // Whoever appends next goes on behind it.
  const std::vector<event_ptr> more{event_ptr{numbered_event(6)}};
  EXPECT_EQ(must(session->append(more)).at(0).outcome.seq, 7);
}

/// 50,000 events of one week, GitHub's but for every tenth.
constexpr auto many_events = R"(
  INSERT INTO events (seq, id, created_at, payload_bytes, platform, event_id,
                      event_type, source_id, source_name, actor_id, actor_name,
                      correlation_id, parent_event_id, priority, processed_at,
                      payload)
  SELECT g, md5(g::text)::uuid, '2026-01-27'::timestamptz + g * interval '1 s',
         60, CASE WHEN g % 10 = 0 THEN 'slack' ELSE 'github' END, 'd' || g,
         'type' || g % 20, (g % 500)::text, 'octo/repo' || g % 500,
         (g % 300)::text, 'user' || g % 300, md5((g / 10)::text)::uuid,
         CASE WHEN g % 1000 = 0 THEN md5((g - 1)::text)::uuid END,
         CASE WHEN g % 2000 = 0 THEN 'critical' WHEN g % 3 = 0 THEN 'high'
              ELSE 'normal' END::event_priority,
         CASE WHEN g % 2 = 0 THEN now() END,
         json_build_object('pull_request', json_build_object('base',
           json_build_object('ref', 'branch' || g % 5000)))
  FROM generate_series(1, 50000) g)";

TEST_F(postgres_schema, EveryFilterIsServedByAnIndex) {
  must(store_->migrate());
  must(store_->open_maintenance()->prepare_partitions(noon));
  run(many_events);
  // An operator's own, over a path that is asked for often.
  run(R"(CREATE INDEX ON events
         ((payload #>> '{pull_request,base,ref}'), seq))");
  run("ANALYZE");
  const auto some = *uuid::parse("c4ca4238-a0b9-2382-0dcc-509a6f75849b");
  const auto ask = [](auto change) {
    event_query q;
    q.limit = 50;
    change(q);
    return q;
  };
  const std::pair<const char*, event_query> questions[] = {
      {"seq|pkey", ask([](auto&) {})},
      {"id", ask([&](auto& q) { q.id = some; })},
      {"event_key", ask([](auto& q) { q.event_ids = {"d77"}; })},
      {"event_key", ask([](auto& q) {
         q.event_ids = {"d77"};
         q.platforms = {"github", "slack"};
       })},
      {"platform", ask([](auto& q) { q.platforms = {"gitlab"}; })},
      {"event_type", ask([](auto& q) { q.event_types = {"typo"}; })},
      {"source_id", ask([](auto& q) { q.source_ids = {"77"}; })},
      {"source_name", ask([](auto& q) { q.source_names = {"octo/repo7"}; })},
      {"actor_id", ask([](auto& q) { q.actor_ids = {"77"}; })},
      {"actor_name", ask([](auto& q) { q.actor_names = {"user7"}; })},
      {"actor_(id|name)|pkey", ask([](auto& q) { q.actors = {"user7"}; })},
      {"correlation_id", ask([&](auto& q) { q.correlation_id = some; })},
      {"parent_event_id", ask([&](auto& q) { q.parent_event_id = some; })},
      {"priority", ask([](auto& q) { q.priorities = {priority::critical}; })},
      {"seq|pkey", ask([](auto& q) { q.processed = true; })},
      {"seq|pkey", ask([](auto& q) {
         q.processed_since = *parse_rfc3339("2020-01-01T00:00:00Z");
       })},
      {"seq|created_at|pkey", ask([](auto& q) {
         q.since = *parse_rfc3339("2026-01-27T05:00:00Z");
         q.until = *parse_rfc3339("2026-01-27T05:01:00Z");
       })},
      {"pull_request|expr", ask([](auto& q) {
         q.conditions = {{"payload.pull_request.base.ref", "branch77"}};
       })},
      {"seq|pkey", ask([](auto& q) { q.cursor = 25'000; })},
  };
  pqxx::connection c{url_};
  pqxx::nontransaction tx{c};
  for (const auto& [index, q] : questions) {
    const auto s = postgres::page_statement(q, 1'000'000);
    std::string plan;
    for (const auto& row :
         tx.exec("EXPLAIN (COSTS OFF) " + s.sql, s.parameters))
      plan += std::string{row[0].view()} + '\n';
    // The week that has them; of an empty one there is nothing to gain.
    EXPECT_EQ(plan.find("Seq Scan on events_20260126"), plan.npos)
        << index << '\n'
        << s.sql << '\n'
        << plan;
    EXPECT_TRUE(std::regex_search(
        plan, std::regex{"Index[^\n]*_(" + std::string{index} + ")"}))
        << index << '\n'
        << plan;
  }
}

// Each event that teaches a fact asks for it, mostly for nothing.
TEST_F(postgres_schema, WhatWaitsForAFactIsFoundByTheFact) {
  must(store_->migrate());
  run("INSERT INTO correlation_pending (fact, event_id, key, "
      "event_created_at, evidence) "
      "SELECT 'linear:team:T' || n % 2, gen_random_uuid(), "
      "'linear:issue:T' || n % 2 || '-' || n, "
      "now() + n * interval '1 minute', json_build_object('t', repeat('x', "
      "350)) "
      "FROM generate_series(1, 600) AS g (n)");
  run("ANALYZE correlation_pending");
  const auto body = run("SELECT prosrc FROM pg_proc "
                        "WHERE proname = 'look_up_threads'")
                        .one_field()
                        .as<std::string>();
  const auto begin = body.find("SELECT 'wait'");
  auto statement = body.substr(begin, body.find(';', begin) - begin);
  statement = std::regex_replace(statement, std::regex{"p_waited_for"},
                                 "ARRAY['linear:team:NEW']");
  statement = std::regex_replace(statement, std::regex{"c_waiting"}, "5000");
  std::string plan;
  for (const auto& row :
       run("SET enable_seqscan = off; EXPLAIN (COSTS OFF) " + statement))
    plan += std::string{row[0].view()} + '\n';
  EXPECT_NE(plan.find("Index Cond: (fact = "), plan.npos) << plan;
  EXPECT_EQ(plan.find("correlation_pending_time"), plan.npos) << plan;
}

TEST_F(postgres_schema, WeeksAreMadeAheadAndDroppedAsAWhole) {
  must(store_->migrate());
  auto session = store_->open_session();
  auto maintenance = store_->open_maintenance();
  // It came before its week was made.
  std::vector<event_ptr> early{event_ptr{numbered_event(1)}};
  must(session->append(early));
  EXPECT_GT(must(maintenance->prepare_partitions(noon)), 0);
  EXPECT_EQ(must(maintenance->prepare_partitions(noon)), 0);
  EXPECT_EQ(run("SELECT tableoid::regclass FROM events").one_field().view(),
            "events_20260126");
  std::vector<event_ptr> more{event_ptr{numbered_event(1)},
                              event_ptr{numbered_event(2)}};
  EXPECT_EQ(must(session->append(more)).at(1).outcome.seq, 2);
  must(maintenance->roll_up_metrics());
  retention_policy policy;
  policy.keep = days{30};
  auto later = noon + days{60};
  dead_letter d;
  d.id = d.event_id.emplace(numbered_event(1).id);
  must(session->add_dead_letter(d));
  auto held = must(maintenance->apply_retention(policy, later, false));
  ASSERT_FALSE(held.empty());
  auto week = std::find_if(held.begin(), held.end(),
                           [](auto& i) { return i.what == "2026-01-26"; });
  ASSERT_NE(week, held.end());
  EXPECT_EQ(week->action, retention_item::kind::keep_week);
  EXPECT_EQ(week->reason, "a dead letter needs it");
  must(session->drop_dead_letter(d.id));
  must(maintenance->apply_retention(policy, later, false));
  EXPECT_TRUE(run("SELECT to_regclass('events_20260126')")[0][0].is_null());
  EXPECT_TRUE(
      run("SELECT to_regclass('github_events_20260126')")[0][0].is_null());
  EXPECT_EQ(must(session->head()).seq, 2);
}

// With millions of events of other platforms it would end in a time-out.
// As when somebody runs it by hand while the server does.
TEST_F(postgres_schema, TwoRetentionsAtOnceAreNotInEachOthersWay) {
  must(store_->migrate());
  auto maintenance = store_->open_maintenance();
  for (int week = 0; week < 6; ++week)
    must(maintenance->prepare_partitions(noon + days{7 * week}));
  std::vector<event_ptr> events{event_ptr{numbered_event(1)}};
  must(store_->open_session()->append(events));
  must(maintenance->roll_up_metrics());
  retention_policy policy;
  policy.keep = days{30};
  const auto retain = [&] {
    auto store = must(open_store({url_}));
    must(store->open_maintenance()->apply_retention(policy, noon + days{90},
                                                    false));
  };
  auto other = std::async(std::launch::async, retain);
  retain();
  other.get();
  EXPECT_TRUE(run("SELECT to_regclass('events_20260126')")[0][0].is_null());
}

TEST_F(postgres_schema, RetentionOfOnePlatformDoesNotReadTheOthers) {
  must(store_->migrate());
  auto session = store_->open_session();
  std::vector<event_ptr> events;
  for (int n = 1; n <= 200; ++n)
    events.emplace_back(numbered_event(n));
  auto message = numbered_event(201);
  message.platform = "slack";
  events.emplace_back(std::move(message));
  must(session->append(events));
  must(store_->open_maintenance()->roll_up_metrics());
  pqxx::connection c{url_};
  pqxx::work tx{c};
  EXPECT_EQ(tx.exec("SELECT platform FROM expired_events(NULL, "
                    "'{\"slack\":\"10 days\"}', '2027-01-01', 100)")
                .one_field()
                .view(),
            "slack");
  EXPECT_LT(tx.exec("SELECT sum(seq_tup_read + idx_tup_fetch)::bigint "
                    "FROM pg_stat_xact_user_tables "
                    "WHERE relname LIKE 'events%'")
                .one_field()
                .as<int64_t>(),
            50);
}

TEST_F(postgres_schema, DeliveriesAreKnownAcrossWeeksWithinTheWindow) {
  must(store_->migrate());
  auto session = store_->open_session();
  auto maintenance = store_->open_maintenance();
  must(maintenance->prepare_partitions(noon));
  auto again = [&](std::chrono::seconds later) {
    auto e = numbered_event(1);
    e.id.bytes[15] ^= 1;
    e.created_at += later;
    std::vector<event_ptr> one{event_ptr{e}};
    return must(session->append(one)).at(0).outcome.duplicate;
  };
  std::vector<event_ptr> first{event_ptr{numbered_event(1)}};
  must(session->append(first));
  EXPECT_TRUE(again(days{8}));
  EXPECT_FALSE(again(days{15}));
}

TEST_F(postgres_schema, TheWriterCannotDropAndTheAnalystCannotWrite) {
  must(store_->migrate());
  run_file("roles.sql", url_);
  run("DROP ROLE IF EXISTS test_writer");
  run("DROP ROLE IF EXISTS test_analyst");
  run("CREATE ROLE test_writer LOGIN IN ROLE eventweft_writer");
  run("CREATE ROLE test_analyst LOGIN IN ROLE eventweft_analyst");
  auto as = [&](const std::string& role) {
    auto url = url_;
    return url.replace(url.find("postgres@"), 8, role);
  };
  // The whole of the server's work.
  auto store = must(open_store({as("test_writer")}));
  must(store->check_schema());
  must(store->check_rights());
  must(store_->check_rights());
  auto analyst = must(open_store({as("test_analyst")}));
  must(analyst->check_schema());
  const auto rights = analyst->check_rights();
  ASSERT_FALSE(rights);
  EXPECT_EQ(rights.error().code, ec::forbidden);
  EXPECT_NE(rights.error().message.find("INSERT on events"), std::string::npos)
      << rights.error().message;
  must(store->migrate());
  auto session = store->open_session();
  auto e = numbered_event(1);
  e.details.github = R"({"action":"opened"})";
  e.keys.push_back({.key = "github:pr:octo/repo#1"});
  std::vector<event_ptr> one{event_ptr{e}};
  EXPECT_EQ(must(session->append(one)).at(0).outcome.seq, 1);
  must(session->read_after(0, 10, SIZE_MAX));
  must(session->query({}));
  EXPECT_EQ(must(store->open_threads()->recent({})).size(), 1u);
  dead_letter d;
  d.id = e.id;
  must(session->add_dead_letter(d));
  must(session->drop_dead_letter(d.id));
  const auto tickets = store->open_tickets();
  const std::string hash(64, '0');
  must(tickets->add({hash, "all_events", "1:key", {}}, {}));
  EXPECT_TRUE(must(tickets->take(hash)));
  auto maintenance = store->open_maintenance();
  EXPECT_GT(must(maintenance->prepare_partitions(noon)), 0);
  EXPECT_EQ(must(maintenance->roll_up_metrics()), 1);
  run("SELECT mark_event_processed('" + to_string(e.id) + "')",
      as("test_writer"));
  performance_sample sample;
  sample.recorded_at = noon;
  sample.stage = "commit";
  must(maintenance->record_performance(std::vector{sample}));
  auto reports = store->open_reports();
  EXPECT_EQ(must(reports->read(noon)).stages.size(), 1u);
  EXPECT_EQ(must(reports->forget_samples(noon + 1s)), 1);
  retention_policy policy;
  policy.keep = days{30};
  must(maintenance->apply_retention(policy, noon + days{60}, true));
  must(maintenance->apply_retention(policy, noon + days{60}, false));
  EXPECT_TRUE(must(session->read_after(0, 10, SIZE_MAX)).events.empty());

  for (auto* forbidden :
       {"DROP TABLE events", "DROP TABLE dead_letters", "TRUNCATE events",
        "DELETE FROM events", "UPDATE events SET payload = '{}'",
        "ALTER TABLE events ADD COLUMN x int", "CREATE TABLE mine (a int)"})
    EXPECT_THROW(run(forbidden, as("test_writer")),
                 pqxx::insufficient_privilege)
        << forbidden;
  EXPECT_NO_THROW(run("SELECT * FROM recent_events", as("test_analyst")));
  for (auto* forbidden :
       {"INSERT INTO event_streams (name) VALUES ('x')", "DELETE FROM events",
        "UPDATE log_head SET last_seq = 0", "DROP TABLE events",
        "SELECT secrets FROM stream_subscriptions",
        "SELECT apply_retention('1 day')", "SELECT ensure_partitions()"})
    EXPECT_THROW(run(forbidden, as("test_analyst")),
                 pqxx::insufficient_privilege)
        << forbidden;
}

// Whoever migrates is a member of the owner, or a superuser; roles.sql was run
// before, and is not run again.
TEST_F(postgres_schema, AMigrationOfWhatTheOwnerHasLeavesTheWriterItsRights) {
  for (const std::string migrating : {"test_owner", "postgres"}) {
    const auto url = shared_server().create_database();
    const auto as = [&](const std::string& role) {
      auto other = url;
      return other.replace(url.find("postgres@"), 8, role);
    };
    set_up_schema(46, url);
    run_file("roles.sql", url);
    run("DROP ROLE IF EXISTS test_owner");
    run("CREATE ROLE test_owner LOGIN IN ROLE eventweft_owner");
    run("DROP ROLE IF EXISTS test_writer");
    run("CREATE ROLE test_writer LOGIN IN ROLE eventweft_writer");
    EXPECT_EQ(must(must(open_store({as(migrating)}))->migrate()).from, 46);
    const auto store = must(open_store({as("test_writer")}));
    must(store->check_rights());
    EXPECT_GT(must(store->open_maintenance()->prepare_partitions(noon)), 0);
    start_processor(store);
    EXPECT_EQ(fills(url), "fillfactor=45");
  }
}

// Hosted databases give nobody more.
TEST_F(postgres_schema, RolesAreMadeWithoutASuperuser) {
  run("DROP ROLE IF EXISTS test_admin");
  run("CREATE ROLE test_admin LOGIN CREATEROLE");
  auto url = shared_server().create_database();
  run("ALTER SCHEMA public OWNER TO test_admin", url);
  url.replace(url.find("postgres@"), 8, "test_admin");
  run_file("events_schema.sql", url);
  // Again, too, as after a migration.
  for (int time = 0; time < 2; ++time)
    run_file("roles.sql", url);
  EXPECT_EQ(
      run("SELECT tableowner FROM pg_tables WHERE tablename = 'events'", url)
          .one_field()
          .view(),
      "eventweft_owner");
}

// Such a database takes most events, and fails on the first one with a text of
// another alphabet.
TEST_F(postgres_schema, ADatabaseOfAnotherEncodingIsRefused) {
  run("CREATE DATABASE not_utf8 ENCODING 'SQL_ASCII' TEMPLATE template0 "
      "LC_COLLATE 'C' LC_CTYPE 'C'");
  const auto store = must(open_store({shared_server().url("not_utf8")}));
  for (const auto& refused : {store->migrate(), store->check_schema()}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ec::schema_mismatch);
    EXPECT_THAT(refused.error().message,
                ::testing::AllOf(::testing::HasSubstr("is SQL_ASCII"),
                                 ::testing::HasSubstr("ENCODING 'UTF8'")));
  }
}

TEST_F(postgres_schema, ADatabasesOwnDefaultsDoNoHarm) {
  const auto url = shared_server().create_database("template0");
  const auto name = url.substr(url.rfind('/') + 1);
  for (const auto* setting :
       {"standard_conforming_strings = off", "DateStyle = 'German'",
        "TimeZone = 'Asia/Kathmandu'", "IntervalStyle = 'iso_8601'",
        "bytea_output = 'escape'", "extra_float_digits = -15"})
    run("ALTER DATABASE " + name + " SET " + setting);
  const auto store = must(open_store({url}));
  const auto done = store->migrate();
  EXPECT_TRUE(done) << done.error().message;
}

// A rule of the operator's own about what may be stored.
TEST_F(postgres_schema, WhatATriggerRaisesIsTheRowsFault) {
  must(store_->migrate());
  run("CREATE FUNCTION ours() RETURNS trigger LANGUAGE plpgsql AS "
      "$$BEGIN IF NEW.event_id = 'delivery-2' THEN "
      "RAISE 'no thank you'; END IF; RETURN NEW; END$$");
  run("CREATE TRIGGER ours BEFORE INSERT ON events FOR EACH ROW "
      "EXECUTE FUNCTION ours()");
  const auto session = store_->open_session();
  std::vector<event_ptr> events;
  for (int i = 1; i <= 3; ++i)
    events.push_back(event_ptr{numbered_event(i)});
  const auto results = must(session->append(events));
  ASSERT_TRUE(results[1].refused);
  EXPECT_EQ(results[1].refused->code, ec::row_refused);
  EXPECT_EQ(results[1].refused->message, "no thank you");
  EXPECT_EQ(results[2].outcome.seq, 2);
}

} // namespace
} // namespace eventweft::testing
