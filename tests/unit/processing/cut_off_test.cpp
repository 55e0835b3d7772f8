// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/processing/board_fixture.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::processing {
namespace {

using namespace std::chrono_literals;

/// A process that ends, or is ended, with attempts under way.
class cut_off_test : public board_fixture {
 protected:
  /// The next process, with what the one before has written.
  void start(processor p) {
    what = std::move(p);
    what.may_end_process = true;
    b = std::make_unique<board>(options, random);
    ASSERT_TRUE(b->add(listed(what), marks, 0, now));
    for (const auto seq : b->missing("p"))
      cut_off += b->fetched("p", seq, make(seq), now);
  }

  void restart() { start(what); }

  /// A first process, which ends without a word about event 1.
  void end_with_one_in_hand(processor p) {
    start(std::move(p));
    read({make(1)});
    write();
  }

  void read(std::vector<event_ptr> events) {
    const log_range range{0, events.back()->seq, events};
    for (size_t f = 0; f < 4; ++f)
      b->take_up("p", f, range, now);
  }

  void write() {
    for (const auto& m : b->collect("p", now).marks) {
      std::erase_if(marks, [&](auto& x) { return x.feed == m.feed; });
      marks.push_back(m);
    }
    b->written("p");
  }

  std::vector<job> take() {
    std::vector<job> out;
    while (auto j = b->take(false, now))
      out.push_back(std::move(*j));
    return out;
  }

  /// What runs once that it begins is written.
  std::vector<job> announce_and_take() {
    EXPECT_TRUE(take().empty());
    EXPECT_TRUE(b->is_announcing("p"));
    EXPECT_TRUE(b->has_news("p"));
    write();
    EXPECT_FALSE(b->is_announcing("p"));
    return take();
  }

  board_options options;
  processor what;
  std::unique_ptr<board> b;
  std::vector<stored_mark> marks;
  size_t cut_off = 0;
};

TEST_F(cut_off_test, the_first_start_announces_nothing) {
  start(named("p"));
  read({make(1)});
  EXPECT_EQ(take().size(), 1u);
}

TEST_F(cut_off_test, what_can_t_end_the_process_is_not_announced) {
  start(named("p"));
  write();
  b = std::make_unique<board>(options, random);
  ASSERT_TRUE(b->add(listed(named("p")), marks, 0, now));
  read({make(1)});
  EXPECT_EQ(take().size(), 1u);
}

TEST_F(cut_off_test, what_may_have_been_in_hand_begins_once_that_is_written) {
  end_with_one_in_hand(named("p"));
  restart();
  read({make(1), make(2)});
  const auto jobs = announce_and_take();
  EXPECT_EQ(seqs(jobs), (std::vector<seq_t>{1, 2}));
  for (const auto& j : jobs) {
    EXPECT_EQ(j.attempt, 1u);
    EXPECT_EQ(b->finish(j.id, outcome::done(), now).attempts, 1u);
  }
  EXPECT_EQ(cut_off, 0u) << "nobody announced the first attempt";
}

TEST_F(cut_off_test,
       what_came_later_or_is_more_than_there_was_room_for_is_not) {
  options.max_unfinished = 4;
  start(named("p"));
  write();
  restart();
  event late;
  late.seq = 9;
  late.created_at = now + 1s;
  read({event_ptr{std::move(late)}});
  EXPECT_EQ(seqs(take()), std::vector<seq_t>{9});
  // Two a feed.
  read({make(10, priority::low), make(11, priority::low),
        make(12, priority::low)});
  EXPECT_EQ(seqs(take()), std::vector<seq_t>{12});
  write();
  EXPECT_EQ(seqs(take()), (std::vector<seq_t>{10, 11}));
}

TEST_F(cut_off_test, what_was_cut_off_runs_alone_before_all_else) {
  end_with_one_in_hand(named("p"));
  restart();
  read({make(1), make(2)});
  EXPECT_EQ(announce_and_take().size(), 2u);
  restart();
  EXPECT_EQ(cut_off, 2u);
  read({make(3)});
  auto jobs = announce_and_take();
  ASSERT_EQ(seqs(jobs), std::vector<seq_t>{1});
  EXPECT_EQ(jobs[0].attempt, 2u);
  EXPECT_TRUE(take().empty()) << "alone";
  b->finish(jobs[0].id, outcome::done(), now);
  jobs = announce_and_take();
  ASSERT_EQ(seqs(jobs), std::vector<seq_t>{2});
  // It fails in the ordinary way: nothing is held against it any more.
  const auto d = b->finish(jobs[0].id, outcome::failed("no"), now);
  ASSERT_EQ(d.what, decision::kind::retry);
  now = d.due;
  EXPECT_EQ(seqs(announce_and_take()), (std::vector<seq_t>{3, 2}));
}

TEST_F(cut_off_test, waits_for_what_runs_before_it_runs_alone) {
  end_with_one_in_hand(named("p"));
  restart();
  EXPECT_EQ(announce_and_take().size(), 1u);
  auto other = named("other");
  b = std::make_unique<board>(options, random);
  ASSERT_TRUE(b->add(listed(other), {}, 0, now));
  b->take_up("other", 1, {0, 7, {make(7)}}, now);
  const auto running = take();
  ASSERT_EQ(seqs(running), std::vector<seq_t>{7});
  ASSERT_TRUE(b->add(listed(what), marks, 0, now));
  EXPECT_TRUE(b->fetched("p", 1, make(1), now));
  b->take_up("other", 1, {8, 8, {make(8)}}, now);
  EXPECT_TRUE(take().empty());
  EXPECT_FALSE(b->is_announcing("p"));
  b->finish(running[0].id, outcome::done(), now);
  EXPECT_EQ(seqs(announce_and_take()), std::vector<seq_t>{1});
  b->remove("p");
  EXPECT_EQ(seqs(take()), std::vector<seq_t>{8}) << "nothing is left of it";
}

TEST_F(cut_off_test, is_given_up_after_as_many_attempts_as_any) {
  auto p = named("p");
  p.max_retries = 2;
  end_with_one_in_hand(std::move(p));
  for (uint32_t attempt = 1; attempt <= 3; ++attempt) {
    restart();
    const auto jobs = announce_and_take();
    ASSERT_EQ(seqs(jobs), std::vector<seq_t>{1});
    EXPECT_EQ(jobs[0].attempt, attempt);
    EXPECT_FALSE(jobs[0].spent);
  }
  restart();
  const auto jobs = take();
  ASSERT_EQ(jobs.size(), 1u) << "there is nothing to announce";
  EXPECT_TRUE(jobs[0].spent);
  const auto d =
      b->finish(jobs[0].id, outcome::give_up(std::string{cut_off_text}), now);
  EXPECT_EQ(d.what, decision::kind::give_up);
  EXPECT_EQ(d.attempts, 3u);
  ASSERT_EQ(d.history.size(), 3u);
  for (const auto& attempt : d.history)
    EXPECT_EQ(attempt.error, cut_off_text);
}

TEST_F(cut_off_test, but_not_before_it_has_run_alone) {
  auto p = named("p");
  p.max_retries = 0;
  end_with_one_in_hand(std::move(p));
  restart();
  read({make(1), make(2)});
  EXPECT_EQ(announce_and_take().size(), 2u);
  restart();
  const auto jobs = announce_and_take();
  ASSERT_EQ(seqs(jobs), std::vector<seq_t>{1});
  EXPECT_FALSE(jobs[0].spent);
  restart();
  const auto last = take();
  ASSERT_EQ(seqs(last), std::vector<seq_t>{1});
  EXPECT_TRUE(last[0].spent);
}

TEST_F(cut_off_test, what_we_cut_off_ourselves_is_not_held_against_it) {
  end_with_one_in_hand(named("p"));
  restart();
  read({make(1), make(2)});
  auto jobs = announce_and_take();
  ASSERT_EQ(jobs.size(), 2u);
  const auto d = b->finish(jobs[1].id, outcome::failed("no"), now);
  b->let_go("p", now);
  EXPECT_TRUE(b->has_news("p"));
  write();
  restart();
  EXPECT_EQ(cut_off, 0u);
  now = d.due;
  jobs = announce_and_take();
  ASSERT_EQ(seqs(jobs), (std::vector<seq_t>{1, 2}));
  EXPECT_EQ(jobs[0].attempt, 1u);
  EXPECT_EQ(jobs[1].attempt, 2u) << "that one had failed";
}

} // namespace
} // namespace eventweft::processing
