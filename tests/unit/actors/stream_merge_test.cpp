// SPDX-License-Identifier: Apache-2.0
#include "actors/live_ring.hpp"
#include "tests/support/spine.hpp"

namespace eventweft {

namespace {

using std::chrono::milliseconds;
using testing::make_event;
using merge_seqs = std::vector<seq_t>;

/// What readers see when threads become one.
class stream_merge_test : public testing::spine {
 protected:
  const uuid a = new_thread();
  const uuid b = new_thread();
  const uuid c = new_thread();

  /// No two tests have the same: what was merged once stays known.
  static uuid new_thread() {
    static uint8_t made = 0;
    uuid id;
    id.bytes[0] = 0xab;
    id.bytes[15] = ++made;
    return id;
  }

  static filter only(const uuid& id) {
    filter f;
    f.correlation_ids = {to_string(id)};
    return f;
  }

  event in(const std::optional<uuid>& id) {
    auto ev = make_event(++made_);
    ev.correlation_id = id;
    return ev;
  }

  static uuid some_id() { return make_event(900).id; }

  event merge_event(const uuid& from, const uuid& into) {
    auto ev = make_event(++made_, "eventweft");
    ev.event_type = "correlation:merged";
    ev.correlation_id = into;
    ev.payload = shared_text{R"({"from":")" + to_string(from) +
                             R"(","into":")" + to_string(into) + R"("})"};
    return ev;
  }

  /// As one transaction does it.
  void merge(const uuid& from, const uuid& into) {
    log->merge(from, into);
    append(merge_event(from, into));
  }

  testing::recording_lane::reader& reader(reader_id id) {
    return lane->readers[id];
  }

  /// A reader that has got all there is.
  void read(reader_id id, const filter& f,
            const start_point& from = start_point::after(0),
            subscription_options options = {}) {
    go_on(subscribe(id, f, from, options), id);
  }

  void go_on(const subscription_actor& s, reader_id id) {
    next(s, id);
    run();
    for (int rounds = 0; reader(id).wants_next && rounds < 100; ++rounds) {
      next(s, id);
      run();
    }
    EXPECT_TRUE(reader(id).live);
    EXPECT_TRUE(reader(id).faults.empty());
  }

  /// What the reader was given says of its threads what the store says.
  void expect_as_stored(reader_id id) {
    for (const auto& ev : log->events()) {
      const auto seen = reader(id).threads.find(ev->seq);
      if (seen != reader(id).threads.end()) {
        EXPECT_EQ(seen->second, ev->correlation_id) << ev->seq;
      }
    }
  }

 private:
  int made_ = 0;
};

TEST_F(stream_merge_test, memory_gives_what_the_store_gives) {
  start_all();
  append(in(a));
  append(in(b));
  append(in(c));
  append(in(b));
  run();
  merge(a, b);
  run();
  const auto pages = log->pages_read;
  read(1, only(b));
  read(2, only(a));
  read(3, {});
  EXPECT_EQ(reader(1).seen, (merge_seqs{1, 2, 4, 5}));
  EXPECT_EQ(reader(2).seen, (merge_seqs{1, 2, 4, 5}));
  EXPECT_EQ(reader(3).seen, (merge_seqs{1, 2, 3, 4, 5}));
  for (const reader_id id : {1, 2, 3})
    expect_as_stored(id);
  EXPECT_EQ(log->pages_read, pages);
  // The thread that stayed is merged in turn.
  merge(b, c);
  run();
  read(4, only(a));
  read(5, only(c));
  EXPECT_EQ(reader(4).seen, (merge_seqs{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(reader(5).seen, (merge_seqs{1, 2, 3, 4, 5, 6}));
  expect_as_stored(4);
}

TEST_F(stream_merge_test, store_gives_what_memory_gives) {
  for (int i = 0; i < 10; ++i)
    log->add(in(i % 2 == 0 ? a : b));
  log->merge(a, b);
  log->add(merge_event(a, b));
  log->add(in(c));
  start_all();
  subscription_options options;
  options.page_events = 3;
  merge_seqs expected;
  for (seq_t seq = 1; seq <= 11; ++seq)
    expected.push_back(seq);
  read(1, only(a), start_point::after(0), options);
  EXPECT_EQ(reader(1).seen, expected);
  read(2, only(b), start_point::after(0), options);
  EXPECT_EQ(reader(2).seen, expected);
}

TEST_F(stream_merge_test, live_readers_go_on_with_the_thread) {
  start_all();
  append(in(a));
  append(in(b));
  run();
  read(1, only(a), {});
  read(2, only(b), {});
  append(in(a));
  append(in(b));
  run();
  EXPECT_EQ(reader(1).seen, (merge_seqs{3}));
  EXPECT_EQ(reader(2).seen, (merge_seqs{4}));
  merge(a, b);
  append(in(b));
  run();
  // Nothing is sent again.
  EXPECT_EQ(reader(1).seen, (merge_seqs{3, 5, 6}));
  EXPECT_EQ(reader(2).seen, (merge_seqs{4, 5, 6}));
}

TEST_F(stream_merge_test, former_id_leads_to_the_thread_from_the_start) {
  log->add(in(b));
  log->merge(a, b);
  log->add(merge_event(a, b));
  start_all();
  read(1, only(a), {});
  append(in(b));
  append(in(c));
  run();
  EXPECT_EQ(reader(1).seen, (merge_seqs{3}));
}

// The store has merged, but nobody has told us yet.
TEST_F(stream_merge_test, catching_up_across_a_merge) {
  for (int i = 0; i < 12; ++i)
    log->add(in(i % 2 == 0 ? a : b));
  start_all();
  subscription_options options;
  options.page_events = 4;
  auto s = subscribe(1, only(a), start_point::after(0), options);
  next(s, 1);
  run();
  EXPECT_EQ(reader(1).seen, (merge_seqs{1, 3}));
  log->merge(a, b);
  log->add(merge_event(a, b));
  go_on(s, 1);
  advance(milliseconds{5'000});
  // Whatever page was read ahead before the merge is read again.
  EXPECT_EQ(reader(1).seen, (merge_seqs{1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13}));
  for (const auto& [seq, thread] : reader(1).threads)
    EXPECT_EQ(thread, seq < 5 ? a : b) << seq;
}

TEST_F(stream_merge_test, hole_that_has_the_ids_of_a_later_merge) {
  stream_hub_options options;
  options.page_events = 1;
  start_all({}, options);
  read(1, only(a), {});
  log->add(in(a));
  log->add(in(b));
  log->merge(a, b);
  log->add(merge_event(a, b));
  tell_anon(ctx.peers->hub.get(), poll_atom_v);
  run();
  advance(milliseconds{100});
  EXPECT_EQ(reader(1).seen, (merge_seqs{1, 2, 3}));
}

TEST_F(stream_merge_test, lane_that_is_behind_gets_what_was_moved) {
  start_all();
  lane->eager = false;
  read(1, only(b), {});
  for (int i = 0; i < lane_window; ++i) {
    append(in(c));
    run();
  }
  append(in(a));
  append(in(b));
  run();
  merge(a, b);
  run();
  EXPECT_TRUE(reader(1).seen.empty());
  while (lane->acknowledge())
    run();
  EXPECT_EQ(reader(1).seen,
            (merge_seqs{lane_window + 1, lane_window + 2, lane_window + 3}));
  expect_as_stored(1);
}

// -- threads and causes that came late ----------------------------------------

TEST_F(stream_merge_test, late_thread_and_cause_are_in_memory_as_in_the_store) {
  start_all();
  const auto first = append(in({}));
  run();
  read(1, {}, {});
  read(2, only(a), {});
  const late_link late{first->value->id, a, some_id()};
  log->link(late);
  log->news.links = {late};
  append(in(a));
  run();
  const auto pages = log->pages_read;
  read(3, only(a));
  read(4, {});
  EXPECT_EQ(reader(3).seen, (merge_seqs{1, 2}));
  EXPECT_EQ(reader(4).seen, (merge_seqs{1, 2}));
  expect_as_stored(3);
  EXPECT_EQ(log->pages_read, pages);
  // Nothing is sent again.
  EXPECT_EQ(reader(1).seen, (merge_seqs{2}));
  EXPECT_EQ(reader(2).seen, (merge_seqs{2}));
  // And it goes with its thread.
  merge(a, b);
  run();
  read(5, only(b));
  EXPECT_EQ(reader(5).seen, (merge_seqs{1, 2, 3}));
  expect_as_stored(5);
}

TEST_F(stream_merge_test, lane_that_is_behind_gets_what_got_its_thread_late) {
  start_all();
  lane->eager = false;
  read(1, only(a), {});
  for (int i = 0; i < lane_window; ++i) {
    append(in(c));
    run();
  }
  const auto first = append(in({}));
  run();
  const late_link late{first->value->id, a};
  log->link(late);
  log->news.links = {late};
  append(in(a));
  run();
  while (lane->acknowledge())
    run();
  EXPECT_EQ(reader(1).seen, (merge_seqs{lane_window + 1, lane_window + 2}));
}

// Another process did it: there is no event, and nobody tells.
TEST_F(stream_merge_test, what_a_backfill_found_is_in_memory_after_a_look) {
  start_all();
  const auto first = append(in({}));
  const auto second = append(in({}));
  run();
  advance(milliseconds{5'000});
  log->link({first->value->id, a});
  log->link({second->value->id, a, first->value->id});
  ++log->thread_version;
  advance(milliseconds{5'000});
  const auto pages = log->pages_read;
  read(1, only(a));
  EXPECT_EQ(reader(1).seen, (merge_seqs{1, 2}));
  EXPECT_EQ(log->pages_read, pages);
}

// Whoever appended could not tell us: it did not tell of earlier events either.
TEST_F(stream_merge_test, hole_that_was_read_brings_what_changed_before_it) {
  start_all();
  read(9, {}, {});
  const auto first = append(in({}));
  run();
  advance(milliseconds{5'000});
  log->link({first->value->id, a});
  log->add(in(a));
  advance(milliseconds{10'000});
  const auto pages = log->pages_read;
  read(1, only(a));
  EXPECT_EQ(reader(1).seen, (merge_seqs{1, 2}));
  EXPECT_EQ(log->pages_read, pages);
}

TEST_F(stream_merge_test, places_that_were_asked_for_before_a_merge) {
  live_ring ring{10, 1u << 20};
  auto ev = in({});
  ev.seq = 1;
  ring.append({event_ptr{std::move(ev)}}, 1);
  const auto changed = ring.place({{1, a}}, {{a, b}});
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_EQ(changed[0]->correlation_id, b);
  EXPECT_TRUE(ring.place({{1, b}}, {}).empty());
}

TEST_F(stream_merge_test, id_of_a_sender_leads_to_the_thread_that_it_joined) {
  start_all();
  append(in(a));
  run();
  // There before the id led anywhere, as a kept filter is.
  read(1, only(b), {});
  log->name(b, a);
  log->news.names = {{b, a}};
  append(in(a));
  run();
  EXPECT_EQ(reader(1).seen, (merge_seqs{2}));
  read(2, only(b));
  EXPECT_EQ(reader(2).seen, (merge_seqs{1, 2}));
}

} // namespace

} // namespace eventweft
