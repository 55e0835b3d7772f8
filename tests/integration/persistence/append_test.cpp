// SPDX-License-Identifier: Apache-2.0
#include "codec/json_text.hpp"
#include "tests/integration/persistence/store_fixture.hpp"

#include <set>
#include <thread>

namespace eventweft::testing {
namespace {

using append_contract = store_contract;

std::vector<event> numbered_events(int first, int last) {
  std::vector<event> events;
  for (int n = first; n <= last; ++n)
    events.push_back(numbered_event(n));
  return events;
}

TEST_P(append_contract, NumbersInOrderFromOne) {
  auto first = append(numbered_events(1, 3));
  auto second = append(numbered_events(4, 5));
  ASSERT_EQ(first.size(), 3u);
  ASSERT_EQ(second.size(), 2u);
  EXPECT_EQ(first[0].outcome.seq, 1);
  EXPECT_EQ(first[2].outcome.seq, 3);
  EXPECT_EQ(second[1].outcome.seq, 5);
  EXPECT_EQ(second[1].outcome.id, numbered_event(5).id);
  EXPECT_FALSE(second[1].outcome.duplicate);
  EXPECT_EQ(must(session_->head()).seq, 5);
}

TEST_P(append_contract, AnEmptyBatchIsNothing) {
  EXPECT_TRUE(append({}).empty());
  EXPECT_EQ(must(session_->head()).seq, 0);
}

TEST_P(append_contract, ARedeliveryGetsTheFirstOnesIdAndSeq) {
  append(numbered_events(1, 2));
  auto again = numbered_event(7);
  again.event_id = numbered_event(2).event_id;
  auto results = append({numbered_event(3), again, numbered_event(4)});
  EXPECT_EQ(results[0].outcome.seq, 3);
  EXPECT_TRUE(results[1].outcome.duplicate);
  EXPECT_EQ(results[1].outcome.id, numbered_event(2).id);
  EXPECT_EQ(results[1].outcome.seq, 2);
  EXPECT_EQ(results[2].outcome.seq, 4);
  EXPECT_EQ(must(session_->find(again.id)), std::nullopt);
}

TEST_P(append_contract, DuplicatesWithinABatchLeaveNoHole) {
  auto twin = numbered_event(8);
  twin.event_id = numbered_event(1).event_id;
  auto results = append({numbered_event(1), twin, numbered_event(2), twin});
  EXPECT_EQ(results[0].outcome.seq, 1);
  EXPECT_FALSE(results[0].outcome.duplicate);
  EXPECT_TRUE(results[1].outcome.duplicate);
  EXPECT_EQ(results[1].outcome.id, numbered_event(1).id);
  EXPECT_EQ(results[1].outcome.seq, 1);
  EXPECT_EQ(results[2].outcome.seq, 2);
  EXPECT_TRUE(results[3].outcome.duplicate);
  EXPECT_EQ(must(session_->head()).seq, 2);
}

TEST_P(append_contract, TheSameDeliveryIdOnAnotherPlatformIsNoDuplicate) {
  auto other = numbered_event(2);
  other.event_id = numbered_event(1).event_id;
  other.platform = "linear";
  auto results = append({numbered_event(1), other});
  EXPECT_FALSE(results[1].outcome.duplicate);
  EXPECT_EQ(results[1].outcome.seq, 2);
}

TEST_P(append_contract, AppendingAgainAfterALostAnswerIsNoDuplicate) {
  append(numbered_events(1, 3));
  auto results = append(numbered_events(2, 4));
  EXPECT_FALSE(results[0].outcome.duplicate);
  EXPECT_EQ(results[0].outcome.seq, 2);
  EXPECT_EQ(results[0].outcome.id, numbered_event(2).id);
  EXPECT_EQ(results[2].outcome.seq, 4);
  EXPECT_EQ(must(session_->head()).seq, 4);
}

TEST_P(append_contract, BadRowsFailAlone) {
  auto events = numbered_events(1, 9);
  events[2].platform = "Not A Platform";
  events[6].event_id = std::string{"with\0nul", 8};
  events[7].source_name = "\xFF\xFE";
  auto results = append(events);
  ASSERT_EQ(results.size(), 9u);
  seq_t seq = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    SCOPED_TRACE(i);
    if (i == 2 || i == 6 || i == 7) {
      ASSERT_TRUE(results[i].refused);
      EXPECT_EQ(results[i].refused->code, ec::row_refused);
      EXPECT_FALSE(results[i].refused->message.empty());
      // Its sender sees it: what is wrong, not how we store things.
      for (const auto* ours : {"INSERT", "Failure during", "relation"})
        EXPECT_EQ(results[i].refused->message.find(ours), std::string::npos)
            << results[i].refused->message;
      EXPECT_LT(results[i].refused->message.size(), 200u);
      EXPECT_EQ(results[i].outcome.seq, 0);
    } else {
      EXPECT_FALSE(results[i].refused);
      EXPECT_EQ(results[i].outcome.seq, ++seq);
    }
  }
  EXPECT_EQ(must(session_->head()).seq, 6);
}

TEST_P(append_contract, AnIdThatIsTakenIsRefused) {
  append({numbered_event(1)});
  auto thief = numbered_event(2);
  thief.id = numbered_event(1).id;
  thief.created_at = numbered_event(1).created_at;
  auto results = append({thief, numbered_event(3)});
  ASSERT_TRUE(results[0].refused);
  EXPECT_EQ(results[0].refused->code, ec::row_refused);
  EXPECT_EQ(results[1].outcome.seq, 2);
}

TEST_P(append_contract, EveryMemberComesBack) {
  seeded_random random{99};
  auto e = numbered_event(1);
  e.event_id = "с'\"\\{},NULL\n\t漢字";
  e.event_type = "pull_request:opened";
  e.source_name = "a,b{c}\\d\"e'";
  e.priority = priority::critical;
  e.correlation_id = uuid::v7(noon, random);
  e.parent_event_id = uuid::v7(noon, random);
  e.processed_at = noon + std::chrono::microseconds{123'456};
  e.processing_duration = 0.1;
  auto bare = numbered_event(2);
  bare.source_id = bare.source_name = bare.actor_id = bare.actor_name = "";
  bare.priority = priority::low;
  bare.created_at = noon + std::chrono::microseconds{7};
  append({e, bare});
  e.seq = 1;
  bare.seq = 2;
  EXPECT_EQ(**must(session_->find(e.id)), e);
  EXPECT_EQ(**must(session_->find(bare.id)), bare);
}

TEST_P(append_contract, PayloadsComeBackByteForByte) {
  const std::vector<std::string> payloads{
      R"({"b":1,"a":2,"a":3,  "n":1.50e+400,"big":123456789012345678901234567890})",
      "[\n\t\"\xF0\x9F\x98\x80\", \"\\ud83d\\ude00\", \"\\u00e9\"]\r\n",
      R"({"nul":"a\u0000b"})",
      R"({"lone":"\ud800","low":"\udc00 \ud83d"})",
      R"({"far":[1e999999,-0.5e-20000]})",
      "12",
      "{\"long\":\"" + std::string(300'000, 'x') + "\"}",
  };
  std::vector<event> events;
  for (size_t i = 0; i < payloads.size(); ++i) {
    auto e = numbered_event(static_cast<int>(i));
    e.payload = shared_text{payloads[i]};
    if (auto readable = codec::readable_json(payloads[i]))
      e.payload_readable = shared_text{*readable};
    events.push_back(e);
  }
  ASSERT_FALSE(events[2].payload_readable.empty());
  ASSERT_FALSE(events[3].payload_readable.empty());
  ASSERT_FALSE(events[4].payload_readable.empty());
  for (auto& result : append(events))
    EXPECT_FALSE(result.refused);
  auto range = must(session_->read_after(0, 100, SIZE_MAX));
  ASSERT_EQ(range.events.size(), payloads.size());
  for (size_t i = 0; i < payloads.size(); ++i) {
    EXPECT_EQ(range.events[i]->payload.view(), payloads[i]);
    EXPECT_EQ(range.events[i]->payload_readable, events[i].payload_readable);
  }
}

TEST_P(append_contract, SqlCanReadEveryPayload) {
  auto e = numbered_event(1);
  e.payload = shared_text{R"({"k":"a\u0000b\ud800","n":1e999999})"};
  e.payload_readable = shared_text{*codec::readable_json(e.payload.view())};
  append({e});
  // Fails if what is stored can't be read.
  run_sql("CREATE TABLE seen AS SELECT payload ->> 'k' AS k FROM events "
          "WHERE payload ->> 'k' <> ''");
  if (is_postgres())
    run_sql("CREATE TABLE cast_over AS SELECT payload::jsonb FROM events");
  auto q = numbered_event(2);
  append({q});
  EXPECT_EQ(must(session_->head()).seq, 2);
}

TEST_P(append_contract, ConcurrentSessionsMakeOneGaplessOrder) {
  constexpr int writers = 4;
  constexpr int batches = 25;
  constexpr int batch = 4;
  // Every event is sent by two of the writers.
  auto number = [](int writer, int n) { return writer / 2 * 1000 + n; };
  std::vector<std::vector<append_result>> results(writers);
  std::vector<std::string> failures(writers);
  std::vector<std::thread> threads;
  for (int w = 0; w < writers; ++w)
    threads.emplace_back([&, w] {
      auto session = store_->open_session();
      for (int b = 0; b < batches; ++b) {
        std::vector<event_ptr> events;
        for (int i = 0; i < batch; ++i) {
          auto e = numbered_event(number(w, b * batch + i));
          e.id.bytes[15] = static_cast<uint8_t>(w);
          events.emplace_back(std::move(e));
        }
        auto done = session->append(events);
        if (!done) {
          failures[static_cast<size_t>(w)] = to_string(done.error());
          return;
        }
        auto& mine = results[static_cast<size_t>(w)];
        mine.insert(mine.end(), done->begin(), done->end());
        // What is visible has no hole, at any moment.
        auto range = session->read_after(0, 100'000, SIZE_MAX);
        if (!range ||
            range->events.size() != static_cast<size_t>(range->last)) {
          failures[static_cast<size_t>(w)] = "a hole";
          return;
        }
      }
    });
  for (auto& t : threads)
    t.join();
  EXPECT_THAT(failures, ::testing::Each(""));
  std::set<seq_t> fresh;
  for (auto& mine : results) {
    seq_t last = 0;
    for (auto& r : mine) {
      if (r.outcome.duplicate)
        continue;
      EXPECT_GT(r.outcome.seq, last);
      last = r.outcome.seq;
      EXPECT_TRUE(fresh.insert(r.outcome.seq).second);
    }
  }
  constexpr int distinct = writers / 2 * batches * batch;
  EXPECT_EQ(fresh.size(), static_cast<size_t>(distinct));
  EXPECT_EQ(must(session_->head()).seq, distinct);
}

INSTANTIATE_TEST_SUITE_P(Engines, append_contract, both_engines, engine_name);

} // namespace
} // namespace eventweft::testing
