// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/persistence/store_fixture.hpp"

namespace eventweft::testing {
namespace {

using processing::changes;
using processing::status;
using processing::status_row;

class processing_contract : public store_contract {
 protected:
  processing_contract() : memory_(store_->open_processing()) {}

  /// Appends event number `n` and gives it back as it is in the log.
  event_ptr stored(int n) {
    append({numbered_event(n)});
    return *must(session_->find(numbered_event(n).id));
  }

  static status_row row(const event_ptr& ev, status s) {
    status_row out;
    out.event = ev;
    out.status = s;
    out.attempts = 1;
    if (s != status::pending)
      out.started_at = noon;
    if (s == status::completed || s == status::failed) {
      out.completed_at = noon + std::chrono::seconds{3};
      out.duration = 0.25;
    }
    out.settled = s == status::completed || s == status::failed;
    if (s == status::failed || s == status::retrying)
      out.error = "it said 'no'";
    return out;
  }

  event_ptr again(const event_ptr& ev) { return *must(session_->find(ev->id)); }

  const fence nobody_{"processor:p", 0};
  std::unique_ptr<processing_store> memory_;
};

/// With figures, retention or leases, which a store in memory has not.
class processing_upkeep_contract : public processing_contract {};

TEST_P(processing_contract, KnowsNothingOfAProcessorThatWasNeverSeen) {
  EXPECT_TRUE(must(memory_->marks("p")).empty());
}

TEST_P(processing_contract, RemembersMarks) {
  changes c;
  c.marks = {{"low", 5, R"({"cursor":5,"open":[[4,0,0,0]]})"},
             {"high", 9, R"({"cursor":9,"open":[]})"}};
  must(memory_->record("p", nobody_, c));
  c.marks = {{"high", 12, R"({"cursor":12,"open":[]})"}};
  must(memory_->record("p", nobody_, c));
  must(memory_->record("other", nobody_, c));
  auto marks = must(memory_->marks("p"));
  EXPECT_THAT(
      marks,
      ::testing::UnorderedElementsAre(
          processing::stored_mark{"low", 5,
                                  R"({"cursor":5,"open":[[4,0,0,0]]})"},
          processing::stored_mark{"high", 12, R"({"cursor":12,"open":[]})"}));
}

TEST_P(processing_contract, KnowsWhoWasThere) {
  EXPECT_TRUE(must(memory_->known()).empty());
  changes c;
  c.marks = {{"low", 5, R"({"cursor":5,"open":[[4,0,0,0]]})"},
             {"high", 9, R"({"cursor":9,"open":[]})"}};
  must(memory_->record("p", nobody_, c));
  c.marks = {{"all", 7, R"({"cursor":7,"open":[]})"}};
  must(memory_->record("a", nobody_, c));
  const auto known = must(memory_->known());
  ASSERT_EQ(known.size(), 3u);
  EXPECT_EQ(known[0].first, "a");
  EXPECT_EQ(known[0].second, c.marks[0]);
  EXPECT_EQ(known[1].first, "p");
  EXPECT_EQ(known[2].first, "p");
}

TEST_P(processing_contract, OneFeedTakesThePlaceOfFour) {
  changes c;
  c.marks = {{"low", 5, R"({"cursor":5,"open":[]})"},
             {"high", 9, R"({"cursor":9,"open":[]})"}};
  must(memory_->record("p", nobody_, c));
  c.marks = {{"all", 5, R"({"cursor":5,"open":[]})"}};
  must(memory_->record("p", nobody_, c));
  const auto marks = must(memory_->marks("p"));
  ASSERT_EQ(marks.size(), 1u);
  EXPECT_EQ(marks[0].feed, "all");
}

TEST_P(processing_contract, AnEventIsProcessedWhenItsLastProcessorIsDone) {
  const auto ev = stored(1);
  changes c;
  c.rows = {row(ev, status::retrying)};
  must(memory_->record("slow", nobody_, c));
  c.rows = {row(ev, status::completed)};
  must(memory_->record("quick", nobody_, c));
  EXPECT_FALSE(again(ev)->processed_at);
  must(memory_->record("slow", nobody_, c));
  EXPECT_EQ(again(ev)->processed_at, noon + std::chrono::seconds{3});
  EXPECT_DOUBLE_EQ(*again(ev)->processing_duration, 0.5) << "of both";
}

TEST_P(processing_contract, WhatOneHasNotBegunIsNotProcessed) {
  const auto ev = stored(1);
  changes c;
  c.rows = {row(ev, status::completed)};
  c.rows[0].settled = false;
  must(memory_->record("quick", nobody_, c));
  EXPECT_FALSE(again(ev)->processed_at);
  // The one that came to an end first may be written last.
  c.rows[0] = row(ev, status::completed);
  *c.rows[0].completed_at += std::chrono::seconds{5};
  must(memory_->record("slow", nobody_, c));
  c.rows[0] = row(ev, status::completed);
  must(memory_->record("quick", nobody_, c));
  EXPECT_EQ(again(ev)->processed_at, noon + std::chrono::seconds{8});
  EXPECT_DOUBLE_EQ(*again(ev)->processing_duration, 0.5);
}

TEST_P(processing_contract, OthersAreDoneWhenTheirMarksSaySo) {
  const auto ev = stored(1);
  changes here;
  here.rows = {row(ev, status::completed)};
  here.rows[0].others = {"b", "never_seen"};
  changes there;
  there.marks = {{"all", 0, R"({"cursor":0,"open":[]})"}};
  must(memory_->record("b", nobody_, there));
  must(memory_->record("a", nobody_, here));
  EXPECT_FALSE(again(ev)->processed_at) << "not read";
  there.marks = {{"all", 9, R"({"cursor":9,"open":[[1,0,0,0]]})"}};
  must(memory_->record("b", nobody_, there));
  must(memory_->record("a", nobody_, here));
  EXPECT_FALSE(again(ev)->processed_at) << "in hand";
  there.marks = {{"all", 9, R"({"cursor":9,"open":[[2,0,0,0]]})"}};
  must(memory_->record("b", nobody_, there));
  must(memory_->record("a", nobody_, here));
  EXPECT_TRUE(again(ev)->processed_at);
}

TEST_P(processing_contract, WhatIsDoneOnceMoreIsNotProcessedUntilThen) {
  const auto ev = stored(1);
  changes c;
  c.rows = {row(ev, status::completed)};
  must(memory_->record("p", nobody_, c));
  ASSERT_TRUE(again(ev)->processed_at);
  c.rows = {row(ev, status::retrying)};
  must(memory_->record("other", nobody_, c));
  EXPECT_FALSE(again(ev)->processed_at);
  EXPECT_FALSE(again(ev)->processing_duration);
  c.rows = {row(ev, status::completed)};
  must(memory_->record("other", nobody_, c));
  EXPECT_TRUE(again(ev)->processed_at);
}

TEST_P(processing_contract, WhatAllHaveGivenUpIsProcessedToo) {
  const auto ev = stored(1);
  changes c;
  c.rows = {row(ev, status::failed)};
  must(memory_->record("p", nobody_, c));
  EXPECT_EQ(again(ev)->processed_at, noon + std::chrono::seconds{3});
}

TEST_P(processing_upkeep_contract, CountsIntoTheFiguresOfTheDay) {
  const auto done = stored(1);
  const auto failed = stored(2);
  changes c;
  c.rows = {row(done, status::completed), row(failed, status::failed)};
  must(memory_->record("p", nobody_, c));
  auto keeper = store_->open_maintenance();
  int64_t processed = 0;
  int64_t errors = 0;
  for (const auto& m : must(keeper->metrics({}))) {
    processed += m.processed;
    errors += m.errors;
  }
  EXPECT_EQ(processed, 1);
  EXPECT_EQ(errors, 1);
}

TEST_P(processing_contract, ALaterRowTakesThePlaceOfAnEarlierOne) {
  const auto ev = stored(1);
  for (auto s : {status::pending, status::processing, status::retrying,
                 status::completed}) {
    changes c;
    c.rows = {row(ev, s)};
    must(memory_->record("p", nobody_, c));
  }
  EXPECT_TRUE(again(ev)->processed_at);
}

TEST_P(processing_contract, ErrorsThatAreNoTextAreKeptReadable) {
  const auto ev = stored(1);
  changes c;
  c.rows = {row(ev, status::failed)};
  c.rows[0].error = std::string{"a\0b\xFF", 4};
  must(memory_->record("p", nobody_, c));
}

TEST_P(processing_upkeep_contract, RetentionWaitsForWhatIsNotDone) {
  const auto ev = stored(1);
  stored(2);
  auto keeper = store_->open_maintenance();
  must(keeper->roll_up_metrics());
  retention_policy policy;
  policy.keep = std::chrono::hours{1};
  const auto later = noon + std::chrono::hours{24 * 30};
  const auto goes = [&] {
    int64_t events = 0;
    for (const auto& item : must(keeper->apply_retention(policy, later, true)))
      if (item.reason.empty())
        events += item.events;
    return events;
  };
  ASSERT_EQ(goes(), 2);
  // Not read yet.
  changes c;
  c.marks = {{"all", 0, R"({"cursor":0,"open":[]})"}};
  must(memory_->record("p", nobody_, c));
  EXPECT_EQ(goes(), 0);
  // Read, and one of them to be tried again.
  c.marks = {{"all", 2, R"({"cursor":2,"open":[[1,1,0,0]]})"}};
  c.rows = {row(ev, status::retrying)};
  must(memory_->record("p", nobody_, c));
  EXPECT_LE(goes(), 1);
  c.rows = {row(ev, status::completed)};
  must(memory_->record("p", nobody_, c));
  EXPECT_EQ(goes(), 2);
}

TEST_P(processing_upkeep_contract, RetentionForgetsWhoWasNotHeardOfForAWeek) {
  const auto ev = stored(1);
  auto keeper = store_->open_maintenance();
  must(keeper->roll_up_metrics());
  retention_policy policy;
  policy.keep = std::chrono::hours{1};
  const auto later = noon + std::chrono::hours{24 * 30};
  const auto held = [&] {
    int64_t events = 0;
    for (const auto& item : must(keeper->apply_retention(policy, later, true)))
      if (item.reason == "a processor is not done with it")
        events += item.events;
    return events;
  };
  changes c;
  c.marks = {{"all", 1, R"({"cursor":1,"open":[[1,1,0,0]]})"}};
  c.rows = {row(ev, status::retrying)};
  must(memory_->record("p", nobody_, c));
  EXPECT_EQ(held(), 1);
  const auto heard_of = [this](std::chrono::hours ago) {
    run_sql("UPDATE processor_marks SET updated_at = '" +
            to_rfc3339(system_clock{}.now() - ago) + "'");
  };
  heard_of(std::chrono::hours{6 * 24});
  EXPECT_EQ(held(), 1);
  heard_of(std::chrono::hours{8 * 24});
  EXPECT_EQ(held(), 0);
  // It is gone with what is known of it, whoever may come back for it.
  must(keeper->apply_retention(policy, later, false));
  EXPECT_FALSE(must(session_->find(ev->id)));
}

// A job that notes by itself what it does has no marks.
TEST_P(processing_upkeep_contract, RetentionWaitsForWhoHasNoMarks) {
  const auto ev = stored(1);
  auto keeper = store_->open_maintenance();
  must(keeper->roll_up_metrics());
  changes c;
  c.rows = {row(ev, status::processing)};
  must(memory_->record("job", nobody_, c));
  retention_policy policy;
  policy.keep = std::chrono::hours{1};
  must(keeper->apply_retention(policy, noon + std::chrono::hours{24 * 30},
                               false));
  EXPECT_TRUE(must(session_->find(ev->id)));
}

TEST_P(processing_upkeep_contract, ATokenThatIsNotTheNewestWritesNothing) {
  // One process owns SQLite's file: it has no leases.
  if (!is_postgres())
    return;
  run_sql("INSERT INTO leases VALUES ('processor:p', 'b', 8, now())");
  const auto ev = stored(1);
  changes c;
  c.rows = {row(ev, status::completed)};
  c.marks = {{"all", 2, R"({"cursor":2,"open":[]})"}};
  const auto refused = memory_->record("p", {"processor:p", 7}, c);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::not_owner);
  EXPECT_TRUE(must(memory_->marks("p")).empty());
  EXPECT_FALSE(again(ev)->processed_at);
  must(memory_->record("p", {"processor:p", 8}, c));
  EXPECT_TRUE(again(ev)->processed_at);
}

INSTANTIATE_TEST_SUITE_P(Engines, processing_contract, all_engines,
                         engine_name);
INSTANTIATE_TEST_SUITE_P(Engines, processing_upkeep_contract, both_engines,
                         engine_name);

} // namespace
} // namespace eventweft::testing
