// SPDX-License-Identifier: Apache-2.0
#include "delivery/queue.hpp"
#include "tests/support/moments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace eventweft::delivery {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using kind = decision::kind;

verdict of(outcome o, int status = 0,
           std::optional<microseconds> retry_after = {}) {
  return {o, status, o == outcome::delivered ? "" : "no", retry_after};
}
const verdict ok = of(outcome::delivered, 200);
const verdict bad = of(outcome::failed, 500);

queue_options plain() {
  queue_options out;
  out.schedule.jitter = 0;
  out.breaker.failures_to_open = 1'000'000;
  return out;
}

class queue : public testing::Test {
 protected:
  delivery_queue make(const queue_options& o, progress_mark from = {},
                      timestamp now = at(0s)) {
    return delivery_queue{o, std::move(from), now, random};
  }

  seeded_random random{1};
};

void accept(delivery_queue& q, seq_t first, seq_t last, timestamp now) {
  for (auto seq = first; seq <= last; ++seq)
    ASSERT_TRUE(q.accept(seq, now));
}

TEST_F(queue, sends_side_by_side_up_to_its_limit) {
  auto o = plain();
  o.max_concurrent = 3;
  auto q = make(o);
  accept(q, 1, 5, at(0s));
  EXPECT_THAT(q.take(at(0s)),
              ElementsAre(attempt{1, 1}, attempt{2, 1}, attempt{3, 1}));
  EXPECT_THAT(q.take(at(0s)), IsEmpty());
  EXPECT_EQ(q.wake_at(at(0s)), std::nullopt);
  EXPECT_EQ(q.finish(2, ok, at(1s)), (decision{kind::done, at(1s), 1}));
  EXPECT_THAT(q.take(at(1s)), ElementsAre(attempt{4, 1}));
  EXPECT_EQ(q.under_way(), 3u);
  EXPECT_EQ(q.waiting(), 1u);
}

TEST_F(queue, tries_again_as_scheduled_and_then_gives_up) {
  auto q = make(plain());
  accept(q, 1, 1, at(0s));
  auto now = at(0s);
  const retry_schedule s;
  for (uint32_t n = 1; n <= 10; ++n) {
    ASSERT_THAT(q.take(now), ElementsAre(attempt{1, n}));
    const auto d = q.finish(1, bad, now);
    if (n == 10) {
      EXPECT_EQ(d, (decision{kind::give_up, now, 10}));
      break;
    }
    EXPECT_EQ(d, (decision{kind::retry, now + s.pauses[n - 1], n}));
    EXPECT_EQ(q.wake_at(now), d.due);
    EXPECT_THAT(q.take(d.due - 1us), IsEmpty());
    now = d.due;
  }
  EXPECT_EQ(now - at(0s), 5s + 35min + 75h);
  EXPECT_EQ(q.mark(), (progress_mark{1, {}}));
  EXPECT_EQ(q.wake_at(now), std::nullopt);
}

TEST_F(queue, first_attempts_are_not_starved_by_retries) {
  auto o = plain();
  o.max_concurrent = 4;
  progress_mark mark{1'000, {}};
  for (seq_t seq = 1; seq <= 500; ++seq)
    mark.open.push_back({seq, 3, at(0s), at(0s)});
  auto q = make(o, mark);
  accept(q, 1'001, 1'100, at(0s));
  // Retries hang; new ones are answered at once.
  std::set<seq_t> hanging;
  int fresh = 0;
  for (int round = 0; round < 200 && fresh < 100; ++round)
    for (const auto& a : q.take(at(1s)))
      if (a.number == 1) {
        ++fresh;
        q.finish(a.seq, ok, at(1s));
      } else {
        hanging.insert(a.seq);
      }
  EXPECT_EQ(fresh, 100);
  EXPECT_THAT(hanging, SizeIs(2));
}

TEST_F(queue, retries_are_not_starved_by_first_attempts_either) {
  auto o = plain();
  o.max_concurrent = 1;
  auto q = make(o, {1, {{1, 1, at(0s), at(0s)}}});
  accept(q, 2, 100, at(0s));
  for (int turn = 0; turn < 4; ++turn) {
    const auto sent = q.take(at(0s));
    ASSERT_THAT(sent, SizeIs(1));
    q.finish(sent[0].seq, ok, at(0s));
    if (sent[0].seq == 1)
      return;
  }
  FAIL() << "the retry had no turn among four";
}

TEST_F(queue, ordered_sends_one_at_a_time_and_a_failing_head_blocks) {
  auto o = plain();
  o.ordered = true;
  auto q = make(o);
  accept(q, 1, 3, at(0s));
  EXPECT_THAT(q.take(at(0s)), ElementsAre(attempt{1, 1}));
  EXPECT_THAT(q.take(at(0s)), IsEmpty());
  q.finish(1, bad, at(1s));
  EXPECT_THAT(q.take(at(1s)), IsEmpty());
  EXPECT_EQ(q.wake_at(at(1s)), at(6s));
  EXPECT_THAT(q.take(at(6s)), ElementsAre(attempt{1, 2}));
  q.finish(1, ok, at(7s));
  EXPECT_THAT(q.take(at(7s)), ElementsAre(attempt{2, 1}));
  q.finish(2, ok, at(7s));
  EXPECT_THAT(q.take(at(7s)), ElementsAre(attempt{3, 1}));
}

TEST_F(queue, ordered_goes_on_once_the_head_is_given_up) {
  auto o = plain();
  o.ordered = true;
  o.schedule.pauses = {1s};
  auto q = make(o);
  accept(q, 1, 2, at(0s));
  q.take(at(0s));
  q.finish(1, bad, at(0s));
  q.take(at(1s));
  EXPECT_EQ(q.finish(1, bad, at(1s)).what, kind::give_up);
  EXPECT_THAT(q.take(at(1s)), ElementsAre(attempt{2, 1}));
}

TEST_F(queue, ordered_keeps_its_order_across_a_restart) {
  auto o = plain();
  o.ordered = true;
  auto q = make(o, {9, {{3, 4, at(1h), at(0s)}, {5, 0, at(0s), at(0s)}}});
  EXPECT_THAT(q.take(at(0s)), IsEmpty());
  EXPECT_EQ(q.wake_at(at(0s)), at(1h));
  EXPECT_THAT(q.take(at(1h)), ElementsAre(attempt{3, 5}));
}

TEST_F(queue, in_order_from_now_on_waits_for_what_is_under_way) {
  auto o = plain();
  o.max_concurrent = 3;
  auto q = make(o);
  accept(q, 1, 5, at(0s));
  EXPECT_THAT(q.take(at(0s)), SizeIs(3));
  o.ordered = true;
  q.limit(o);
  EXPECT_THAT(q.take(at(0s)), IsEmpty());
  q.finish(1, ok, at(1s));
  q.finish(2, bad, at(1s));
  EXPECT_THAT(q.take(at(1s)), IsEmpty());
  EXPECT_EQ(q.wake_at(at(1s)), std::nullopt);
  const auto due = at(1s) + o.schedule.pauses[0];
  q.finish(3, ok, at(2s));
  EXPECT_EQ(q.wake_at(at(2s)), due);
  EXPECT_THAT(q.take(due), ElementsAre(attempt{2, 2}));
  q.finish(2, ok, due);
  EXPECT_THAT(q.take(due), ElementsAre(attempt{4, 1}));
}

TEST_F(queue, side_by_side_from_now_on_sends_nothing_twice) {
  auto o = plain();
  o.ordered = true;
  auto q = make(o);
  accept(q, 1, 4, at(0s));
  EXPECT_THAT(q.take(at(0s)), ElementsAre(attempt{1, 1}));
  o.ordered = false;
  o.max_concurrent = 3;
  q.limit(o);
  EXPECT_THAT(q.take(at(0s)), ElementsAre(attempt{2, 1}, attempt{3, 1}));
  EXPECT_EQ(q.finish(1, bad, at(1s)).what, kind::retry);
  o.max_concurrent = 1;
  q.limit(o);
  EXPECT_THAT(q.take(at(1s)), IsEmpty());
  q.finish(2, ok, at(1s));
  q.finish(3, ok, at(1s));
  EXPECT_THAT(q.take(at(1s)), ElementsAre(attempt{4, 1}));
  q.finish(4, ok, at(1s));
  EXPECT_THAT(q.take(at(1s) + o.schedule.pauses[0]),
              ElementsAre(attempt{1, 2}));
}

TEST_F(queue, another_rate_counts_from_now_on) {
  auto q = make(plain());
  accept(q, 1, 4, at(0s));
  auto o = plain();
  o.rate_per_second = 1;
  q.limit(o);
  EXPECT_THAT(q.take(at(0s)), ElementsAre(attempt{1, 1}));
  // One that stays as it is gives no turns away.
  q.limit(o);
  EXPECT_THAT(q.take(at(0s)), IsEmpty());
  EXPECT_THAT(q.take(at(1s)), ElementsAre(attempt{2, 1}));
  o.rate_per_second = 0;
  q.limit(o);
  EXPECT_THAT(q.take(at(1s)), ElementsAre(attempt{3, 1}, attempt{4, 1}));
}

TEST_F(queue, goes_on_from_its_mark_after_a_restart) {
  auto q = make(plain());
  accept(q, 1, 4, at(0s));
  q.take(at(0s));
  q.finish(1, ok, at(0s));
  q.finish(3, bad, at(0s));
  q.pass_over(10);
  // 2 and 4 are under way when the process dies.
  auto again = make(plain(), *parse_mark(mark_json(q.mark())));
  EXPECT_EQ(again.cursor(), 10);
  EXPECT_THAT(again.take(at(0s)), ElementsAre(attempt{2, 1}, attempt{4, 1}));
  EXPECT_THAT(again.take(at(5s)), ElementsAre(attempt{3, 2}));
}

TEST_F(queue, a_clock_that_was_ahead_puts_nothing_off) {
  auto o = plain();
  o.schedule.pauses = {10s, 60s};
  o.schedule.max_retry_after = 2min;
  const auto ahead = at(300h);
  // Of 2 is known how long it was to wait; 3 was not tried yet.
  const progress_mark mark{3,
                           {{1, 1, ahead + 10s, ahead},
                            {2, 1, ahead + 10s, ahead, {}, {{ahead, "no"}}},
                            {3, 0, ahead, ahead}}};
  auto q = make(o, mark, at(1h));
  EXPECT_THAT(q.take(at(1h)), ElementsAre(attempt{3, 1}));
  EXPECT_EQ(q.wake_at(at(1h)), at(1h + 10s));
  EXPECT_THAT(q.take(at(1h + 10s)), ElementsAre(attempt{2, 2}));
  EXPECT_THAT(q.take(at(1h + 2min - 1us)), IsEmpty());
  EXPECT_THAT(q.take(at(1h + 2min)), ElementsAre(attempt{1, 2}));

  o.ordered = true;
  auto in_order = make(o, mark, at(1h));
  EXPECT_EQ(in_order.wake_at(at(1h)), at(1h + 2min));
  EXPECT_THAT(make(o, {1, {{1, 0, ahead, ahead}}}, at(1h)).take(at(1h)),
              ElementsAre(attempt{1, 1}));
}

TEST_F(queue, a_clock_that_is_ahead_now_shortens_no_pause_of_its_own) {
  auto o = plain();
  o.schedule.pauses = {10s};
  const progress_mark mark{1, {{1, 1, at(10s), at(0s), {}, {{at(0s), "no"}}}}};
  EXPECT_EQ(make(o, mark, at(4s)).mark(), mark);
}

TEST_F(queue, is_full_until_something_is_done_with) {
  auto o = plain();
  o.max_unfinished = 2;
  auto q = make(o);
  accept(q, 1, 2, at(0s));
  EXPECT_FALSE(q.has_room());
  EXPECT_FALSE(q.accept(3, at(0s)));
  EXPECT_EQ(q.cursor(), 2);
  q.take(at(0s));
  q.finish(1, bad, at(0s));
  EXPECT_FALSE(q.has_room());
  q.finish(2, ok, at(0s));
  EXPECT_TRUE(q.accept(3, at(0s)));
}

TEST_F(queue, keeps_to_its_rate) {
  auto o = plain();
  o.rate_per_second = 2;
  o.max_concurrent = 100;
  auto q = make(o);
  accept(q, 1, 50, at(0s));
  size_t sent = 0;
  auto now = at(0s);
  while (now < at(10s)) {
    for (const auto& a : q.take(now)) {
      ++sent;
      q.finish(a.seq, ok, now);
    }
    now = *q.wake_at(now);
  }
  EXPECT_EQ(sent, 20u);
}

TEST_F(queue, an_open_breaker_costs_nothing_and_keeps_all) {
  auto o = plain();
  o.breaker = {3, 30s, 120s};
  auto q = make(o);
  accept(q, 1, 100, at(0s));
  auto now = at(0s);
  int attempts = 0;
  const auto end = at(1h);
  while (now < end) {
    for (const auto& a : q.take(now)) {
      ++attempts;
      q.finish(a.seq, bad, now + 1s);
    }
    now = std::max(now + 1s, *q.wake_at(now + 1s));
  }
  // 8 at first, then one probe after 30, 60, 120, 120, … seconds.
  EXPECT_LT(attempts, 8 + 35);
  EXPECT_EQ(q.waiting(), 100u);
  EXPECT_NE(q.breaker_state(now - 1s), breaker::state::closed);
  // The endpoint is back: one probe, then everything that is due.
  const auto probe = q.take(now);
  ASSERT_THAT(probe, SizeIs(1));
  q.finish(probe[0].seq, ok, now);
  EXPECT_EQ(q.breaker_state(now), breaker::state::closed);
  EXPECT_THAT(q.take(now), SizeIs(8));
}

TEST_F(queue, wakes_when_the_breaker_lets_a_probe_through) {
  auto o = plain();
  o.breaker = {1, 30s, 120s};
  auto q = make(o);
  accept(q, 1, 2, at(0s));
  o.max_concurrent = 2;
  q.take(at(0s));
  q.finish(1, bad, at(0s));
  q.finish(2, bad, at(0s));
  EXPECT_EQ(q.wake_at(at(0s)), at(30s));
  ASSERT_THAT(q.take(at(30s)), SizeIs(1));
  EXPECT_EQ(q.wake_at(at(30s)), std::nullopt);
}

TEST_F(queue, leaves_a_throttling_endpoint_in_peace) {
  auto o = plain();
  o.max_concurrent = 2;
  auto q = make(o);
  accept(q, 1, 10, at(0s));
  q.take(at(0s));
  const auto d = q.finish(1, of(outcome::throttled, 429, 60s), at(0s));
  EXPECT_EQ(d, (decision{kind::retry, at(60s), 1}));
  q.finish(2, ok, at(1s));
  EXPECT_THAT(q.take(at(59s)), IsEmpty());
  EXPECT_EQ(q.wake_at(at(1s)), at(60s));
  EXPECT_THAT(q.take(at(60s)), SizeIs(2));
}

TEST_F(queue, leaves_it_in_peace_across_a_restart) {
  auto q = make(plain());
  accept(q, 1, 2, at(0s));
  q.take(at(0s));
  q.finish(1, of(outcome::throttled, 503, 60s), at(0s));
  auto again = make(plain(), *parse_mark(mark_json(q.mark())));
  accept(again, 3, 3, at(10s));
  EXPECT_THAT(again.take(at(59s)), IsEmpty());
  EXPECT_EQ(again.wake_at(at(10s)), at(60s));
  EXPECT_THAT(again.take(at(60s)), SizeIs(3));
  EXPECT_EQ(again.mark().endpoint, endpoint_health{}) << "it is over";
  auto forgiven = make(plain(), q.mark());
  forgiven.enable();
  EXPECT_EQ(forgiven.mark().endpoint, endpoint_health{});
  EXPECT_THAT(forgiven.take(at(10s)), SizeIs(1));
}

TEST_F(queue, keeps_its_breaker_across_a_restart) {
  auto o = plain();
  o.breaker.failures_to_open = 2;
  o.max_concurrent = 2;
  auto q = make(o);
  accept(q, 1, 5, at(0s));
  q.take(at(0s));
  q.finish(1, bad, at(0s));
  q.finish(2, bad, at(0s));
  auto again = make(o, *parse_mark(mark_json(q.mark())));
  EXPECT_EQ(again.breaker_state(at(29s)), breaker::state::open);
  EXPECT_THAT(again.take(at(29s)), IsEmpty());
  const auto probe = again.take(at(30s));
  ASSERT_THAT(probe, SizeIs(1));
  // It goes on from how long it was open.
  again.finish(probe[0].seq, bad, at(30s));
  EXPECT_EQ(again.breaker_state(at(89s)), breaker::state::open);
  EXPECT_EQ(again.breaker_state(at(90s)), breaker::state::half_open);
}

TEST_F(queue, a_clock_that_was_ahead_keeps_no_endpoint_away) {
  auto o = plain();
  o.schedule.max_retry_after = 2min;
  o.throttle_max = 1min;
  const auto ahead = at(300h);
  auto open =
      make(o, {1, {{1, 0, at(0s), at(0s)}}, {1, {}, ahead + 40s, 40s}}, at(1h));
  EXPECT_EQ(open.wake_at(at(1h)), at(1h + 40s));
  EXPECT_THAT(open.take(at(1h + 40s)), SizeIs(1));
  auto paused =
      make(o, {1, {{1, 0, at(0s), at(0s)}}, {1, ahead + 2min, {}, 0s}}, at(1h));
  EXPECT_EQ(paused.wake_at(at(1h)), at(1h + 2min));
  EXPECT_THAT(paused.take(at(1h + 2min)), SizeIs(1));
}

TEST_F(queue, tells_when_it_really_tries_again) {
  auto o = plain();
  o.max_concurrent = 1;
  o.schedule.pauses = {1s, 1s};
  auto q = make(o);
  accept(q, 1, 1, at(0s));
  q.take(at(0s));
  const auto d = q.finish(1, of(outcome::throttled, 503), at(0s));
  EXPECT_EQ(d, (decision{kind::retry, at(5s), 1})) << "the endpoint's pause";
  EXPECT_THAT(q.take(at(4'999ms)), IsEmpty());
  EXPECT_THAT(q.take(at(5s)), SizeIs(1));
}

TEST_F(queue, throttles_longer_and_longer_where_no_time_is_given) {
  auto o = plain();
  o.max_concurrent = 1;
  o.throttle_max = 15s;
  auto q = make(o);
  accept(q, 1, 10, at(0s));
  auto now = at(0s);
  for (const auto pause : {5s, 10s, 15s, 15s}) {
    const auto sent = q.take(now);
    ASSERT_THAT(sent, SizeIs(1));
    q.finish(sent[0].seq, of(outcome::throttled, 502), now);
    EXPECT_EQ(q.wake_at(now), now + pause);
    now += pause;
  }
  const auto sent = q.take(now);
  q.finish(sent[0].seq, ok, now);
  q.finish(q.take(now)[0].seq, of(outcome::throttled, 502), now);
  EXPECT_EQ(q.wake_at(now), now + 5s);
}

TEST_F(queue, a_gone_endpoint_is_disabled_and_loses_nothing) {
  auto q = make(plain());
  accept(q, 1, 3, at(0s));
  q.take(at(0s));
  EXPECT_EQ(q.finish(1, of(outcome::gone, 410), at(0s)).what, kind::disabled);
  EXPECT_TRUE(q.is_disabled());
  q.finish(2, ok, at(0s));
  q.finish(3, bad, at(0s));
  EXPECT_THAT(q.take(at(1h)), IsEmpty());
  q.enable();
  EXPECT_THAT(q.take(at(1h)), ElementsAre(attempt{1, 2}, attempt{3, 2}));
}

TEST_F(queue, what_never_left_is_no_attempt) {
  auto q = make(plain());
  accept(q, 1, 1, at(0s));
  q.take(at(0s));
  EXPECT_EQ(q.finish(1, of(outcome::not_sent), at(0s)),
            (decision{kind::put_back, at(1s), 0}));
  EXPECT_THAT(q.take(at(0s)), IsEmpty());
  EXPECT_THAT(q.take(at(1s)), ElementsAre(attempt{1, 1}));
}

TEST_F(queue, an_end_that_nobody_waits_for_changes_nothing) {
  auto q = make(plain());
  accept(q, 1, 1, at(0s));
  EXPECT_EQ(q.finish(1, ok, at(0s)).what, kind::put_back);
  EXPECT_EQ(q.finish(7, ok, at(0s)).what, kind::put_back);
  EXPECT_THAT(q.take(at(0s)), ElementsAre(attempt{1, 1}));
}

TEST_F(queue, gives_up_what_could_not_be_tried_for_too_long) {
  auto o = plain();
  o.breaker = {1, 1h, 1h};
  o.max_concurrent = 1;
  auto q = make(o);
  accept(q, 1, 2, at(0s));
  accept(q, 3, 3, at(95h));
  q.take(at(0s));
  q.finish(1, bad, at(0s));
  // A probe that fails.
  ASSERT_THAT(q.take(at(95h + 30min)), ElementsAre(attempt{2, 1}));
  q.finish(2, bad, at(95h + 30min));
  EXPECT_THAT(q.give_up_overdue(at(96h - 1us)), IsEmpty());
  const auto given_up = q.give_up_overdue(at(96h));
  ASSERT_THAT(given_up, SizeIs(2));
  EXPECT_EQ(given_up[0].seq, 1);
  EXPECT_EQ(given_up[0].attempts, 1u);
  EXPECT_EQ(given_up[1].seq, 2);
  EXPECT_THAT(q.mark().open, SizeIs(1));
  EXPECT_THAT(q.take(at(97h)), ElementsAre(attempt{3, 1}));
}

TEST_F(queue, does_not_give_up_what_only_waits_for_its_turn) {
  auto o = plain();
  o.max_concurrent = 1;
  auto q = make(o);
  accept(q, 1, 3, at(0s));
  q.take(at(0s));
  EXPECT_THAT(q.give_up_overdue(at(200h)), IsEmpty());
  EXPECT_EQ(q.finish(1, ok, at(200h)).what, kind::done);
  EXPECT_THAT(q.take(at(200h)), ElementsAre(attempt{2, 1}));
}

TEST_F(queue, a_schedule_may_be_longer_than_what_may_wait) {
  auto o = plain();
  o.breaker = {1, 1h, 1h};
  o.schedule.pauses = {72h, 72h};
  auto q = make(o);
  accept(q, 1, 1, at(0s));
  q.take(at(0s));
  q.finish(1, bad, at(0s));
  ASSERT_THAT(q.take(at(72h)), ElementsAre(attempt{1, 2}));
  q.finish(1, bad, at(72h));
  EXPECT_EQ(q.wake_at(at(72h)), at(144h));
  EXPECT_THAT(q.give_up_overdue(at(72h + 30min)), IsEmpty());
  EXPECT_THAT(q.take(at(144h)), ElementsAre(attempt{1, 3}));
  EXPECT_EQ(q.finish(1, bad, at(144h)).what, kind::give_up);
}

TEST_F(queue, does_not_give_up_what_is_under_way) {
  auto q = make(plain());
  accept(q, 1, 1, at(0s));
  q.take(at(0s));
  EXPECT_THAT(q.give_up_overdue(at(200h)), IsEmpty());
  EXPECT_EQ(q.finish(1, ok, at(200h)).what, kind::done);
}

} // namespace
} // namespace eventweft::delivery
