// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/processing/board_fixture.hpp"

#include <memory>
#include <set>
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

  /// A process that ended twice with events 1 to `n` in hand, started again.
  void cut_off_together(seq_t n) {
    start(what.name.empty() ? named("p") : what);
    write();
    std::vector<event_ptr> all;
    for (seq_t seq = 1; seq <= n; ++seq)
      all.push_back(make(seq));
    restart();
    read(all);
    ASSERT_EQ(announce_and_take().size(), static_cast<size_t>(n));
    cut_off = 0;
    restart();
    ASSERT_EQ(cut_off, static_cast<size_t>(n));
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
  other.may_end_process = true;
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

TEST_F(cut_off_test, what_can_t_end_the_process_runs_beside_it) {
  end_with_one_in_hand(named("p"));
  restart();
  EXPECT_EQ(announce_and_take().size(), 1u);
  restart();
  ASSERT_TRUE(b->add(listed(named("program")), {}, 0, now));
  b->take_up("program", 1, {0, 8, {make(7), make(8)}}, now);
  EXPECT_EQ(seqs(take()), (std::vector<seq_t>{7, 8}));
  write();
  EXPECT_EQ(seqs(take()), std::vector<seq_t>{1}) << "it waits for none of them";
}

TEST_F(cut_off_test, many_run_in_a_few_groups) {
  cut_off_together(100);
  size_t groups = 0;
  size_t done = 0;
  while (done < 100) {
    const auto jobs = announce_and_take();
    ASSERT_FALSE(jobs.empty());
    for (const auto& j : jobs)
      b->finish(j.id, outcome::done(), now);
    done += jobs.size();
    ++groups;
  }
  EXPECT_EQ(groups, 8u);
}

TEST_F(cut_off_test, between_two_groups_all_else_has_its_turn) {
  cut_off_together(16);
  const auto group = announce_and_take();
  ASSERT_EQ(seqs(group), (std::vector<seq_t>{1, 2}));
  read({make(101)});
  now += 2s;
  b->finish(group[0].id, outcome::done(), now);
  EXPECT_TRUE(take().empty()) << "a group has its time for itself";
  b->finish(group[1].id, outcome::done(), now);
  auto jobs = announce_and_take();
  ASSERT_EQ(seqs(jobs), std::vector<seq_t>{101});
  EXPECT_EQ(b->wake_at(), now + 2s);
  now += 2s;
  read({make(102)});
  EXPECT_TRUE(take().empty()) << "the next group's turn, once that one ended";
  EXPECT_FALSE(b->is_announcing("p"));
  b->finish(jobs[0].id, outcome::done(), now);
  EXPECT_EQ(seqs(announce_and_take()), (std::vector<seq_t>{3, 4}));
}

TEST_F(cut_off_test, a_turn_that_nobody_wants_is_none) {
  cut_off_together(16);
  const auto group = announce_and_take();
  now += 2s;
  for (const auto& j : group)
    b->finish(j.id, outcome::done(), now);
  EXPECT_EQ(seqs(announce_and_take()), (std::vector<seq_t>{3, 4}));
  // Who comes too late has missed it: beside a group nothing runs.
  read({make(101)});
  EXPECT_TRUE(take().empty());
  EXPECT_FALSE(b->is_announcing("p"));
}

TEST_F(cut_off_test, a_group_keeps_to_the_concurrency) {
  auto p = named("p");
  p.concurrency = 3;
  what = p;
  cut_off_together(3);
  options.groups = 1;
  auto other = p;
  other.concurrency = 2;
  what = other;
  restart();
  EXPECT_EQ(announce_and_take().size(), 2u);
}

// Whichever of a thousand it is: each end of the process leaves an eighth of
// those that may have been it, and nobody else is given up.
TEST_F(cut_off_test, the_one_of_many_is_found_after_a_few_ends) {
  for (const seq_t deadly : {1, 500, 1'000}) {
    marks.clear();
    options.max_unfinished = 4'000;
    auto p = named("p");
    p.concurrency = 1'000;
    p.max_retries = 1;
    what = p;
    cut_off_together(1'000);
    int ends = 2;
    std::vector<seq_t> given_up;
    std::set<seq_t> done;
    while (given_up.empty() && ends < 20) {
      auto jobs = take();
      if (jobs.empty() && b->is_announcing("p")) {
        write();
        jobs = take();
      }
      ASSERT_FALSE(jobs.empty());
      bool over = false;
      for (const auto& j : jobs) {
        if (j.spent)
          given_up.push_back(j.event->seq);
        over = over || (j.event->seq == deadly && !j.spent);
      }
      if (over) {
        ++ends;
        restart();
        continue;
      }
      for (const auto& j : jobs) {
        b->finish(j.id, j.spent ? outcome::give_up("") : outcome::done(), now);
        done.insert(j.event->seq);
      }
      write();
    }
    EXPECT_EQ(given_up, std::vector<seq_t>{deadly});
    EXPECT_LE(ends, 6);
    while (done.size() < 1'000) {
      const auto jobs = announce_and_take();
      ASSERT_FALSE(jobs.empty());
      for (const auto& j : jobs) {
        b->finish(j.id, outcome::done(), now);
        done.insert(j.event->seq);
      }
    }
  }
}

TEST_F(cut_off_test, one_that_goes_takes_its_part_of_the_group_along) {
  cut_off_together(16);
  EXPECT_EQ(announce_and_take().size(), 2u);
  auto other = named("other");
  other.may_end_process = true;
  ASSERT_TRUE(b->add(listed(other), {}, 0, now));
  b->take_up("other", 1, {0, 50, {make(50)}}, now);
  EXPECT_TRUE(take().empty());
  b->remove("p");
  EXPECT_EQ(seqs(take()), std::vector<seq_t>{50});
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
