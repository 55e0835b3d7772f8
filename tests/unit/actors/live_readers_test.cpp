// SPDX-License-Identifier: Apache-2.0
#include "actors/live_readers.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/recording_lane.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace eventweft {

namespace {

using sent_seqs = std::vector<seq_t>;

class live_readers_test : public ::testing::Test {
 protected:
  live_readers_test() {
    options.batch_events = 2;
    options.join_events = 4;
    options.recent_events = 3;
  }

  /// The log grows to `last`, with an event for each seq.
  void append_up_to(seq_t last) {
    std::vector<event_ptr> events;
    for (auto seq = ring.head() + 1; seq <= last; ++seq) {
      auto ev = testing::make_event(static_cast<int>(seq));
      ev.seq = seq;
      events.push_back(event_ptr{std::move(ev)});
    }
    ring.append(events, last);
    matches.append(events);
  }

  join_answer join(seq_t cursor) {
    join_request r;
    r.subscription = 7;
    r.reader = 1;
    r.lane = lane;
    r.cursor = cursor;
    return readers.join(std::move(r));
  }

  /// The lane, which was sent everything up to `sent`.
  lane_record& record(seq_t sent) {
    auto& out = book.lane_of(lane, sent);
    out.sent = sent;
    return out;
  }

  std::shared_ptr<testing::recording_lane> lane =
      std::make_shared<testing::recording_lane>();
  live_lanes book;
  live_ring ring{6, 1u << 20};
  live_matches matches;
  stream_hub_options options;
  live_readers readers{book, ring, matches, options};
};

TEST_F(live_readers_test, a_backlog_reaches_to_where_the_lane_is) {
  append_up_to(3);
  record(2);
  EXPECT_TRUE(join(0).accepted);
  EXPECT_EQ(lane->readers[1].seen, (sent_seqs{1, 2}));
  EXPECT_TRUE(lane->readers[1].live);
  EXPECT_EQ(matches.size(), 1u);
}

TEST_F(live_readers_test, a_backlog_too_large_is_a_page) {
  append_up_to(3);
  record(3);
  EXPECT_TRUE(join(0).accepted);
  EXPECT_EQ(lane->readers[1].seen, (sent_seqs{1, 2}));
  EXPECT_FALSE(lane->readers[1].live);
  EXPECT_EQ(matches.size(), 0u);
}

TEST_F(live_readers_test, who_is_before_the_ring_reads_from_the_store) {
  append_up_to(8);
  record(8);
  EXPECT_EQ(join(1), (join_answer{false, 2}));
  EXPECT_EQ(lane->readers[1].joins + lane->readers[1].pages, 0u);
}

TEST_F(live_readers_test, who_is_far_back_is_given_a_piece_to_look_through) {
  append_up_to(6);
  record(6);
  const auto answer = join(1);
  EXPECT_FALSE(answer.accepted);
  ASSERT_TRUE(answer.recent);
  EXPECT_EQ(answer.recent->first, 2);
  EXPECT_EQ(answer.recent->last, 4);
  EXPECT_EQ(answer.recent->events.size(), 3u);
  EXPECT_EQ(readers.tried(), 0u) << "not here";
  EXPECT_EQ(lane->readers[1].joins + lane->readers[1].pages, 0u);
  EXPECT_TRUE(join(4).accepted);
  EXPECT_TRUE(lane->readers[1].live);
}

TEST_F(live_readers_test, who_is_ahead_of_the_lane_waits_for_it) {
  append_up_to(3);
  auto& r = record(1);
  EXPECT_TRUE(join(2).accepted);
  readers.serve_waiting(r);
  EXPECT_FALSE(lane->readers[1].live);
  r.sent = 3;
  readers.serve_waiting(r);
  EXPECT_TRUE(lane->readers[1].live);
  EXPECT_EQ(lane->readers[1].seen, sent_seqs{3});
}

TEST_F(live_readers_test, the_last_reader_takes_filter_and_lane_along) {
  append_up_to(1);
  join(-1);
  EXPECT_EQ(matches.size(), 1u);
  readers.leave(7);
  EXPECT_EQ(matches.size(), 0u);
  EXPECT_TRUE(book.lanes.empty());
}

} // namespace

} // namespace eventweft
