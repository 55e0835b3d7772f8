// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/processing/board_fixture.hpp"

#include <algorithm>

namespace eventweft::processing {
namespace {

using namespace std::chrono_literals;

class board_test : public board_fixture {
 protected:
  void add(processor p, std::vector<stored_mark> marks = {}, seq_t start = 0) {
    ASSERT_TRUE(b.add(listed(std::move(p)), marks, start, now));
  }

  /// What all feeds of the processor read.
  void read(const std::string& name, std::vector<event_ptr> events,
            size_t feeds = 4) {
    log_range range;
    range.events = std::move(events);
    range.last = range.events.empty() ? 0 : range.events.back()->seq;
    for (size_t f = 0; f < feeds; ++f)
      b.take_up(name, f, range, now);
  }

  std::vector<job> take_all(bool async = false) {
    std::vector<job> out;
    while (auto j = b.take(async, now))
      out.push_back(std::move(*j));
    return out;
  }

  board b{board_options{}, random};
};

TEST_F(board_test, owes_what_it_has_in_hand_and_what_it_has_not_read) {
  add(named("p"), {}, 2);
  EXPECT_FALSE(b.owes("p", *make(2))) << "before its start";
  EXPECT_TRUE(b.owes("p", *make(3))) << "not read yet";
  EXPECT_FALSE(b.owes("nobody", *make(3)));
  read("p", {make(3)});
  EXPECT_TRUE(b.owes("p", *make(3)));
  const auto j = b.take(false, now);
  ASSERT_TRUE(j);
  EXPECT_TRUE(b.owes("p", *make(3)));
  b.finish(j->id, outcome::failed("no"), now);
  EXPECT_TRUE(b.owes("p", *make(3))) << "to be tried again";
  now += 1h;
  b.finish(b.take(false, now)->id, outcome::give_up("no"), now);
  EXPECT_FALSE(b.owes("p", *make(3)));
  EXPECT_TRUE(b.owes("p", *make(4)));
}

TEST_F(board_test, hands_out_by_weight_and_starves_nobody) {
  auto p = named("p");
  p.concurrency = 1'000;
  add(p);
  std::vector<event_ptr> events;
  for (seq_t s = 1; s <= 400; ++s)
    events.push_back(make(s, static_cast<priority>(s % 4)));
  read("p", events);
  std::array<int, 4> first{};
  const auto jobs = take_all();
  ASSERT_EQ(jobs.size(), 400u);
  for (size_t i = 0; i < 150; ++i)
    ++first[static_cast<size_t>(jobs[i].lane)];
  EXPECT_EQ(first, (std::array<int, 4>{10, 20, 40, 80}));
}

TEST_F(board_test, keeps_to_a_processor_s_concurrency) {
  auto p = named("p");
  p.concurrency = 2;
  add(p);
  read("p", {make(1), make(2), make(3)});
  auto jobs = take_all();
  EXPECT_EQ(seqs(jobs), (std::vector<seq_t>{1, 2}));
  b.finish(jobs[0].id, outcome::done(), now);
  EXPECT_EQ(seqs(take_all()), (std::vector<seq_t>{3}));
}

TEST_F(board_test, one_busy_processor_holds_up_no_other) {
  auto busy = named("a");
  busy.concurrency = 1;
  add(busy);
  add(named("b"));
  read("a", {make(1), make(2)});
  read("b", {make(1), make(2)});
  EXPECT_EQ(take_all().size(), 3u);
}

TEST_F(board_test, keeps_the_order_of_a_source) {
  auto p = named("p");
  p.ordering = ordering::source;
  add(p);
  read("p",
       {make(1, priority::low, "x"), make(2, priority::critical, "x"),
        make(3, priority::normal, "y")},
       1);
  auto jobs = take_all();
  auto got = seqs(jobs);
  std::ranges::sort(got);
  EXPECT_EQ(got, (std::vector<seq_t>{1, 3}));
  const auto first = std::ranges::find_if(
      jobs, [](const job& j) { return j.event->seq == 1; });
  // While it waits to be tried again nothing overtakes it.
  const auto d = b.finish(first->id, outcome::failed("no"), now);
  EXPECT_EQ(d.what, decision::kind::retry);
  EXPECT_TRUE(take_all().empty());
  now = d.due;
  jobs = take_all();
  ASSERT_EQ(seqs(jobs), (std::vector<seq_t>{1}));
  EXPECT_EQ(jobs[0].attempt, 2u);
  b.finish(jobs[0].id, outcome::done(), now);
  EXPECT_EQ(seqs(take_all()), (std::vector<seq_t>{2}));
}

TEST_F(board_test, pauses_double_up_to_a_limit_then_it_gives_up) {
  auto p = named("p");
  p.max_retries = 3;
  p.retry_delay = 100ms;
  p.max_retry_delay = 300ms;
  add(p);
  read("p", {make(1)});
  std::vector<microseconds> pauses;
  for (int i = 0; i < 3; ++i) {
    const auto j = b.take(false, now);
    ASSERT_TRUE(j);
    const auto d =
        b.finish(j->id, outcome::failed("e" + std::to_string(i)), now);
    ASSERT_EQ(d.what, decision::kind::retry);
    pauses.push_back(d.due - now);
    EXPECT_EQ(b.wake_at(), d.due);
    EXPECT_FALSE(b.take(false, d.due - 1us));
    now = d.due;
  }
  EXPECT_EQ(pauses, (std::vector<microseconds>{100ms, 200ms, 300ms}));
  const auto j = b.take(false, now);
  const auto d = b.finish(j->id, outcome::failed("last"), now);
  EXPECT_EQ(d.what, decision::kind::give_up);
  EXPECT_EQ(d.attempts, 4u);
  ASSERT_EQ(d.history.size(), 4u);
  EXPECT_EQ(d.history.back().error, "last");
  const auto c = b.collect("p", now);
  ASSERT_EQ(c.rows.size(), 1u);
  EXPECT_EQ(c.rows[0].status, status::failed);
  EXPECT_EQ(c.rows[0].attempts, 4u);
}

TEST_F(board_test, a_wish_to_be_left_in_peace_is_honoured_within_bounds) {
  auto p = named("p");
  p.retry_delay = 1s;
  p.max_retry_delay = 300s;
  p.max_retry_after = 2h;
  add(p);
  read("p", {make(1)});
  const auto pause_for = [&](std::chrono::milliseconds wish) {
    auto o = outcome::failed("busy");
    o.retry_after = wish;
    const auto j = b.take(false, now);
    const auto d = b.finish(j->id, o, now);
    const auto pause = d.due - now;
    now = d.due;
    return pause;
  };
  EXPECT_EQ(pause_for(1h), microseconds{1h});
  EXPECT_EQ(pause_for(3h), microseconds{2h});
  EXPECT_EQ(pause_for(1s), microseconds{4s}) << "no sooner than without it";
}

TEST_F(board_test, gives_up_at_once_when_told_so) {
  add(named("p"));
  read("p", {make(1)});
  const auto j = b.take(false, now);
  EXPECT_EQ(b.finish(j->id, outcome::give_up("never"), now).what,
            decision::kind::give_up);
}

TEST_F(board_test, an_attempt_expires_and_its_end_counts_once) {
  auto p = named("p");
  p.timeout = 5s;
  add(p);
  read("p", {make(1)});
  const auto j = b.take(false, now);
  EXPECT_TRUE(b.expired(now + 4999ms).empty());
  EXPECT_EQ(b.wake_at(), now + 5s);
  EXPECT_EQ(b.expired(now + 5s), std::vector<uint64_t>{j->id});
  EXPECT_EQ(b.finish(j->id, outcome::failed("late"), now + 5s).what,
            decision::kind::retry);
  EXPECT_EQ(b.finish(j->id, outcome::done(), now + 6s).what,
            decision::kind::ignored);
}

TEST_F(board_test, writes_one_row_for_what_is_done_soon) {
  add(named("p"));
  read("p", {make(1)});
  const auto j = b.take(false, now);
  now += 10ms;
  b.finish(j->id, outcome::done(), now);
  const auto c = b.collect("p", now);
  ASSERT_EQ(c.rows.size(), 1u);
  EXPECT_EQ(c.rows[0].status, status::completed);
  EXPECT_EQ(c.rows[0].attempts, 1u);
  EXPECT_NEAR(*c.rows[0].duration, 0.01, 1e-9);
  EXPECT_EQ(c.marks.size(), 4u);
  EXPECT_TRUE(b.collect("p", now).empty());
}

TEST_F(board_test, tells_what_takes_longer) {
  auto p = named("p");
  p.concurrency = 1;
  add(p);
  read("p", {make(1), make(2)});
  b.take(false, now);
  now += 2s;
  const auto c = b.collect("p", now);
  ASSERT_EQ(c.rows.size(), 2u);
  EXPECT_EQ(c.rows[0].status, status::processing);
  EXPECT_EQ(c.rows[1].status, status::pending);
  EXPECT_TRUE(b.collect("p", now).rows.empty());
}

TEST_F(board_test, goes_on_from_its_marks) {
  auto p = named("p");
  p.retry_delay = 10s;
  p.max_retry_delay = 10s;
  add(p);
  read("p", {make(1), make(2), make(3)});
  auto jobs = take_all();
  b.finish(jobs[0].id, outcome::done(), now);
  b.finish(jobs[1].id, outcome::failed("no"), now);
  const auto marks = b.collect("p", now).marks;

  board next{board_options{}, random};
  auto r = std::make_shared<registered>(registered{p, {}, 1});
  ASSERT_TRUE(next.add(r, marks, 99, now));
  EXPECT_EQ(next.cursor("p", 1), 3);
  EXPECT_EQ(next.missing("p"), (std::vector<seq_t>{2, 3}));
  for (auto seq : next.missing("p"))
    next.fetched("p", seq, make(seq), now);
  EXPECT_TRUE(next.missing("p").empty());
  auto j = next.take(false, now);
  ASSERT_TRUE(j);
  EXPECT_EQ(j->event->seq, 3);
  EXPECT_EQ(j->attempt, 1u);
  EXPECT_FALSE(next.take(false, now));
  j = next.take(false, now + 10s);
  ASSERT_TRUE(j);
  EXPECT_EQ(j->event->seq, 2);
  EXPECT_EQ(j->attempt, 2u);
}

TEST_F(board_test, a_clock_that_was_ahead_puts_nothing_off) {
  auto p = named("p");
  p.ordering = ordering::source;
  p.retry_delay = 10s;
  p.max_retry_after = 2min;
  add(p);
  read("p", {make(1)}, 1);
  const auto ahead = now + 300h;
  b.finish(b.take(false, ahead)->id, outcome::failed("no"), ahead);
  const auto due_in = [&](const std::vector<stored_mark>& marks,
                          std::chrono::seconds pause) {
    board next{board_options{}, random};
    ASSERT_TRUE(next.add(listed(p), marks, 0, now));
    next.fetched("p", 1, make(1), now);
    EXPECT_FALSE(next.take(false, now));
    EXPECT_EQ(next.wake_at(), now + pause);
    const auto j = next.take(false, now + pause);
    ASSERT_TRUE(j);
    EXPECT_EQ(j->attempt, 2u);
  };
  due_in(b.collect("p", ahead).marks, 10s);
  // How long it was to wait is not known.
  const auto due = std::to_string((ahead + 10s).time_since_epoch().count());
  due_in({{"all", 1, R"({"cursor":1,"open":[[1,1,)" + due + ",0]]}"}}, 120s);
}

TEST_F(board_test, a_dead_letter_tells_of_attempts_before_a_restart) {
  auto p = named("p");
  p.max_retries = 2;
  add(p);
  read("p", {make(1)});
  const auto began = now;
  for (const auto* why : {"first", "sec\"ond\n"}) {
    const auto j = b.take(false, now);
    ASSERT_TRUE(j);
    now = b.finish(j->id, outcome::failed(why), now).due;
  }
  board next{board_options{}, random};
  ASSERT_TRUE(next.add(std::make_shared<registered>(registered{p, {}, 1}),
                       b.collect("p", now).marks, 0, now));
  next.fetched("p", 1, make(1), now);
  const auto j = next.take(false, now);
  ASSERT_TRUE(j);
  const auto d = next.finish(j->id, outcome::failed("third"), now);
  ASSERT_EQ(d.what, decision::kind::give_up);
  EXPECT_EQ(d.attempts, 3u);
  ASSERT_EQ(d.history.size(), 3u);
  EXPECT_EQ(d.history[0], (failed_attempt{began, "first"}));
  EXPECT_EQ(d.history[1].error, "sec\"ond\n");
  EXPECT_EQ(d.history[2], (failed_attempt{now, "third"}));
}

TEST_F(board_test, what_is_gone_from_the_log_is_let_go) {
  add(named("p"), {{"low", 5, R"({"cursor":5,"open":[[4,0,0,0]]})"},
                   {"normal", 5, R"({"cursor":5,"open":[]})"},
                   {"high", 5, R"({"cursor":5,"open":[]})"},
                   {"critical", 5, R"({"cursor":5,"open":[]})"}});
  EXPECT_EQ(b.missing("p"), std::vector<seq_t>{4});
  b.fetched("p", 4, {}, now);
  EXPECT_TRUE(b.missing("p").empty());
  EXPECT_FALSE(b.take(false, now));
}

TEST_F(board_test, a_change_of_ordering_repeats_and_loses_nothing) {
  auto p = named("p");
  p.ordering = ordering::source;
  // By priority it was: normal ones were read up to 8, the others up to 3.
  add(p, {{"low", 3, R"({"cursor":3,"open":[]})"},
          {"normal", 8, R"({"cursor":8,"open":[[5,0,0,0]]})"},
          {"high", 3, R"({"cursor":3,"open":[]})"},
          {"critical", 3, R"({"cursor":3,"open":[[2,0,0,0]]})"}});
  EXPECT_EQ(b.missing("p"), (std::vector<seq_t>{2, 5}));
  EXPECT_EQ(b.cursor("p", 0), 3);
  b.fetched("p", 2, make(2, priority::critical, "a"), now);
  b.fetched("p", 5, make(5, priority::normal, "b"), now);
  read("p",
       {make(4, priority::normal, "c"), make(6, priority::low, "d"),
        make(7, priority::normal, "e"), make(9, priority::normal, "f")},
       1);
  auto got = seqs(take_all());
  std::ranges::sort(got);
  EXPECT_EQ(got, (std::vector<seq_t>{2, 5, 6, 9}));
}

// What was read ahead is not forgotten by the next start either, nor by a
// change back.
TEST_F(board_test, a_change_of_ordering_repeats_nothing_after_further_starts) {
  const auto lanes = named("p");
  auto one = named("p");
  one.ordering = ordering::source;
  std::vector<stored_mark> marks{
      {"low", 3, R"({"cursor":3,"open":[]})"},
      {"normal", 3, R"({"cursor":3,"open":[]})"},
      {"high", 3, R"({"cursor":3,"open":[]})"},
      {"critical", 9, R"({"cursor":9,"open":[[7,1,0,0]]})"}};
  for (const auto& p : {one, one, lanes, lanes, one}) {
    board next{board_options{}, random};
    const codec::compiled_filter wanted{p.filter};
    ASSERT_TRUE(next.add(std::make_shared<registered>(registered{p, wanted, 1}),
                         marks, 0, now));
    EXPECT_EQ(next.missing("p"), std::vector<seq_t>{7});
    EXPECT_TRUE(next.owes("p", *make(5, priority::low)));
    EXPECT_FALSE(next.owes("p", *make(8, priority::critical)));
    EXPECT_TRUE(next.owes("p", *make(10, priority::critical)));
    marks = next.collect("p", now).marks;
  }
  add(one, marks);
  b.fetched("p", 7, make(7, priority::critical, "a"), now);
  read("p",
       {make(5, priority::low, "b"), make(7, priority::critical, "a"),
        make(8, priority::critical, "c"), make(9, priority::high, "d"),
        make(10, priority::critical, "e")},
       1);
  auto got = seqs(take_all());
  std::ranges::sort(got);
  EXPECT_EQ(got, (std::vector<seq_t>{5, 7, 9, 10}));
  // Once the cursor is beyond, there is nothing to remember.
  marks = b.collect("p", now).marks;
  ASSERT_EQ(marks.size(), 1u);
  EXPECT_EQ(marks[0].mark.find("floors"), std::string::npos) << marks[0].mark;
}

TEST_F(board_test, a_dead_letter_goes_round_again_and_is_told_at_once) {
  add(named("p"));
  read("p", {make(1), make(2)});
  auto jobs = take_all();
  b.finish(jobs[0].id, outcome::give_up("no"), now);
  b.finish(jobs[1].id, outcome::done(), now);
  b.collect("p", now);
  EXPECT_EQ(b.again("p", make(1), now), true);
  EXPECT_EQ(b.again("p", make(1), now), false);
  const auto c = b.collect("p", now);
  ASSERT_EQ(c.rows.size(), 1u);
  EXPECT_EQ(c.rows[0].status, status::pending);
  ASSERT_EQ(c.marks.size(), 1u);
  EXPECT_NE(c.marks[0].mark.find("[1,0,"), std::string::npos);
  EXPECT_EQ(seqs(take_all()), std::vector<seq_t>{1});
}

TEST_F(board_test, a_dead_letter_is_not_left_to_a_feed_that_will_not_bring_it) {
  auto p = named("p");
  p.filter.event_types = {"push"};
  p.ordering = ordering::source;
  // Read by lane before: normal ones up to 5, low ones up to 2.
  const auto mark = [](std::string feed, seq_t cursor) {
    return stored_mark{std::move(feed), cursor,
                       "{\"cursor\":" + std::to_string(cursor) +
                           ",\"open\":[]}"};
  };
  add(p, {mark("low", 2), mark("normal", 5)});
  const auto refused = b.again("p", make(4), now);
  ASSERT_FALSE(refused) << "the lane was done with it";
  EXPECT_EQ(refused.error().code, ec::overloaded);
  EXPECT_EQ(b.again("p", make(6), now), false) << "it will come";
  auto other = *make(6);
  other.event_type = "issues";
  EXPECT_FALSE(b.again("p", event_ptr{std::move(other)}, now))
      << "what the filter let through once";
  read("p", {make(6)}, 1);
  EXPECT_EQ(b.again("p", make(4), now), true);
  EXPECT_EQ(seqs(take_all()), (std::vector<seq_t>{6}))
      << "after the one before it of that source";
}

TEST_F(board_test, a_backlog_of_low_ones_leaves_room_for_the_urgent) {
  add(named("p"));
  std::vector<event_ptr> low;
  for (seq_t s = 1; s <= 250; ++s)
    low.push_back(make(s, priority::low));
  log_range range{1, 250, low};
  b.take_up("p", 0, range, now);
  EXPECT_EQ(b.room("p", 0), 0u);
  EXPECT_GT(b.room("p", 3), 0u);
  b.take_up("p", 3, log_range{1, 251, {make(251, priority::critical)}}, now);
  EXPECT_EQ(b.take(false, now)->event->seq, 251);
}

TEST_F(board_test, asynchronous_ones_need_no_worker) {
  auto p = named("p");
  p.handler = async_handler{
      [](const event_ptr&, const attempt_context&, completion) {}};
  add(p);
  read("p", {make(1)});
  EXPECT_FALSE(b.take(false, now));
  EXPECT_TRUE(b.take(true, now));
}

TEST_F(board_test, forgets_what_was_removed) {
  add(named("p"));
  read("p", {make(1), make(2)});
  const auto j = b.take(false, now);
  EXPECT_EQ(b.remove("p"), std::vector<uint64_t>{j->id});
  EXPECT_FALSE(b.take(false, now));
  EXPECT_FALSE(b.wake_at());
  EXPECT_EQ(b.lanes(), (std::array<size_t, lane_count>{}));
  EXPECT_EQ(b.finish(j->id, outcome::done(), now).what,
            decision::kind::ignored);
}

TEST_F(board_test, starts_nothing_while_held) {
  add(named("p"));
  b.hold(lane_count);
  read("p", {make(1)});
  EXPECT_FALSE(b.take(false, now));
  b.hold(0);
  EXPECT_TRUE(b.take(false, now));
}

TEST_F(board_test, goes_on_in_the_lanes_above_those_that_are_held) {
  add(named("p"));
  b.hold(3);
  read("p", {make(1, priority::high), make(2, priority::critical)});
  const auto j = b.take(false, now);
  ASSERT_TRUE(j);
  EXPECT_EQ(j->lane, priority::critical);
  EXPECT_FALSE(b.take(false, now));
  b.hold(2);
  const auto next = b.take(false, now);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->lane, priority::high);
}

} // namespace
} // namespace eventweft::processing
