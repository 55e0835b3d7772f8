// SPDX-License-Identifier: Apache-2.0
#include "actors/log_follower.hpp"
#include "tests/support/figures.hpp"
#include "tests/support/spine.hpp"

#include <numeric>
#include <vector>

namespace eventweft::testing {
namespace {

using namespace std::chrono_literals;

class log_follower_test : public spine {
 protected:
  void SetUp() override {
    ctx.followers = make_follower_lane();
    ctx.peers->askers.set(0, keep(spawn_asker(system)));
  }

  std::unique_ptr<log_follower> follow(seq_t after, follower_options o = {},
                                       filter f = {}) {
    return std::make_unique<log_follower>(
        system, ctx, followed_events{{}, std::move(f)}, after, o,
        [this](log_range_ptr piece) {
          EXPECT_TRUE(pieces.empty() ||
                      piece->first == pieces.back()->last + 1);
          pieces.push_back(std::move(piece));
        });
  }

  std::vector<seq_t> seen() const {
    std::vector<seq_t> out;
    for (const auto& p : pieces)
      for (const auto& ev : p->events)
        out.push_back(ev->seq);
    return out;
  }

  static std::vector<seq_t> from_to(seq_t first, seq_t last) {
    std::vector<seq_t> out(static_cast<size_t>(last - first + 1));
    std::iota(out.begin(), out.end(), first);
    return out;
  }

  void append_many(int first, int last) {
    for (int i = first; i <= last; ++i)
      append(i);
    run();
  }

  /// How often filters were tried on events so far.
  int64_t tried() const {
    return figure(*ctx.figures, "eventweft_filters_tried_total");
  }

  std::vector<log_range_ptr> pieces;
};

TEST_F(log_follower_test, an_event_is_tried_once_for_all_who_follow_the_same) {
  start_all();
  constexpr size_t followers = 20;
  std::vector<size_t> found(followers);
  std::vector<std::unique_ptr<log_follower>> all;
  for (size_t i = 0; i < followers; ++i) {
    followed_events what;
    what.stream.platforms = {"github"};
    // The index knows no wildcards: each that is different would be tried.
    what.own.event_types = {"p*"};
    all.push_back(
        std::make_unique<log_follower>(system, ctx, what, 0, follower_options{},
                                       [&found, i](const log_range_ptr& piece) {
                                         found[i] += piece->events.size();
                                       }));
    all.back()->want();
  }
  run();
  const auto before = tried();
  append_many(1, 10);
  for (int i = 0; i < 10; ++i) {
    for (const auto& f : all)
      f->want();
    run();
  }
  EXPECT_EQ(found, std::vector<size_t>(followers, 10));
  EXPECT_EQ(tried() - before, 10);
}

TEST_F(log_follower_test, readers_far_back_try_an_event_once_as_well) {
  stream_hub_options hub;
  hub.join_events = 5;
  hub.recent_events = 7;
  start_all({}, hub);
  auto live = follow(0);
  live->want();
  append_many(1, 40);
  const auto pages = log->pages_read;
  const auto before = tried();
  filter what;
  what.event_types = {"p*"};
  for (int i = 0; i < 4; ++i) {
    pieces.clear();
    auto f = follow(0, {}, what);
    for (int n = 0; n < 12; ++n) {
      f->want();
      run();
    }
    EXPECT_EQ(seen(), from_to(1, 40));
  }
  // The last few, with which it joins, are tried by the hub, for each.
  EXPECT_LE(tried() - before, 40 + 4 * 5);
  EXPECT_EQ(log->pages_read, pages) << "all of it is in memory";
}

TEST_F(log_follower_test, goes_on_with_the_streams_new_filter) {
  start_all();
  auto f = follow(0);
  append_many(1, 3);
  f->want();
  run();
  EXPECT_EQ(seen(), from_to(1, 3));
  append_many(4, 6);
  filter nobody;
  nobody.platforms = {"nobody"};
  f->change_stream(nobody);
  f->want();
  append_many(7, 9);
  EXPECT_EQ(seen(), from_to(1, 3)) << "what waited is not handed over";
  f->change_stream({});
  append_many(10, 10);
  EXPECT_EQ(seen(), (std::vector<seq_t>{1, 2, 3, 10}))
      << "what was looked at is not looked at again";
}

TEST_F(log_follower_test, gives_one_piece_for_each_want) {
  start_all();
  auto f = follow(0);
  append_many(1, 3);
  EXPECT_TRUE(pieces.empty());
  f->want();
  run();
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(seen(), from_to(1, 3));
  append_many(4, 5);
  EXPECT_EQ(pieces.size(), 1u);
  f->want();
  run();
  EXPECT_EQ(pieces.size(), 2u);
  EXPECT_EQ(seen(), from_to(1, 5));
  EXPECT_EQ(pieces.back()->last, 5);
  f->want();
  run();
  EXPECT_EQ(pieces.size(), 2u) << "nothing new";
  append_many(6, 6);
  EXPECT_EQ(seen(), from_to(1, 6));
}

TEST_F(log_follower_test, begins_at_the_present_end_if_told_so) {
  start_all();
  append_many(1, 4);
  auto f = follow(-1);
  f->want();
  run();
  append_many(5, 6);
  f->want();
  run();
  EXPECT_EQ(seen(), from_to(5, 6));
}

TEST_F(log_follower_test, reads_what_is_no_longer_in_memory_from_the_store) {
  stream_hub_options hub;
  hub.ring_events = 4;
  start_all({}, hub);
  append_many(1, 60);
  follower_options o;
  o.max_events = 7;
  auto f = follow(0, o);
  for (int i = 0; i < 20; ++i) {
    f->want();
    advance(300ms);
  }
  EXPECT_EQ(seen(), from_to(1, 60));
  for (const auto& p : pieces)
    EXPECT_LE(p->events.size(), 7u);
}

TEST_F(log_follower_test, holds_two_pieces_at_most_and_loses_nothing) {
  start_all();
  follower_options o;
  o.max_events = 5;
  auto f = follow(0, o);
  run();
  append_many(1, 200);
  for (int i = 0; i < 60; ++i) {
    f->want();
    advance(100ms);
  }
  EXPECT_EQ(seen(), from_to(1, 200));
}

TEST_F(log_follower_test, tells_how_far_it_looked_when_nothing_matches) {
  start_all();
  follower_options o;
  o.quiet_events = 10;
  filter f;
  f.platforms = {"nobody"};
  auto follower = follow(0, o, f);
  follower->want();
  append_many(1, 9);
  EXPECT_TRUE(pieces.empty());
  append_many(10, 12);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_TRUE(pieces[0]->events.empty());
  EXPECT_GE(pieces[0]->last, 10);
}

TEST_F(log_follower_test, a_few_that_do_not_match_are_told_after_a_while) {
  start_all();
  filter none;
  none.platforms = {"nobody"};
  auto follower = follow(0, {}, none);
  follower->want();
  append_many(1, 3);
  EXPECT_EQ(follower->seen(), 3) << "at once, for whoever asks";
  EXPECT_TRUE(pieces.empty());
  advance(1s);
  EXPECT_TRUE(pieces.empty());
  advance(1'500ms);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_TRUE(pieces[0]->events.empty());
  EXPECT_EQ(pieces[0]->last, 3);
  EXPECT_EQ(follower->seen(), std::nullopt) << "nobody asked for more";
  follower->want();
  EXPECT_EQ(follower->seen(), 3);
  advance(1min);
  EXPECT_EQ(pieces.size(), 1u) << "nothing new";
}

TEST_F(log_follower_test, what_was_found_is_not_passed_over) {
  start_all();
  auto follower = follow(0);
  append_many(1, 3);
  EXPECT_EQ(follower->seen(), std::nullopt) << "three wait";
  follower->want();
  run();
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(follower->seen(), std::nullopt) << "they are on their way";
  follower->want();
  EXPECT_EQ(follower->seen(), 3);
}

TEST_F(log_follower_test, goes_on_after_the_hub_and_its_subscription_died) {
  start_all();
  auto f = follow(0);
  f->want();
  append_many(1, 2);
  crash(ctx.peers->hub.get());
  run();
  start_hub();
  append_many(3, 4);
  for (int i = 0; i < 5; ++i) {
    f->want();
    advance(3s);
  }
  append_many(5, 6);
  for (int i = 0; i < 5; ++i) {
    f->want();
    advance(3s);
  }
  EXPECT_EQ(seen(), from_to(1, 6));
}

// Askers only let time pass for it: without them it goes on at once.
TEST_F(log_follower_test, goes_on_after_its_subscription_ended_without_askers) {
  stream_hub_options hub;
  hub.ring_events = 2;
  start_all({}, hub);
  append_many(1, 20);
  const auto read_all = [this] {
    pieces.clear();
    // One answer that ends the subscription which asked.
    log->set_down(error{ec::corrupt, "a bad page"});
    log->down_for = 1;
    auto f = follow(0);
    f->want();
    advance(5s);
    return seen();
  };
  crash(ctx.peers->askers.next());
  run();
  EXPECT_EQ(read_all(), from_to(1, 20)) << "the asker that is known is dead";
  ctx.peers->askers.clear();
  EXPECT_EQ(read_all(), from_to(1, 20)) << "none is known";
}

TEST_F(log_follower_test, waits_for_a_store_that_is_away) {
  stream_hub_options hub;
  hub.ring_events = 2;
  start_all({}, hub);
  append_many(1, 20);
  log->set_down(error{ec::store_unavailable, "away"});
  auto f = follow(0);
  f->want();
  advance(5s);
  EXPECT_TRUE(pieces.empty());
  log->set_down(std::nullopt);
  advance(20s);
  f->want();
  advance(5s);
  EXPECT_EQ(seen(), from_to(1, 20));
}

} // namespace
} // namespace eventweft::testing
