// SPDX-License-Identifier: Apache-2.0
#include "persistence/memory/letters.hpp"
#include "persistence/memory/log.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace eventweft::memory {
namespace {

using processing::stored_mark;

class memory_log_test : public ::testing::Test {
 protected:
  static event_ptr make(int n, const std::string& type = "push") {
    event e;
    e.id.bytes[14] = static_cast<uint8_t>(n >> 8);
    e.id.bytes[15] = static_cast<uint8_t>(n);
    e.event_id = std::to_string(n);
    e.platform = "github";
    e.event_type = type;
    e.payload = shared_text{"{}"};
    return event_ptr{std::move(e)};
  }

  static memory_hooks hooks_to(const std::map<std::string, std::string>& who) {
    memory_hooks out;
    out.runs = [&who](std::string_view name) {
      return who.contains(std::string{name});
    };
    out.wants = [&who](std::string_view name, const event& ev) {
      return who.at(std::string{name}) == ev.event_type;
    };
    return out;
  }

  expected<std::vector<append_result>>
  append(int first, int last, const std::string& type = "push") {
    std::vector<event_ptr> events;
    for (int n = first; n <= last; ++n)
      events.push_back(make(n, type));
    return log.append(events);
  }

  /// How far the processor is.
  void mark(const std::string& name, seq_t cursor,
            const std::string& more = R"("open":[])",
            const std::string& feed = "all") {
    processing::changes c;
    c.marks = {{feed, cursor,
                "{\"cursor\":" + std::to_string(cursor) + "," + more + "}"}};
    ASSERT_TRUE(log.record(name, c));
  }

  std::vector<seq_t> seqs() const {
    std::vector<seq_t> out;
    for (const auto& ev : log.read_after(0, 1'000, SIZE_MAX).events)
      out.push_back(ev->seq);
    return out;
  }

  /// What each processor's filter lets through.
  std::map<std::string, std::string> types{{"p", "push"}};
  shared_log log{8, 1u << 20, hooks_to(types)};
};

using seq_list = std::vector<seq_t>;

TEST_F(memory_log_test, keeps_the_latest) {
  ASSERT_TRUE(append(1, 6));
  ASSERT_TRUE(append(7, 11));
  EXPECT_EQ(seqs(), (seq_list{4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_FALSE(log.find(make(3)->id));
  // Its id went with it.
  EXPECT_EQ((*append(3, 3))[0].outcome.seq, 12);
}

TEST_F(memory_log_test, of_a_batch_without_room_the_latest_stay) {
  ASSERT_TRUE(append(1, 20));
  EXPECT_EQ(seqs(), (seq_list{13, 14, 15, 16, 17, 18, 19, 20}));
}

TEST_F(memory_log_test, what_is_acknowledged_waits_for_its_processor) {
  mark("p", 0);
  ASSERT_TRUE(append(1, 8));
  const auto refused = append(9, 9);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::store_full);
  EXPECT_EQ(log.head(), 8);
  EXPECT_EQ(seqs(), (seq_list{1, 2, 3, 4, 5, 6, 7, 8}));
  // A redelivery takes no room.
  const auto again = append(8, 8);
  ASSERT_TRUE(again);
  EXPECT_TRUE((*again)[0].outcome.duplicate);
  // Not for each event that is done with.
  mark("p", 2);
  EXPECT_FALSE(append(9, 9));
  mark("p", 3);
  ASSERT_TRUE(append(9, 9));
  EXPECT_EQ(seqs(), (seq_list{4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(log.read_after(4, 2, SIZE_MAX).events.back()->seq, 6);
}

TEST_F(memory_log_test, counts_bytes_as_it_counts_events) {
  const auto size = make(1)->footprint();
  shared_log small{1'000, 4 * size, hooks_to(types)};
  processing::changes c;
  c.marks = {{"all", 0, R"({"cursor":0,"open":[]})"}};
  ASSERT_TRUE(small.record("p", c));
  for (int n = 1; n <= 4; ++n)
    ASSERT_TRUE(small.append(std::vector{make(n)})) << n;
  EXPECT_FALSE(small.append(std::vector{make(5)}));
}

TEST_F(memory_log_test, holds_only_what_somebody_wants) {
  mark("p", 0);
  ASSERT_TRUE(append(1, 1));
  ASSERT_TRUE(append(2, 8, "issues"));
  ASSERT_TRUE(append(9, 12, "issues"));
  EXPECT_EQ(seqs(), (seq_list{1, 6, 7, 8, 9, 10, 11, 12}));
  EXPECT_EQ((*log.find(make(1)->id))->seq, 1);
  event_query q;
  q.limit = 3;
  EXPECT_EQ(log.query(q).events.back()->seq, 10);
  q.cursor = 7;
  const auto older = log.query(q);
  ASSERT_EQ(older.events.size(), 2u);
  EXPECT_EQ(older.events.back()->seq, 1);
  // Done with, it goes when there is need for it.
  mark("p", 12);
  ASSERT_TRUE(append(13, 13, "issues"));
  EXPECT_EQ(seqs(), (seq_list{6, 7, 8, 9, 10, 11, 12, 13}));
}

TEST_F(memory_log_test, holds_what_a_processor_has_in_hand) {
  mark("p", 0);
  ASSERT_TRUE(append(1, 4));
  // Also one that its filter does not let through any more.
  ASSERT_TRUE(append(5, 5, "issues"));
  mark("p", 5, R"("open":[[2,1,0,0],[5,1,0,0]])");
  ASSERT_TRUE(append(6, 15, "issues"));
  EXPECT_EQ(seqs(), (seq_list{2, 5, 10, 11, 12, 13, 14, 15}));
}

TEST_F(memory_log_test, knows_what_was_read_ahead) {
  mark("p", 0);
  ASSERT_TRUE(append(1, 4));
  // Of normal priority, all of them.
  mark("p", 1, R"("open":[],"floors":[0,3,0,0])");
  ASSERT_TRUE(append(5, 14, "issues"));
  EXPECT_EQ(seqs(), (seq_list{4, 8, 9, 10, 11, 12, 13, 14}));
  // By priority: the feeds of others say nothing of it.
  mark("p", 4, R"("open":[])", "normal");
  mark("p", 0, R"("open":[])", "low");
  ASSERT_TRUE(append(15, 15, "issues"));
  EXPECT_EQ(seqs().front(), 8);
}

TEST_F(memory_log_test, waits_for_nobody_who_is_gone) {
  mark("p", 0);
  ASSERT_TRUE(append(1, 8));
  ASSERT_FALSE(append(9, 9));
  types.clear();
  ASSERT_TRUE(append(9, 9));
  EXPECT_EQ(log.head(), 9);
}

TEST_F(memory_log_test, a_processed_event_is_as_large_as_before) {
  ASSERT_TRUE(append(1, 1));
  processing::changes c;
  for (int round = 0; round < 3; ++round) {
    processing::status_row row;
    row.event = *log.find(make(1)->id);
    row.status = processing::status::completed;
    row.completed_at = timestamp{std::chrono::seconds{7}};
    row.duration = 0.5;
    row.settled = true;
    c.rows = {row};
    ASSERT_TRUE(log.record("p", c));
  }
  const auto ev = *log.find(make(1)->id);
  EXPECT_EQ(ev->processed_at, timestamp{std::chrono::seconds{7}});
  EXPECT_EQ(ev->processing_duration, 0.5);
  // What is gone can be said to be done with.
  ASSERT_TRUE(append(2, 20));
  EXPECT_TRUE(log.record("p", c));
  EXPECT_EQ(seqs().size(), 8u);
}

dead_letter letter(int n, size_t bytes = 10) {
  dead_letter d;
  d.id.bytes[15] = static_cast<uint8_t>(n);
  d.origin = "processor:p";
  d.body = std::string(bytes, 'x');
  return d;
}

TEST(memory_letters_test, older_ones_make_room_and_that_is_told) {
  std::vector<uuid> gone;
  shared_letters letters{
      3, 1u << 20, [&gone](const dead_letter& d) { gone.push_back(d.id); }};
  for (int n = 1; n <= 3; ++n)
    letters.add(letter(n));
  letters.add(letter(3));
  EXPECT_TRUE(gone.empty());
  letters.add(letter(4));
  EXPECT_EQ(gone, std::vector{letter(1).id});
  EXPECT_TRUE(letters.drop(letter(2).id));
  letters.add(letter(5));
  EXPECT_EQ(gone.size(), 1u) << "there was room";
  EXPECT_EQ(letters.find({}).size(), 3u);
}

TEST(memory_letters_test, are_bounded_in_bytes) {
  std::vector<uuid> gone;
  shared_letters letters{
      1'000, 100'000, [&gone](const dead_letter& d) { gone.push_back(d.id); }};
  letters.add(letter(1, 40'000));
  letters.add(letter(2, 40'000));
  EXPECT_TRUE(gone.empty());
  letters.add(letter(3, 40'000));
  EXPECT_EQ(gone, std::vector{letter(1).id});
  // One that is larger than all is kept all the same.
  letters.add(letter(4, 200'000));
  EXPECT_EQ(gone.size(), 3u);
  EXPECT_EQ(letters.find({}).size(), 1u);
  letters.add(letter(5));
  EXPECT_EQ(gone.size(), 4u);
}

} // namespace
} // namespace eventweft::memory
