// SPDX-License-Identifier: Apache-2.0
#include "tests/support/spine.hpp"

#include <deque>

namespace eventweft {

namespace {

using std::chrono::milliseconds;
using testing::make_event;
using seqs = std::vector<seq_t>;

class stream_hub_test : public testing::spine {
 protected:
  filter github_only() {
    filter f;
    f.platforms = {"github"};
    return f;
  }

  /// Stores an event and tells the hub, as the writer does.
  void commit(event e) {
    auto seq = log->add(std::move(e));
    tell(seq, seq);
  }

  void tell(seq_t first, seq_t last) {
    log_range r{first, last, {}};
    for (const auto& ev : log->events())
      if (ev->seq >= first && ev->seq <= last)
        r.events.push_back(ev);
    tell_anon(ctx.peers->hub.get(), committed_atom_v,
              std::make_shared<const log_range>(std::move(r)));
  }

  int next_event_ = 0;

  testing::recording_lane::reader& reader(reader_id id) {
    return lane->readers[id];
  }
};

TEST_F(stream_hub_test, webhook_to_lane) {
  start_all();
  auto s = subscribe(1);
  next(s, 1);
  run();
  auto a = append(1);
  run();
  ASSERT_TRUE(a->value);
  EXPECT_EQ(a->value->seq, 1);
  EXPECT_EQ(reader(1).seen, (seqs{1}));
  EXPECT_TRUE(reader(1).live);
}

TEST_F(stream_hub_test, filter_that_matches_nothing_advances_the_cursor) {
  start_all();
  filter f;
  f.platforms = {"slack"};
  auto s = subscribe(1, f);
  next(s, 1);
  run();
  for (int i = 0; i < 10; ++i)
    append(i);
  run();
  EXPECT_TRUE(reader(1).seen.empty());
  EXPECT_EQ(reader(1).cursor, 10);
}

// Each of many different filters gets its own events and no others, as readers
// come and go, and the lane's batches carry nobody else's.
TEST_F(stream_hub_test, many_different_filters_on_one_lane) {
  start_all();
  constexpr int readers = 300;
  std::vector<subscription_actor> subscriptions;
  const auto only = [](int i) {
    filter f;
    f.custom_filters = {{"payload.n", std::to_string(i)}};
    return f;
  };
  const auto add = [&](int n) {
    auto ev = make_event(1000 + next_event_++);
    ev.payload = shared_text{"{\"n\":" + std::to_string(n) + "}"};
    append(ev);
  };
  for (int i = 0; i < readers; ++i) {
    subscriptions.push_back(
        subscribe(static_cast<reader_id>(i + 1), only(i % (readers / 2))));
    next(subscriptions.back(), static_cast<reader_id>(i + 1));
  }
  run();
  for (int i = 0; i < readers / 2; ++i)
    add(i);
  add(readers); // nobody's
  run();
  for (int i = 0; i < readers; ++i)
    EXPECT_EQ(reader(static_cast<reader_id>(i + 1)).seen,
              (seqs{i % (readers / 2) + 1}));
  // Half of them leave; a filter that another one has stays in force.
  for (int i = 0; i < readers / 2; ++i)
    end_actor(subscriptions[static_cast<size_t>(i)],
              caf::exit_reason::user_shutdown);
  run();
  lane->readers.erase(1);
  add(7);
  run();
  EXPECT_EQ(reader(readers / 2 + 8).seen, (seqs{8, readers / 2 + 2}));
  EXPECT_TRUE(reader(readers / 2 + 8).faults.empty());
  EXPECT_EQ(reader(readers / 2 + 9).seen, (seqs{9}));
}

TEST_F(stream_hub_test, join_gives_the_backlog_from_memory) {
  start_all();
  for (int i = 0; i < 10; ++i)
    append(i);
  run();
  auto pages = log->pages_read;
  auto s = subscribe(1, {}, start_point::after(4));
  next(s, 1);
  run();
  EXPECT_EQ(reader(1).seen, (seqs{5, 6, 7, 8, 9, 10}));
  EXPECT_TRUE(reader(1).live);
  EXPECT_EQ(log->pages_read, pages);
}

TEST_F(stream_hub_test, reader_far_back_catches_up_from_the_store) {
  for (int i = 0; i < 100; ++i)
    log->add(make_event(i, i % 2 == 0 ? "github" : "slack"));
  start_all();
  subscription_options options;
  options.page_events = 30;
  auto s = subscribe(1, github_only(), start_point::after(0), options);
  next(s, 1);
  run();
  int rounds = 0;
  while (reader(1).wants_next && ++rounds < 20) {
    next(s, 1);
    run();
  }
  EXPECT_TRUE(reader(1).live);
  seqs expected;
  for (seq_t i = 1; i <= 100; i += 2)
    expected.push_back(i);
  EXPECT_EQ(reader(1).seen, expected);
  EXPECT_TRUE(reader(1).faults.empty());
  append(make_event(200));
  run();
  EXPECT_EQ(reader(1).seen.back(), 101);
}

// What credentials let a reader see, whatever becomes of the other filters.
TEST_F(stream_hub_test, forced_filter_holds_when_the_others_change) {
  for (int i = 0; i < 60; ++i)
    log->add(make_event(i, i % 2 == 0 ? "github" : "slack"));
  start_all();
  subscription_options options;
  options.page_events = 10;
  subscription_spec spec;
  spec.id = 1;
  spec.request = {1, lane, "all_events", {}, start_point::after(0)};
  spec.request.forced = github_only();
  lane->readers[1];
  auto s = keep(spawn_subscription(system, ctx, options, std::move(spec)));
  next(s, 1);
  run();
  filter pushes;
  pushes.event_types = {"push"};
  tell_anon(s, put_atom_v, pushes);
  next(s, 1);
  run();
  tell_anon(s, filter_atom_v, filter{});
  for (int rounds = 0; reader(1).wants_next && rounds < 20; ++rounds) {
    next(s, 1);
    run();
  }
  EXPECT_TRUE(reader(1).live);
  append(make_event(100, "slack"));
  append(make_event(101));
  run();
  seqs expected;
  for (seq_t seq = 1; seq <= 59; seq += 2)
    expected.push_back(seq);
  expected.push_back(62);
  EXPECT_EQ(reader(1).seen, expected);
}

TEST_F(stream_hub_test, starts_at_a_time) {
  for (int i = 0; i < 10; ++i)
    log->add(make_event(i));
  start_all();
  auto s = subscribe(1, {}, start_point::at(make_event(7).created_at));
  next(s, 1);
  run();
  while (reader(1).wants_next) {
    next(s, 1);
    run();
  }
  EXPECT_EQ(reader(1).seen, (seqs{8, 9, 10}));
}

TEST_F(stream_hub_test, hole_is_read_from_the_store) {
  start_all();
  auto s = subscribe(1);
  next(s, 1);
  run();
  log->add(make_event(1));
  log->add(make_event(2));
  commit(make_event(3));
  run();
  EXPECT_TRUE(reader(1).seen.empty()) << "others' events may be on their way";
  advance(milliseconds{30});
  EXPECT_EQ(reader(1).seen, (seqs{1, 2, 3}));
  EXPECT_TRUE(reader(1).faults.empty());
}

TEST_F(stream_hub_test, what_is_told_ahead_is_waited_for_then_read) {
  start_all();
  auto s = subscribe(1);
  next(s, 1);
  run();
  const auto pages = log->pages_read;
  for (int i = 1; i <= 3; ++i)
    log->add(make_event(i));
  tell_anon(ctx.peers->hub.get(), poll_atom_v, seq_t{2});
  run();
  tell(1, 2);
  advance(milliseconds{30});
  EXPECT_EQ(reader(1).seen, (seqs{1, 2}));
  EXPECT_EQ(log->pages_read, pages) << "it came by itself";
  tell_anon(ctx.peers->hub.get(), poll_atom_v, seq_t{3});
  advance(milliseconds{30});
  EXPECT_EQ(reader(1).seen, (seqs{1, 2, 3}));
  EXPECT_GT(log->pages_read, pages);
}

/// A reader of the store that answers a page when the test says so.
class held_pages {
 public:
  storage_reader_actor spawn(caf::actor_system& sys,
                             const std::shared_ptr<testing::memory_log>& log) {
    const auto reader = [log, held = held_](storage_reader_actor::pointer self)
        -> storage_reader_actor::behavior_type {
      return {
          [self, log, held](head_atom) -> caf::result<seq_t> {
            if (!held->holds_heads)
              return log->head();
            auto promise = self->make_response_promise<seq_t>();
            held->heads.emplace_back(promise, log->head());
            return promise;
          },
          [self, held](page_atom, page_request) -> caf::result<log_range> {
            auto promise = self->make_response_promise<log_range>();
            held->asked.push_back(promise);
            return promise;
          },
          [](query_atom, const event_query&) { return event_page{}; },
          [](find_atom, const uuid&) { return event_ptr{}; },
          [held](seek_atom, timestamp) {
            held->heads.front().first.deliver(held->heads.front().second);
            held->heads.pop_front();
            return seq_t{0};
          },
          [](find_atom, const std::vector<uuid>& threads) { return threads; },
          [](find_atom, const places_request& r) {
            return places_page{0, {}, r.last};
          },
          [](dead_letter_atom, const dead_letter&) {},
          [](list_atom, const dead_letter_query&) {
            return std::vector<dead_letter>{};
          },
          // A promise is kept from within its actor.
          [held](drop_atom, const uuid&) {
            held->asked.front().deliver(held->answers.front());
            held->asked.pop_front();
            held->answers.pop_front();
            return true;
          },
      };
    };
    return reader_ = sys.spawn(reader);
  }

  size_t size() const { return held_->asked.size(); }

  /// From now on where the log ends is found at once, but told when the test
  /// says so.
  void hold_heads() { held_->holds_heads = true; }
  size_t heads() const { return held_->heads.size(); }
  void answer_head() { tell_anon(reader_, seek_atom_v, timestamp{}); }

  void answer(log_range range) {
    held_->answers.push_back(std::move(range));
    tell_anon(reader_, drop_atom_v, uuid{});
  }

 private:
  struct content {
    std::deque<caf::typed_response_promise<log_range>> asked;
    std::deque<log_range> answers;
    std::deque<std::pair<caf::typed_response_promise<seq_t>, seq_t>> heads;
    bool holds_heads = false;
  };
  std::shared_ptr<content> held_ = std::make_shared<content>();
  storage_reader_actor reader_;
};

class held_stream_hub_test : public stream_hub_test {
 protected:
  /// With one live reader, and no poll to interfere.
  void start_on_held_pages() {
    ctx.peers->reader.set(keep(pages.spawn(system, log)));
    options.poll_interval = std::chrono::minutes{10};
    start_hub(options);
    run();
    subscription_ = subscribe(1);
    next(subscription_, 1);
    run();
  }

  stream_hub_options options;
  held_pages pages;

 private:
  subscription_actor subscription_;
};

TEST_F(held_stream_hub_test, reads_that_proved_needless_do_not_delay_the_next) {
  start_on_held_pages();
  const auto hear_of = [&](seq_t seq) {
    log->add(make_event(static_cast<int>(seq)));
    tell_anon(ctx.peers->hub.get(), poll_atom_v, seq);
    advance(milliseconds{30});
  };
  seqs expected;
  for (seq_t seq = 1; seq <= 8; ++seq) {
    hear_of(seq);
    ASSERT_EQ(pages.size(), 1u) << "seq " << seq;
    // It comes by itself before the store answers.
    tell(seq, seq);
    run();
    pages.answer({seq, seq, {log->events().back()}});
    run();
    expected.push_back(seq);
    EXPECT_EQ(reader(1).seen, expected);
  }
  hear_of(9);
  ASSERT_EQ(pages.size(), 1u);
  pages.answer({9, 9, {log->events().back()}});
  run();
  expected.push_back(9);
  EXPECT_EQ(reader(1).seen, expected);
  EXPECT_TRUE(reader(1).faults.empty());
}

TEST_F(held_stream_hub_test, what_is_not_visible_yet_is_asked_for_with_pauses) {
  start_on_held_pages();
  tell_anon(ctx.peers->hub.get(), poll_atom_v, seq_t{1});
  advance(milliseconds{30});
  ASSERT_EQ(pages.size(), 1u);
  pages.answer({1, 0, {}});
  run();
  EXPECT_EQ(pages.size(), 0u);
  advance(options.retry_min);
  ASSERT_EQ(pages.size(), 1u);
  log->add(make_event(1));
  pages.answer({1, 1, {log->events().back()}});
  run();
  EXPECT_EQ(reader(1).seen, (seqs{1}));
}

TEST_F(held_stream_hub_test, nothing_is_answered_that_was_not_asked) {
  for (int i = 1; i <= 60; ++i)
    log->add(make_event(i));
  const auto store = keep(pages.spawn(system, log));
  ctx.peers->reader.set(store);
  options.poll_interval = std::chrono::minutes{10};
  start_hub(options);
  run();
  auto s = subscribe(1, {}, start_point::after(0));
  next(s, 1);
  run();
  ASSERT_EQ(pages.size(), 1u);
  const auto all = log->events();
  // The store's part restarts just when the next page would be read ahead.
  ctx.peers->reader.set({});
  pages.answer({1, 30, {all.begin(), all.begin() + 30}});
  run();
  ASSERT_EQ(reader(1).pages, 1u);
  ctx.peers->reader.set(store);
  advance(milliseconds{5'000});
  EXPECT_EQ(pages.size(), 0u);
  next(s, 1);
  run();
  ASSERT_EQ(pages.size(), 1u);
  pages.answer({31, 60, {all.begin() + 30, all.end()}});
  run();
  EXPECT_EQ(reader(1).pages, 2u);
  EXPECT_EQ(reader(1).seen.size(), 60u);
  EXPECT_TRUE(reader(1).faults.empty());
}

// Read from the store by another connection than the one that was asked where
// the log ends, and overtook its answer.
TEST_F(held_stream_hub_test, no_cursor_is_beyond_what_was_stored_meanwhile) {
  start_on_held_pages();
  pages.hold_heads();
  tell_anon(ctx.peers->hub.get(), poll_atom_v);
  run();
  ASSERT_EQ(pages.heads(), 1u);
  for (int i = 1; i <= 3; ++i)
    log->add(make_event(i));
  auto s = subscribe(2);
  reader(2).cursor = 3;
  next(s, 2);
  run();
  pages.answer_head();
  run();
  EXPECT_EQ(reader(2).joins, 0u) << "the answer is older than the reader";
  ASSERT_EQ(pages.heads(), 1u) << "asked again";
  pages.answer_head();
  advance(milliseconds{30});
  ASSERT_EQ(pages.size(), 1u);
  pages.answer({1, 3, log->events()});
  run();
  EXPECT_EQ(reader(2).joins, 1u);
  EXPECT_TRUE(reader(2).seen.empty());
  EXPECT_TRUE(reader(2).faults.empty());
  EXPECT_EQ(reader(1).seen, (seqs{1, 2, 3}));
}

TEST_F(stream_hub_test, end_of_the_log_is_told_once_it_is_known) {
  for (int i = 0; i < 3; ++i)
    log->add(make_event(i));
  log->set_down(error{ec::store_unavailable, "no route"});
  start_write_worker();
  start_reader();
  start_hub();
  auto end = request<seq_t>(ctx.peers->hub.get(), head_atom_v);
  advance(milliseconds{500});
  EXPECT_TRUE(end->pending());
  log->set_down(std::nullopt);
  advance(milliseconds{6'000});
  ASSERT_TRUE(end->value);
  EXPECT_EQ(*end->value, 3);
}

TEST_F(stream_hub_test, ranges_out_of_order_and_twice) {
  start_all();
  auto s = subscribe(1);
  next(s, 1);
  run();
  for (int i = 0; i < 6; ++i)
    log->add(make_event(i));
  tell(4, 6);
  tell(2, 3);
  tell(1, 2);
  tell(1, 6);
  tell(3, 5);
  run();
  EXPECT_EQ(reader(1).seen, (seqs{1, 2, 3, 4, 5, 6}));
}

TEST_F(stream_hub_test, slow_poll_finds_what_nobody_told) {
  stream_hub_options options;
  options.poll_interval = milliseconds{500};
  start_all({}, options);
  auto s = subscribe(1);
  next(s, 1);
  run();
  log->add(make_event(1));
  run();
  EXPECT_TRUE(reader(1).seen.empty());
  advance(milliseconds{600});
  EXPECT_EQ(reader(1).seen, (seqs{1}));
}

TEST_F(stream_hub_test, lane_has_two_batches_at_most_and_then_a_bigger_one) {
  start_all();
  lane->eager = false;
  auto s = subscribe(1);
  next(s, 1);
  run();
  for (int i = 0; i < 10; ++i) {
    append(i);
    run();
  }
  EXPECT_EQ(lane->batches.size(), 2u);
  EXPECT_EQ(reader(1).seen, (seqs{1, 2}));
  lane->acknowledge();
  run();
  ASSERT_EQ(lane->batches.size(), 3u);
  EXPECT_EQ(lane->batches[2], (std::pair<seq_t, seq_t>{3, 10}));
}

TEST_F(stream_hub_test, lane_that_fell_out_of_memory_is_fed_from_the_store) {
  stream_hub_options options;
  options.ring_events = 10;
  start_all({}, options);
  lane->eager = false;
  auto s = subscribe(1, github_only());
  next(s, 1);
  run();
  seqs expected;
  for (int i = 0; i < 100; ++i) {
    append(make_event(i, i % 3 == 0 ? "github" : "slack"));
    if (i % 3 == 0)
      expected.push_back(i + 1);
    run();
  }
  EXPECT_EQ(lane->batches.size(), 2u);
  while (lane->acknowledge())
    run();
  EXPECT_EQ(reader(1).seen, expected);
  EXPECT_EQ(reader(1).cursor, 100);
  EXPECT_TRUE(reader(1).faults.empty());
  EXPECT_GT(log->pages_read, 0u);
}

TEST_F(stream_hub_test, join_ahead_of_a_slow_lane_waits_for_it) {
  start_all();
  lane->eager = false;
  auto slow = subscribe(1);
  next(slow, 1);
  run();
  for (int i = 0; i < 10; ++i) {
    append(i);
    run();
  }
  // The lane is at 2; this reader has seen the log up to 7.
  auto s = subscribe(2, {}, start_point::after(7));
  reader(2).cursor = 7;
  next(s, 2);
  run();
  EXPECT_FALSE(reader(2).live);
  while (lane->acknowledge())
    run();
  EXPECT_TRUE(reader(2).live);
  EXPECT_EQ(reader(2).seen, (seqs{8, 9, 10}));
  EXPECT_TRUE(reader(2).faults.empty());
}

TEST_F(stream_hub_test, cursor_beyond_the_log_goes_on_from_its_end) {
  start_all();
  append(1);
  run();
  auto s = subscribe(1, {}, start_point::after(1'000));
  next(s, 1);
  advance(milliseconds{100});
  EXPECT_TRUE(reader(1).live);
  append(2);
  run();
  EXPECT_EQ(reader(1).seen, (seqs{2}));
}

TEST_F(stream_hub_test, big_backlog_comes_in_pages) {
  stream_hub_options options;
  options.batch_events = 10;
  start_all({}, options);
  for (int i = 0; i < 35; ++i)
    append(i);
  run();
  auto s = subscribe(1, {}, start_point::after(0));
  next(s, 1);
  run();
  EXPECT_EQ(reader(1).seen.size(), 10u);
  EXPECT_FALSE(reader(1).live);
  while (reader(1).wants_next) {
    next(s, 1);
    run();
  }
  EXPECT_EQ(reader(1).seen.size(), 35u);
  EXPECT_EQ(reader(1).pages, 3u);
  EXPECT_TRUE(reader(1).live);
}

TEST_F(stream_hub_test, changed_filter_takes_effect_with_the_next_join) {
  start_all();
  auto s = subscribe(1, github_only());
  next(s, 1);
  run();
  append(make_event(1, "github"));
  append(make_event(2, "slack"));
  run();
  filter f;
  f.platforms = {"slack"};
  tell_anon(s, filter_atom_v, f);
  ++reader(1).epoch;
  reader(1).live = false;
  next(s, 1);
  run();
  append(make_event(3, "github"));
  append(make_event(4, "slack"));
  run();
  EXPECT_EQ(reader(1).seen, (seqs{1, 4}));
}

TEST_F(stream_hub_test, readers_go_on_with_the_next_hub) {
  start_all();
  auto s = subscribe(1, github_only());
  next(s, 1);
  run();
  append(make_event(1));
  run();
  crash(ctx.peers->hub.get());
  ctx.peers->hub.set({});
  run();
  // Nobody tells anybody about these.
  append(make_event(2, "slack"));
  append(make_event(3));
  run();
  start_hub();
  run();
  append(make_event(4));
  run();
  EXPECT_EQ(reader(1).seen, (seqs{1, 3, 4}));
  EXPECT_EQ(reader(1).joins, 1u);
  EXPECT_TRUE(reader(1).ends.empty());
  EXPECT_TRUE(reader(1).faults.empty());
}

TEST_F(stream_hub_test, ack_that_comes_while_no_hub_is_there_counts) {
  start_all();
  lane->eager = false;
  auto s = subscribe(1);
  next(s, 1);
  run();
  for (int i = 0; i < 4; ++i) {
    append(i);
    run();
  }
  crash(ctx.peers->hub.get());
  ctx.peers->hub.set({});
  run();
  while (lane->acknowledge())
    run();
  lane->eager = true;
  start_hub();
  run();
  EXPECT_EQ(reader(1).seen, (seqs{1, 2, 3, 4}));
}

TEST_F(stream_hub_test, reader_of_a_crashed_subscription_is_told) {
  start_all();
  auto s = subscribe(1);
  next(s, 1);
  run();
  crash(s);
  run();
  ASSERT_EQ(reader(1).ends.size(), 1u);
  EXPECT_EQ(reader(1).ends[0].first, reader_end::going_away);
  auto batches = lane->batches.size();
  append(1);
  run();
  // The hub has forgotten the lane.
  EXPECT_EQ(lane->batches.size(), batches);
}

TEST_F(stream_hub_test, reader_that_leaves_is_not_told) {
  start_all();
  auto s = subscribe(1);
  next(s, 1);
  run();
  end_actor(s, caf::exit_reason::user_shutdown);
  run();
  EXPECT_TRUE(reader(1).ends.empty());
  append(1);
  run();
  EXPECT_TRUE(lane->batches.empty());
}

TEST_F(stream_hub_test, catching_up_waits_for_a_store_that_is_away) {
  for (int i = 0; i < 50; ++i)
    log->add(make_event(i));
  start_all();
  log->set_down(error{ec::store_unavailable, "no route"});
  auto s = subscribe(1, {}, start_point::after(0));
  next(s, 1);
  advance(milliseconds{2'000});
  EXPECT_TRUE(reader(1).seen.empty());
  EXPECT_TRUE(reader(1).ends.empty());
  log->set_down(std::nullopt);
  advance(milliseconds{6'000});
  EXPECT_EQ(reader(1).seen.size(), 50u);
}

TEST_F(stream_hub_test, error_that_will_not_pass_ends_the_reader) {
  for (int i = 0; i < 50; ++i)
    log->add(make_event(i));
  start_all();
  log->set_down(error{ec::corrupt, "page 7"});
  auto s = subscribe(1, {}, start_point::after(0));
  next(s, 1);
  run();
  ASSERT_EQ(reader(1).ends.size(), 1u);
  EXPECT_EQ(reader(1).ends[0].first, reader_end::failed);
}

TEST_F(stream_hub_test, starts_when_the_store_is_there) {
  log->add(make_event(1));
  log->set_down(error{ec::store_unavailable, "no route"});
  start_write_worker();
  start_reader();
  start_hub();
  auto s = subscribe(1);
  next(s, 1);
  advance(milliseconds{1'000});
  EXPECT_FALSE(reader(1).live);
  log->set_down(std::nullopt);
  advance(milliseconds{6'000});
  EXPECT_TRUE(reader(1).live);
  commit(make_event(2));
  run();
  EXPECT_EQ(reader(1).seen, (seqs{2}));
}

} // namespace

} // namespace eventweft
