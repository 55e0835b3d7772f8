// SPDX-License-Identifier: Apache-2.0
// Endpoints with all their moods over days of virtual time, with restarts.
#include "delivery/queue.hpp"

#include <gtest/gtest.h>

#include <map>
#include <queue>
#include <set>

namespace eventweft::delivery {
namespace {

using namespace std::chrono_literals;

constexpr seq_t event_count = 2'000;

struct world {
  explicit world(uint64_t seed, bool ordered) : random(seed) {
    options.ordered = ordered;
    options.max_unfinished = 50;
    options.max_concurrent = 4;
  }

  // An endpoint that answers, fails, throttles or hangs as chance has it, and
  // is down altogether for some hours.
  verdict answer() {
    if (now >= down_from && now < down_until)
      return {outcome::failed, 0, "connect: refused", {}};
    switch (random.next() % 20) {
    case 0:
      return {outcome::failed, 500, "500", {}};
    case 1:
      return {outcome::throttled, 503, "503", 20s};
    case 2:
      return {outcome::failed, 0, "timed out", {}};
    case 3:
      return {outcome::not_sent, 0, "overloaded", {}};
    default:
      return {outcome::delivered, 200, "", {}};
    }
  }

  void end(seq_t seq) {
    const auto v = answer();
    // A failed answer may well have come after the receiver did its work.
    if (v.outcome == outcome::delivered ||
        (v.outcome == outcome::failed && random.next() % 2 == 0))
      ++received[seq];
    const auto d = q->finish(seq, v, now);
    if (v.outcome == outcome::delivered)
      in_order.push_back(seq);
    if (d.what == decision::kind::give_up)
      dead.insert(seq);
    if (d.what != decision::kind::put_back)
      stored = mark_json(q->mark());
  }

  void restart() {
    flights.clear();
    q.emplace(options, *parse_mark(stored), now, random);
  }

  void run() {
    restart();
    while (true) {
      while (q->has_room() && q->cursor() < event_count)
        if (const auto seq = q->cursor() + 1; seq % 3 == 0)
          q->pass_over(seq);
        else
          q->accept(seq, now);
      for (const auto& u : q->give_up_overdue(now))
        dead.insert(u.seq);
      for (const auto& a : q->take(now))
        flights.emplace(now + 10ms +
                            std::chrono::milliseconds{random.next() % 15'000},
                        a.seq);
      if (random.next() % 500 == 0) {
        restart();
        continue;
      }
      auto next = q->wake_at(now);
      if (!flights.empty() && (!next || flights.begin()->first <= *next)) {
        now = flights.begin()->first;
        const auto seq = flights.begin()->second;
        flights.erase(flights.begin());
        end(seq);
      } else if (next) {
        ASSERT_GT(*next, now) << "nothing to do, and yet to be done now";
        now = *next;
      } else {
        break;
      }
    }
  }

  queue_options options;
  seeded_random random;
  timestamp now{1'000h};
  timestamp down_from{1'001h};
  timestamp down_until{1'009h};
  std::string stored = R"({"cursor":0,"open":[]})";
  std::optional<delivery_queue> q;
  std::multimap<timestamp, seq_t> flights;
  std::map<seq_t, int> received;
  std::vector<seq_t> in_order;
  std::set<seq_t> dead;
};

class lives : public testing::TestWithParam<uint64_t> {};

void expect_all_accounted_for(const world& w) {
  for (seq_t seq = 1; seq <= event_count; ++seq) {
    const bool known = w.received.contains(seq) || w.dead.contains(seq);
    EXPECT_EQ(known, seq % 3 != 0) << seq;
  }
}

TEST_P(lives, parallel_loses_nothing) {
  world w{GetParam(), false};
  w.run();
  expect_all_accounted_for(w);
}

TEST_P(lives, ordered_loses_nothing_and_keeps_the_order) {
  world w{GetParam(), true};
  w.run();
  expect_all_accounted_for(w);
  // A restart may repeat the last one, never go back behind it.
  for (size_t i = 1; i < w.in_order.size(); ++i)
    ASSERT_LE(w.in_order[i - 1], w.in_order[i]);
}

INSTANTIATE_TEST_SUITE_P(seeds, lives, testing::Range<uint64_t>(1, 21));

} // namespace
} // namespace eventweft::delivery
