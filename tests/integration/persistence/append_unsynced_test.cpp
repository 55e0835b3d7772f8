// SPDX-License-Identifier: Apache-2.0
// Appends that are made durable afterwards (`store_session::append_unsynced`).
#include "tests/integration/persistence/store_fixture.hpp"
#include "tests/integration/persistence/thread_support.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

namespace eventweft::testing {
namespace {

class append_unsynced_contract : public store_contract {
 protected:
  append_results append_later(std::vector<event> events) {
    std::vector<event_ptr> batch;
    for (auto& e : events)
      batch.emplace_back(std::move(e));
    return must(session_->append_unsynced(batch));
  }

  /// How many events the ways of reading the log show.
  void expect_shown(size_t count) {
    for (auto* session : {session_.get(), other_.get()}) {
      EXPECT_EQ(must(session->head()).seq, static_cast<seq_t>(count));
      EXPECT_EQ(must(session->read_after(0, 100, SIZE_MAX)).events.size(),
                count);
      EXPECT_EQ(must(session->query({})).events.size(), count);
      event_query forward;
      forward.ascending = true;
      EXPECT_EQ(must(session->query(forward)).events.size(), count);
      EXPECT_LE(must(session->seq_before(noon + std::chrono::hours{1})),
                static_cast<seq_t>(count));
      EXPECT_LE(must(session->seq_before(numbered_event(3).created_at)),
                static_cast<seq_t>(count));
    }
  }

  static event in_thread(int n) {
    return keyed_event(n, {being("github:pr:octo/repo#1")});
  }

  std::unique_ptr<store_session> other_ = store_->open_session();
};

TEST_P(append_unsynced_contract, ReadersSeeWhatIsDurable) {
  append({numbered_event(1)});
  const auto two = append_later({numbered_event(2), numbered_event(3)});
  ASSERT_EQ(two.items.size(), 2u);
  EXPECT_EQ(two.items[1].outcome.seq, 3);
  ASSERT_EQ(two.unsynced.size(), 1u);
  expect_shown(1);
  must(other_->make_durable(two.unsynced));
  expect_shown(3);
  const auto more = append_later({numbered_event(4)});
  ASSERT_EQ(more.unsynced.size(), 1u);
  expect_shown(3);
  must(other_->make_durable(more.unsynced));
  expect_shown(4);
  // Once more does no harm, nor does one that is behind.
  must(other_->make_durable(more.unsynced));
  must(other_->make_durable(two.unsynced));
  expect_shown(4);
}

TEST_P(append_unsynced_contract, ADurableAppendBringsWhatIsBeforeIt) {
  append_later({numbered_event(1)});
  append({numbered_event(2)});
  expect_shown(2);
  append_later({numbered_event(3)});
  expect_shown(2);
}

// A writer that is started again does not know what the last one appended.
TEST_P(append_unsynced_contract, WhateverThereIsCanBeMadeDurable) {
  append_later({numbered_event(1), numbered_event(2)});
  must(other_->make_durable({}));
  expect_shown(2);
}

TEST_P(append_unsynced_contract, ARedeliveryIsKnownAndWaitsAsWell) {
  append({numbered_event(1)});
  const auto first = append_later({numbered_event(2)});
  auto again = numbered_event(7);
  again.event_id = numbered_event(2).event_id;
  const auto second = append_later({again});
  ASSERT_EQ(second.items.size(), 1u);
  EXPECT_TRUE(second.items[0].outcome.duplicate);
  EXPECT_EQ(second.items[0].outcome.seq, 2);
  EXPECT_EQ(second.items[0].outcome.id, numbered_event(2).id);
  // Its sender is told that the first one is stored.
  ASSERT_EQ(second.unsynced.size(), 1u);
  EXPECT_EQ(second.unsynced[0].seq, 2);
  must(session_->make_durable(second.unsynced));
  expect_shown(2);
  must(session_->make_durable(first.unsynced));
}

// Whoever answers a redelivery at once vouches for the first delivery.
TEST_P(append_unsynced_contract, ADurableAppendOfRedeliveriesMakesThemDurable) {
  append_later({numbered_event(1)});
  auto again = numbered_event(7);
  again.event_id = numbered_event(1).event_id;
  const auto plain = append({again});
  ASSERT_EQ(plain.size(), 1u);
  EXPECT_TRUE(plain[0].outcome.duplicate);
  expect_shown(1);

  append_later({in_thread(2)});
  again = in_thread(8);
  again.event_id = in_thread(2).event_id;
  std::vector<event_ptr> batch{event_ptr{std::move(again)}};
  const auto joined = must(other_->append_and_join(batch));
  EXPECT_TRUE(joined.items.at(0).outcome.duplicate);
  EXPECT_TRUE(joined.unsynced.empty());
  expect_shown(2);
}

TEST_P(append_unsynced_contract, ABatchWithKeysIsJoinedAsEver) {
  const auto first = append_later({in_thread(1), numbered_event(2)});
  ASSERT_EQ(first.unsynced.size(), 1u);
  EXPECT_EQ(first.unsynced[0].seq, 2);
  ASSERT_TRUE(first.items[0].correlation_id);
  EXPECT_EQ(first.threads.linked, 1u);
  // The next batch knows the thread before it is durable.
  const auto second = append_later({in_thread(3)});
  EXPECT_EQ(second.items[0].correlation_id, first.items[0].correlation_id);
  expect_shown(0);
  must(session_->make_durable(second.unsynced));
  expect_shown(3);
  // A batch of redeliveries only.
  auto again = in_thread(9);
  again.event_id = in_thread(1).event_id;
  const auto third = append_later({again});
  EXPECT_TRUE(third.items[0].outcome.duplicate);
  ASSERT_EQ(third.unsynced.size(), 1u);
  must(session_->make_durable(third.unsynced));
}

TEST_P(append_unsynced_contract, AThreadIsShownAsFarAsItIsDurable) {
  auto changed = in_thread(2);
  changed.event_type = "pull_request:closed";
  const auto first = must(session_->append_and_join(
      std::vector<event_ptr>{event_ptr{in_thread(1)}}));
  const auto id = first.items.at(0).correlation_id;
  ASSERT_TRUE(id);
  const auto later = append_later({changed, in_thread(3)});
  const auto threads = store_->open_threads();
  const auto shown = [&] {
    const auto story = must(threads->read(*id, {}));
    return std::pair{story->events.size(), story->states.size()};
  };
  EXPECT_EQ(shown(), (std::pair<size_t, size_t>{1, 0}));
  must(other_->make_durable(later.unsynced));
  EXPECT_EQ(shown(), (std::pair<size_t, size_t>{3, 1}));
}

// Whoever looks while the log is appended to and made durable.
TEST_P(append_unsynced_contract, NobodySeesWhatNobodyHasMadeDurable) {
  std::atomic<seq_t> asked{0};
  std::atomic<bool> stop{false};
  std::atomic<int> early{0};
  std::thread reader{[&] {
    for (seq_t last = 0; !stop;) {
      const auto head = must(other_->head()).seq;
      if (head > asked)
        ++early;
      for (const auto& e : must(other_->read_after(last, 100, SIZE_MAX)).events)
        last = e->seq;
      if (last > asked)
        ++early;
      event_query newest;
      newest.limit = 1;
      const auto page = must(other_->query(newest));
      if (!page.events.empty() && page.events[0]->seq > asked)
        ++early;
    }
  }};
  const auto syncs = store_->open_session();
  for (int n = 1; n <= 500; ++n) {
    const auto marks = append_later({numbered_event(n)}).unsynced;
    asked = n;
    must(syncs->make_durable(marks));
  }
  stop = true;
  reader.join();
  EXPECT_EQ(early, 0);
}

TEST_P(append_unsynced_contract, RefusedRowsDoNotHideWhereTheBatchEnds) {
  auto bad = numbered_event(2);
  bad.platform = "Not A Platform";
  auto again = numbered_event(8);
  again.event_id = numbered_event(1).event_id;
  const auto done =
      append_later({numbered_event(1), numbered_event(3), bad, again});
  EXPECT_TRUE(done.items[2].refused);
  // One of each of the transactions that it took.
  ASSERT_FALSE(done.unsynced.empty());
  EXPECT_EQ(done.unsynced[0].seq, 2);
  must(session_->make_durable(done.unsynced));
  expect_shown(2);
}

INSTANTIATE_TEST_SUITE_P(engines, append_unsynced_contract, both_engines,
                         engine_name);

} // namespace
} // namespace eventweft::testing
