// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/persistence/store_fixture.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <pqxx/pqxx>

namespace eventweft::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class maintenance_contract : public store_contract {
 protected:
  maintenance_contract() : maintenance_(store_->open_maintenance()) {}

  /// Everything of a query as "a|b" a row.
  std::vector<std::string> rows(const std::string& sql) const {
    std::vector<std::string> all;
    if (is_postgres()) {
      pqxx::connection c{url_};
      for (const auto& row : pqxx::nontransaction{c}.exec(sql)) {
        std::string line;
        for (const auto& field : row)
          line += (line.empty() ? "" : "|") + std::string{field.view()};
        all.push_back(line);
      }
    } else {
      SQLite::Database db{url_.substr(7)};
      SQLite::Statement q{db, sql};
      while (q.executeStep()) {
        std::string line;
        for (int i = 0; i < q.getColumnCount(); ++i)
          line += (line.empty() ? "" : "|") + q.getColumn(i).getString();
        all.push_back(line);
      }
    }
    return all;
  }

  /// Event `n` of a day that is `age` before noon.
  event aged(int n, std::chrono::seconds age, std::string platform = "github") {
    auto e = numbered_event(n);
    e.created_at = noon - age;
    e.platform = std::move(platform);
    return e;
  }

  std::vector<seq_t> seqs() {
    std::vector<seq_t> all;
    for (auto& e : must(session_->read_after(0, 1000, SIZE_MAX)).events)
      all.push_back(e->seq);
    return all;
  }

  std::vector<retention_item> retain(const retention_policy& policy,
                                     bool dry_run = false) {
    must(maintenance_->roll_up_metrics());
    return must(maintenance_->apply_retention(policy, noon, dry_run, 1000));
  }

  /// A processor is done with event `n`, which took it half a second.
  void process(int n) {
    processing::status_row row;
    row.event = *must(session_->find(numbered_event(n).id));
    row.status = processing::status::completed;
    row.attempts = 1;
    row.completed_at = noon;
    row.duration = 0.5;
    row.settled = true;
    processing::changes done;
    done.rows = {row};
    must(store_->open_processing()->record("notify", {"processor:notify", 0},
                                           done));
  }

  /// What was said of the week that has events.
  static retention_item full_week(const std::vector<retention_item>& items) {
    for (const auto& item : items)
      if (item.events != 0)
        return item;
    return {};
  }

  std::unique_ptr<store_maintenance> maintenance_;
};

/// One writer at a time has the file.
class sqlite_maintenance : public maintenance_contract {};

/// Whoever appends holds the log head.
class postgres_maintenance : public maintenance_contract {};

TEST_P(maintenance_contract, DetailsAreWrittenWithTheEvent) {
  auto pr = numbered_event(1);
  pr.details.github =
      R"({"event":"pull_request","action":"opened","repository_id":186853002,)"
      R"("repository_name":"octo/repo","pr_number":12,"title":"A 'fix'",)"
      R"("state":"open","labels":["bug","ui"],"commit_sha":null})";
  auto issue = numbered_event(2);
  issue.platform = "linear";
  issue.details.linear =
      R"({"type":"Issue","identifier":"ENG-42","title":"Do","state":"Todo"})";
  auto message = numbered_event(3);
  message.platform = "slack";
  message.details.slack =
      R"({"type":"message","channel_id":"C1","user_id":"U1","text":"hi"})";
  auto deployment = numbered_event(4);
  deployment.platform = "deployments";
  deployment.details.deployment =
      R"({"deployment_id":"7","environment":"production",)"
      R"("status":"success","repository_name":"octo/repo",)"
      R"("started_at":"2026-01-31T11:00:00Z","pull_request_number":12})";
  auto bare = numbered_event(5);
  // A person's own plan, say: about no repository.
  auto personal = numbered_event(6);
  personal.source_name.clear();
  personal.details.github = R"({"event":"sponsorship"})";
  auto status = numbered_event(7);
  status.details.github =
      R"({"event":"deployment_status","repository_name":"octo/repo",)"
      R"("pr_number":12,"state":"success"})";
  status.details.deployment = R"({"environment":"staging"})";
  for (auto& r :
       append({pr, issue, message, deployment, bare, personal, status, pr}))
    EXPECT_FALSE(r.refused);
  EXPECT_THAT(
      rows("SELECT event_seq, event, action, repository_id, repository_name, "
           "pr_number, title FROM github_events ORDER BY event_seq"),
      ElementsAre("1|pull_request|opened|186853002|octo/repo|12|A 'fix'",
                  "6|sponsorship|||||", "7|deployment_status|||octo/repo|12|"));
  EXPECT_THAT(rows("SELECT event_seq FROM github_events "
                   "WHERE commit_sha IS NULL AND labels IS NOT NULL"),
              ElementsAre("1"));
  EXPECT_THAT(rows("SELECT event_seq, identifier FROM linear_events"),
              ElementsAre("2|ENG-42"));
  EXPECT_THAT(rows("SELECT event_seq, text FROM slack_events"),
              ElementsAre("3|hi"));
  EXPECT_THAT(rows("SELECT event_seq, environment, pull_request_number "
                   "FROM deployment_events"),
              ElementsAre("4|production|12", "7|staging|"));
  EXPECT_THAT(rows("SELECT seq, context FROM recent_events LIMIT 6"),
              ElementsAre("7|octo/repo#12 -> staging [success]",
                          "6|@codertocat", "5|octo/repo",
                          "4|octo/repo -> production [success]", "3|#C1 @U1 hi",
                          "2|ENG-42 Do [Todo]"));
  EXPECT_THAT(rows("SELECT context FROM recent_events WHERE seq = 1"),
              ElementsAre("octo/repo#12 A 'fix' [open]"));
}

TEST_P(maintenance_contract, DetailsThatDoNotFitRefuseOnlyTheirEvent) {
  auto bad = numbered_event(1);
  bad.details.github = "{not json";
  auto results = append({bad, numbered_event(2)});
  ASSERT_TRUE(results[0].refused);
  EXPECT_EQ(results[0].refused->code, ec::row_refused);
  EXPECT_EQ(results[1].outcome.seq, 1);
  EXPECT_THAT(rows("SELECT event_id FROM events"), ElementsAre("delivery-2"));
}

TEST_P(maintenance_contract, MetricsCountEveryEventOnce) {
  auto other = numbered_event(3);
  other.event_type = "issues:opened";
  append({numbered_event(1), numbered_event(2), other});
  EXPECT_THAT(rows("SELECT event_type, total_events "
                   "FROM event_processing_summary"),
              ElementsAre("push|2", "issues:opened|1"));
  EXPECT_EQ(must(maintenance_->roll_up_metrics()), 3);
  EXPECT_EQ(must(maintenance_->roll_up_metrics()), 0);
  append({numbered_event(4), numbered_event(1)});
  EXPECT_EQ(must(maintenance_->roll_up_metrics()), 1);
  auto all = must(maintenance_->metrics({}));
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].day, "2026-01-31");
  EXPECT_EQ(all[0].platform, "github");
  EXPECT_EQ(all[0].event_type, "push");
  EXPECT_EQ(all[0].source_name, "octo/repo");
  EXPECT_EQ(all[0].events, 3);
  EXPECT_EQ(all[0].average_processing_time, std::nullopt);
  EXPECT_THAT(rows("SELECT event_type, total_events "
                   "FROM event_processing_summary"),
              ElementsAre("push|3", "issues:opened|1"));
  metrics_query q;
  q.platform = "slack";
  EXPECT_THAT(must(maintenance_->metrics(q)), IsEmpty());
  q = {};
  q.from = "2026-02-01";
  EXPECT_THAT(must(maintenance_->metrics(q)), IsEmpty());
}

TEST_P(maintenance_contract, PerformanceSamplesAreKept) {
  performance_sample s;
  s.recorded_at = noon;
  s.stage = "store";
  s.duration = 1500us;
  s.event_id = numbered_event(1).id;
  must(maintenance_->record_performance(std::vector{s, s}));
  EXPECT_THAT(rows("SELECT stage, duration FROM event_performance"),
              ElementsAre("store|0.0015", "store|0.0015"));
}

TEST_P(maintenance_contract, ReportsSumFiguresAndSamples) {
  auto reports = store_->open_reports();
  auto empty = must(reports->read(noon));
  EXPECT_TRUE(empty.days.empty() && empty.stages.empty());
  append({aged(1, days{1}), numbered_event(2), aged(3, 0s, "slack"),
          aged(4, days{40}), aged(5, days{10})});
  must(maintenance_->roll_up_metrics());
  process(2);
  std::vector<performance_sample> samples;
  for (int i = 1; i <= 100; ++i) {
    performance_sample s;
    s.recorded_at = noon - 1min;
    s.stage = "commit";
    s.duration = std::chrono::milliseconds{i};
    samples.push_back(s);
  }
  samples.push_back(samples.front());
  samples.back().recorded_at = noon - 2h;
  must(maintenance_->record_performance(samples));

  auto r = must(reports->read(noon));
  ASSERT_THAT(r.days, SizeIs(4));
  EXPECT_EQ(r.days[0].day, "2026-01-31");
  EXPECT_EQ(r.days[2].day, "2026-01-30");
  EXPECT_EQ(r.days[3].day, "2026-01-21");
  ASSERT_THAT(r.types, SizeIs(2));
  EXPECT_EQ(r.types[0].platform, "github");
  EXPECT_EQ(r.types[0].event_type, "push");
  EXPECT_EQ(r.types[0].events, 2);
  EXPECT_EQ(r.types[0].processed, 1);
  EXPECT_EQ(r.types[0].average_processing_time, 0.5);
  EXPECT_EQ(r.types[1].average_processing_time, std::nullopt);
  ASSERT_THAT(r.sources, SizeIs(2));
  EXPECT_EQ(r.sources[0].source_name, "octo/repo");
  ASSERT_THAT(r.stages, SizeIs(1));
  EXPECT_EQ(r.stages[0].samples, 100);
  EXPECT_DOUBLE_EQ(r.stages[0].median, 0.050);
  EXPECT_DOUBLE_EQ(r.stages[0].percentile_95, 0.095);
  EXPECT_DOUBLE_EQ(r.stages[0].maximum, 0.100);
  EXPECT_NEAR(r.stages[0].average, 0.0505, 1e-9);
  EXPECT_EQ(must(reports->forget_samples(noon - 1h)), 1);
  EXPECT_EQ(must(reports->forget_samples(noon - 1h)), 0);
  EXPECT_NE(report_json(r, noon).find(R"("as_of":"2026-01-31T12:00:00)"),
            std::string::npos);
}

TEST_P(maintenance_contract, RetentionLetsOldEventsGo) {
  append({aged(1, days{100}), aged(2, days{98}), aged(3, days{1}),
          numbered_event(4)});
  retention_policy policy;
  policy.keep = days{90};
  auto planned = retain(policy, true);
  EXPECT_FALSE(planned.empty());
  EXPECT_EQ(seqs(), (std::vector<seq_t>{1, 2, 3, 4}));
  auto done = retain(policy);
  ASSERT_EQ(done.size(), planned.size());
  for (size_t i = 0; i < done.size(); ++i) {
    EXPECT_EQ(done[i].what, planned[i].what);
    EXPECT_EQ(done[i].events, planned[i].events);
  }
  EXPECT_EQ(seqs(), (std::vector<seq_t>{3, 4}));
  EXPECT_THAT(retain(policy), IsEmpty());
  // Readers, numbers and new events go on as if nothing had happened.
  EXPECT_EQ(append({numbered_event(5)})[0].outcome.seq, 5);
  EXPECT_EQ(must(session_->read_after(0, 1, SIZE_MAX)).last, 3);
}

TEST_P(maintenance_contract, PlatformsCanHaveATimeOfTheirOwn) {
  append({aged(1, days{40}, "slack"), aged(2, days{40}),
          aged(3, days{20}, "slack"), aged(4, days{400}, "linear")});
  retention_policy policy;
  policy.keep = days{90};
  policy.platforms["slack"] = days{30};
  policy.platforms["linear"] = days{1000};
  retain(policy);
  EXPECT_EQ(seqs(), (std::vector<seq_t>{2, 3, 4}));
  policy.keep.reset();
  policy.platforms["slack"] = days{10};
  retain(policy);
  EXPECT_EQ(seqs(), (std::vector<seq_t>{2, 4}));
}

TEST_P(maintenance_contract, PlatformsNobodyKnowsCanHaveATime) {
  append({aged(1, days{40}, "shop"), aged(2, days{40}, "github"),
          aged(3, days{40}, "slack"), aged(4, days{5}, "shop"),
          aged(5, days{100}, "github")});
  retention_policy policy;
  policy.others = retention_policy::others_rule{days{10}, {"github", "slack"}};
  // Those that are known are kept for ever.
  retain(policy);
  EXPECT_EQ(seqs(), (std::vector<seq_t>{2, 3, 4, 5}));
  policy.keep = days{90};
  policy.platforms["slack"] = days{30};
  retain(policy);
  EXPECT_EQ(seqs(), (std::vector<seq_t>{2, 4}));
}

TEST_P(maintenance_contract, RetentionKeepsWhatIsStillNeeded) {
  append({aged(1, days{100}), aged(2, days{100}), aged(3, days{100})});
  retention_policy policy;
  policy.keep = days{90};
  dead_letter d;
  d.id = d.event_id.emplace(numbered_event(1).id);
  must(session_->add_dead_letter(d));
  run_sql("INSERT INTO stream_subscriptions (id, stream_name, subscriber_id, "
          "type, cursor_seq) VALUES ('" +
          to_string(d.id) + "', 'all_events', 'me', 'sse', 2)");
  retain(policy);
  EXPECT_EQ(seqs(), (std::vector<seq_t>{1, 3}));
  run_sql("UPDATE stream_subscriptions SET cursor_seq = 3");
  must(session_->drop_dead_letter(d.id));
  retain(policy);
  EXPECT_THAT(seqs(), IsEmpty());
}

TEST_P(maintenance_contract, WhatIsHeldBackIsToldWithTheReason) {
  must(maintenance_->prepare_partitions(noon - days{100}));
  append({aged(1, days{100}), aged(2, days{100}), aged(3, days{100})});
  retention_policy policy;
  policy.keep = days{90};
  dead_letter d;
  d.id = d.event_id.emplace(numbered_event(1).id);
  must(session_->add_dead_letter(d));
  run_sql("INSERT INTO stream_subscriptions (id, stream_name, subscriber_id, "
          "type, cursor_seq) VALUES ('" +
          to_string(d.id) + "', 'all_events', 'me', 'sse', 2)");
  for (const bool dry_run : {true, false}) {
    std::vector<std::string> held;
    for (const auto& item : retain(policy, dry_run))
      if (!item.reason.empty())
        held.push_back(std::string{to_string(item.action)} + ' ' + item.what +
                       ' ' + std::to_string(item.events) + ' ' + item.reason);
    if (is_postgres()) {
      EXPECT_THAT(held, ::testing::Contains(::testing::EndsWith(
                            "3 a subscription has not read it")));
    } else {
      EXPECT_THAT(held,
                  ElementsAre("keep events github 1 a dead letter needs it",
                              "keep events github 1 a subscription has not "
                              "read it"));
    }
  }
}

// Of a platform that is kept shorter than others no week speaks.
TEST_P(maintenance_contract, SingleEventsThatAreHeldBackAreToldWithTheReason) {
  must(maintenance_->prepare_partitions(noon - days{40}));
  append({aged(1, days{40}, "linear"), aged(2, days{40}, "linear"),
          aged(3, days{40}, "slack"), aged(4, days{40}),
          aged(5, days{900}, "slack"), aged(6, days{1}, "slack")});
  retention_policy policy;
  policy.keep = days{30};
  policy.platforms["github"] = days{200};
  processing::status_row row;
  row.event = *must(session_->find(numbered_event(1).id));
  row.status = processing::status::retrying;
  row.attempts = 1;
  processing::changes open;
  open.rows = {row};
  open.marks = {{"all", 6, R"({"cursor":6,"open":[[1,1,0,0]]})"}};
  must(store_->open_processing()->record("notify", {"processor:notify", 0},
                                         open));
  for (const int n : {3, 5}) {
    dead_letter d;
    d.id = d.event_id.emplace(numbered_event(n).id);
    must(session_->add_dead_letter(d));
  }
  const auto planned = [&] {
    std::vector<std::string> all;
    for (const auto& item : retain(policy, true))
      if (item.events != 0)
        all.push_back(std::string{to_string(item.action)} + ' ' + item.what +
                      ' ' + std::to_string(item.events) +
                      (item.reason.empty() ? "" : ": " + item.reason));
    return all;
  };
  EXPECT_THAT(planned(),
              ElementsAre("delete events linear 1",
                          "keep events linear 1: a processor is not done with "
                          "it",
                          "keep events slack 2: a dead letter needs it"));
  run_sql("INSERT INTO stream_subscriptions (id, stream_name, subscriber_id, "
          "type, cursor_seq) VALUES ('" +
          to_string(numbered_event(1).id) + "', 'all_events', 'me', 'sse', 1)");
  EXPECT_THAT(planned(),
              ElementsAre("keep events linear 1: a processor is not done with "
                          "it",
                          "keep events linear 1: a subscription has not read "
                          "it",
                          "keep events slack 2: a subscription has not read "
                          "it"));
}

// With a log of which much must stay that takes long, and events come in.
TEST_P(sqlite_maintenance, LookingForWhatMayGoKeepsNobodyFromWriting) {
  append({aged(1, days{100}), aged(2, days{1})});
  dead_letter d;
  d.id = d.event_id.emplace(numbered_event(1).id);
  must(session_->add_dead_letter(d));
  must(maintenance_->roll_up_metrics());
  retention_policy policy;
  policy.platforms = {{"github", days{90}}};
  SQLite::Database other{url_.substr(7), SQLite::OPEN_READWRITE};
  other.exec("BEGIN IMMEDIATE");
  for (const bool dry_run : {true, false}) {
    const auto items =
        must(maintenance_->apply_retention(policy, noon, dry_run, 1000));
    ASSERT_THAT(items, SizeIs(1));
    EXPECT_EQ(items.front().action, retention_item::kind::keep_events);
  }
  other.exec("ROLLBACK");
  must(session_->drop_dead_letter(d.id));
  retain(policy);
  EXPECT_EQ(seqs(), (std::vector<seq_t>{2}));
}

// A part of the log needs a lock for each of its tables and indexes, and the
// whole log while it goes; a year that was never let go of has hundreds.
TEST_P(postgres_maintenance, WeeksGoAFewInATransactionAndAllInACall) {
  for (int week = 1; week <= 6; ++week)
    must(maintenance_->prepare_partitions(noon - days{95 + 7 * week}));
  std::vector<event> old;
  for (int week = 0; week < 6; ++week)
    old.push_back(aged(week + 1, days{135 - 7 * week}));
  old.push_back(aged(7, days{91}));
  old.push_back(aged(8, days{40}, "slack"));
  old.push_back(aged(9, days{1}));
  append(old);
  must(maintenance_->roll_up_metrics());
  // In the midst of what goes.
  dead_letter d;
  d.id = d.event_id.emplace(numbered_event(3).id);
  must(session_->add_dead_letter(d));

  retention_policy policy;
  policy.keep = days{90};
  policy.platforms["slack"] = days{30};
  const auto of_events = [](const std::vector<retention_item>& items) {
    std::vector<std::string> all;
    for (const auto& item : items)
      if (item.events != 0)
        all.push_back(std::string{to_string(item.action)} + " " + item.what +
                      " " + std::to_string(item.events));
    return all;
  };
  const auto planned =
      of_events(must(maintenance_->apply_retention(policy, noon, true)));
  EXPECT_THAT(seqs(), SizeIs(9));
  const auto first =
      rows("SELECT count(*) FILTER (WHERE action = 'drop week'), "
           "count(*) FILTER (WHERE action = 'delete events') "
           "FROM apply_retention('90 days', '{\"slack\": \"30 days\"}', false, "
           "timestamptz '" +
           to_rfc3339(noon) + "')");
  EXPECT_THAT(first, ElementsAre("4|0"));
  const auto gone =
      of_events(must(maintenance_->apply_retention(policy, noon, false)));
  // One that something needs, one whose week is not past its time, a fresh one.
  EXPECT_THAT(seqs(), ElementsAre(3, 7, 9));
  EXPECT_THAT(planned, ::testing::IsSupersetOf(gone));
  EXPECT_THAT(planned, ::testing::Contains("delete events slack 1"));
  EXPECT_THAT(gone, ::testing::Contains("delete events slack 1"));
  EXPECT_EQ(std::ranges::count_if(
                gone, [](auto& l) { return l.starts_with("keep week"); }),
            1);
}

// What is kept as long as anything is goes with its week, whenever retention
// comes round; only what is kept shorter, or in a week that must stay, goes by
// itself.
TEST_P(postgres_maintenance, EventsOfAWeekThatIsNotPastItsTimeStay) {
  for (int week = 0; week < 5; ++week)
    must(maintenance_->prepare_partitions(noon - days{7 * week}));
  std::vector<event> old;
  for (int day = 0; day < 28; ++day) {
    old.push_back(aged(2 * day + 1, days{day}));
    old.push_back(aged(2 * day + 2, days{day}, "slack"));
  }
  append(old);
  must(maintenance_->roll_up_metrics());
  retention_policy policy;
  policy.keep = days{20};
  policy.platforms["slack"] = days{15};
  int64_t single = 0;
  int64_t weeks = 0;
  for (int hours = 0; hours < 14 * 24; hours += 6)
    for (const auto& item : must(maintenance_->apply_retention(
             policy, noon + std::chrono::hours{hours}, false)))
      if (item.action == retention_item::kind::drop_week)
        weeks += item.events != 0 ? 1 : 0;
      else if (item.events != 0) {
        EXPECT_EQ(item.what, "slack");
        single += item.events;
      }
  EXPECT_GE(weeks, 3);
  EXPECT_GT(single, 14);
  // No more than a week longer than asked for.
  for (const auto& line :
       rows("SELECT count(*) FROM events WHERE created_at < timestamptz '" +
            to_rfc3339(noon + days{14} - days{28}) + "'"))
    EXPECT_EQ(line, "0");
}

// To look for what is to be forgotten takes long where there are many keys.
TEST_P(postgres_maintenance, WhereNothingIsToBeForgottenNobodyWaits) {
  append({aged(1, days{1})});
  pqxx::connection appending{url_};
  pqxx::work append_under_way{appending};
  append_under_way.exec("SELECT 1 FROM log_head FOR UPDATE");
  pqxx::connection c{url_};
  pqxx::nontransaction tx{c};
  tx.exec("SET lock_timeout = '2s'");
  EXPECT_EQ(tx.exec("SELECT forget_threads()").one_field().as<int64_t>(), 0);
}

TEST_P(postgres_maintenance, AThreadGoesWithItsKeysAndALostKeyByItself) {
  append({aged(1, days{1})});
  const auto gone = to_string(numbered_event(7).id);
  const auto never = to_string(numbered_event(8).id);
  run_sql("INSERT INTO correlation_threads (id, last_seq, first_event_at, "
          "last_event_at) VALUES ('" +
          gone +
          "', 0, now(), now());"
          "INSERT INTO correlation_merges (old_id, thread_id) VALUES ('" +
          to_string(numbered_event(9).id) + "', '" + gone +
          "');"
          "INSERT INTO correlation_keys (key, thread_id, last_seen) VALUES "
          "('a:1', '" +
          gone + "', now()), ('a:2', '" + gone + "', now()), ('b:1', '" +
          never + "', now())");
  EXPECT_THAT(rows("SELECT forget_threads()"), ElementsAre("1"));
  EXPECT_THAT(rows("SELECT key FROM correlation_keys"), ElementsAre("b:1"));
  EXPECT_THAT(rows("SELECT old_id FROM correlation_merges"), IsEmpty());
  EXPECT_THAT(rows("SELECT forget_threads()"), ElementsAre("1"));
  EXPECT_THAT(rows("SELECT key FROM correlation_keys"), IsEmpty());
  EXPECT_THAT(rows("SELECT forget_threads()"), ElementsAre("0"));
}

TEST_P(maintenance_contract, AReplayUnderWayHoldsWhatItHasNotRead) {
  must(maintenance_->prepare_partitions(noon - days{100}));
  append({aged(1, days{100}), aged(2, days{100}), aged(3, days{100})});
  retention_policy policy;
  policy.keep = days{90};
  run_sql("INSERT INTO stream_subscriptions (id, stream_name, subscriber_id, "
          "type, cursor_seq, replay) VALUES ('" +
          to_string(numbered_event(1).id) +
          "', 'all_events', 'me', 'sse', 3, "
          "'{\"after\":1,\"until\":3,\"filter\":{}}')");
  const auto items = retain(policy);
  EXPECT_EQ(seqs(), (std::vector<seq_t>{2, 3}));
  if (is_postgres()) {
    EXPECT_EQ(full_week(items).reason, "a replay has not read it");
  } else {
    ASSERT_THAT(items, SizeIs(2));
    EXPECT_EQ(items[1].reason, "a replay has not read it");
  }
  run_sql("UPDATE stream_subscriptions SET replay = ''");
  retain(policy);
  EXPECT_THAT(seqs(), IsEmpty());
}

TEST_P(maintenance_contract, ADryRunTellsAllThatWouldGo) {
  std::vector<event> old;
  for (int i = 1; i <= 5; ++i)
    old.push_back(aged(i, days{40}, "slack"));
  append(old);
  must(maintenance_->roll_up_metrics());
  retention_policy policy;
  policy.keep = days{400};
  policy.platforms["slack"] = days{30};
  const auto planned =
      must(maintenance_->apply_retention(policy, noon, true, 2));
  ASSERT_THAT(planned, SizeIs(1));
  EXPECT_EQ(planned[0].events, 5);
  const auto gone = must(maintenance_->apply_retention(policy, noon, false, 2));
  ASSERT_THAT(gone, SizeIs(1));
  EXPECT_EQ(gone[0].events, 2);
  EXPECT_THAT(seqs(), SizeIs(3));
}

TEST_P(maintenance_contract, SqliteGivesSpaceBack) {
  if (is_postgres())
    return;
  int n = 0;
  for (int batch = 0; batch < 10; ++batch) {
    std::vector<event> events;
    for (int i = 0; i < 250; ++i) {
      auto e = aged(++n, days{100});
      e.payload = shared_text{"\"" + std::string(8'000, 'x') + "\""};
      events.push_back(std::move(e));
    }
    append(std::move(events));
  }
  const auto pages = [&](const char* what) {
    return std::stoi(rows(std::string{"PRAGMA "} + what).at(0));
  };
  const auto before = pages("page_count");
  retention_policy policy;
  policy.keep = days{90};
  while (!retain(policy).empty())
    ;
  EXPECT_LE(pages("freelist_count"), 1'000);
  EXPECT_LT(pages("page_count"), before / 2);
}

// Whoever appends waits behind those who wait for a long query.
TEST_P(maintenance_contract, UpkeepDoesNotWaitForAnAnalyst) {
  if (!is_postgres())
    return;
  must(maintenance_->prepare_partitions(noon - days{100}));
  append({aged(1, days{100})});
  store_options patient;
  patient.url = url_;
  patient.lock_timeout = 300s;
  patient.statement_timeout = 300s;
  const auto store = must(open_store(patient));
  const auto upkeep = store->open_maintenance();
  must(upkeep->roll_up_metrics());
  pqxx::connection analyst{url_};
  pqxx::work query{analyst};
  query.exec("SELECT count(*) FROM events");
  retention_policy policy;
  policy.keep = days{90};
  const auto later = noon + days{3'000};
  const auto made = upkeep->prepare_partitions(later);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ec::store_unavailable);
  const auto kept = upkeep->apply_retention(policy, noon, false, 10);
  ASSERT_FALSE(kept);
  EXPECT_THAT(kept.error().message, ::testing::HasSubstr("pg_stat_activity"));
  query.commit();
  EXPECT_GT(must(upkeep->prepare_partitions(later)), 0);
  const auto gone = must(upkeep->apply_retention(policy, noon, false, 10));
  EXPECT_EQ(full_week(gone).action, retention_item::kind::drop_week);
  EXPECT_THAT(seqs(), IsEmpty());
}

TEST_P(maintenance_contract, WhatIsNotCountedIsHeldAndItIsSaid) {
  if (!is_postgres())
    return;
  must(maintenance_->prepare_partitions(noon - days{100}));
  append({aged(1, days{100})});
  retention_policy policy;
  policy.keep = days{90};
  const auto held =
      full_week(must(maintenance_->apply_retention(policy, noon, true, 10)));
  EXPECT_EQ(held.action, retention_item::kind::keep_week);
  EXPECT_EQ(held.reason, "the figures have not counted it");
}

TEST_P(maintenance_contract, TheWindowForDuplicatesIsSet) {
  if (!is_postgres())
    return;
  store_options o;
  o.url = url_;
  o.dedup_window = days{3};
  must(must(open_store(o))->open_maintenance()->prepare_partitions(noon));
  EXPECT_THAT(rows("SELECT dedup_window = interval '3 days' FROM log_head"),
              ElementsAre("t"));
  must(maintenance_->prepare_partitions(noon));
  EXPECT_THAT(rows("SELECT dedup_window = interval '3 days' FROM log_head"),
              ElementsAre("t"));
}

TEST_P(maintenance_contract, DetailsGoWithTheirEvent) {
  auto e = aged(1, days{100});
  e.details.github = R"({"action":"opened"})";
  append({e});
  process(1);
  retention_policy policy;
  policy.keep = days{90};
  retain(policy);
  for (auto* table : {"events", "github_events", "event_processing_status"})
    EXPECT_THAT(rows(std::string{"SELECT 1 FROM "} + table), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Engines, maintenance_contract, both_engines,
                         engine_name);
INSTANTIATE_TEST_SUITE_P(Engine, sqlite_maintenance,
                         ::testing::Values("sqlite"), engine_name);
INSTANTIATE_TEST_SUITE_P(Engine, postgres_maintenance,
                         ::testing::Values("postgres"), engine_name);

} // namespace
} // namespace eventweft::testing
