// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/persistence/store_fixture.hpp"

namespace eventweft::testing {
namespace {

using std::chrono::seconds;

class read_contract : public store_contract {
 protected:
  /// Ten events with payloads of 100 bytes each.
  void fill() {
    std::vector<event> events;
    for (int n = 1; n <= 10; ++n) {
      auto e = numbered_event(n);
      e.payload = shared_text{'"' + std::string(98, 'x') + '"'};
      events.push_back(e);
    }
    append(events);
  }
};

TEST_P(read_contract, AnEmptyLog) {
  auto range = must(session_->read_after(0, 10, 1000));
  EXPECT_TRUE(range.events.empty());
  EXPECT_EQ(range.last, 0);
  EXPECT_EQ(must(session_->seq_before(noon)), 0);
}

TEST_P(read_contract, LimitsByNumber) {
  fill();
  auto range = must(session_->read_after(3, 4, 1'000'000));
  ASSERT_EQ(range.events.size(), 4u);
  EXPECT_EQ(range.first, 4);
  EXPECT_EQ(range.last, 7);
  EXPECT_EQ(range.events.front()->seq, 4);
  EXPECT_EQ(range.events.front()->event_id, "delivery-4");
}

TEST_P(read_contract, LimitsByBytes) {
  fill();
  auto range = must(session_->read_after(0, 1000, 350));
  EXPECT_EQ(range.events.size(), 3u);
  EXPECT_EQ(range.last, 3);
  EXPECT_EQ(must(session_->read_after(0, 1000, 300)).events.size(), 3u);
}

TEST_P(read_contract, GivesAtLeastOneHoweverLarge) {
  fill();
  auto range = must(session_->read_after(9, 1000, 1));
  ASSERT_EQ(range.events.size(), 1u);
  EXPECT_EQ(range.last, 10);
}

TEST_P(read_contract, ReadsToTheEndAndNoFurther) {
  fill();
  EXPECT_EQ(must(session_->read_after(0, 1000, 1'000'000)).last, 10);
  auto none = must(session_->read_after(10, 1000, 1'000'000));
  EXPECT_TRUE(none.events.empty());
  EXPECT_EQ(none.last, 10);
}

TEST_P(read_contract, FindsTheSeqBeforeATime) {
  fill();
  EXPECT_EQ(must(session_->seq_before(noon)), 0);
  EXPECT_EQ(must(session_->seq_before(noon + seconds{5})), 4);
  EXPECT_EQ(must(session_->seq_before(noon + seconds{11})), 10);
}

TEST_P(read_contract, TimesOutOfOrderLoseNothing) {
  // One that waited in a spool comes after younger ones.
  append({numbered_event(1), numbered_event(9), numbered_event(5),
          numbered_event(10)});
  EXPECT_EQ(must(session_->seq_before(noon + seconds{5})), 1);
}

TEST_P(read_contract, FindsById) {
  fill();
  auto found = must(session_->find(numbered_event(6).id));
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)->seq, 6);
  EXPECT_EQ(must(session_->find(numbered_event(77).id)), std::nullopt);
}

TEST_P(read_contract, AnotherSessionSeesWhatWasCommitted) {
  fill();
  auto other = open()->open_session();
  EXPECT_EQ(must(other->head()).seq, 10);
  EXPECT_EQ(must(other->read_after(0, 1000, 1'000'000)).last, 10);
}

INSTANTIATE_TEST_SUITE_P(Engines, read_contract, all_engines, engine_name);

} // namespace
} // namespace eventweft::testing
