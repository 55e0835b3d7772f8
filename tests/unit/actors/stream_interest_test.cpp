// SPDX-License-Identifier: Apache-2.0
// Other nodes send their events only to where somebody reads. What a reader
// sees does not depend on that.
#include "codec/filter.hpp"
#include "tests/support/spine.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <vector>

namespace eventweft {

namespace {

using std::chrono::milliseconds;
using testing::make_event;
using interest_seqs = std::vector<seq_t>;

/// Keeps what the other nodes are told.
class noted_interest final : public fanout {
 public:
  void committed(const log_range_ptr&) override {}
  void replied(const uuid&, const std::optional<processing::reply>&) override {}
  bool hears_replies() const override { return false; }
  void wants_events(bool wanted) override { said.push_back(wanted); }

  std::vector<bool> said;
};

class stream_interest_test : public testing::spine {
 protected:
  stream_interest_test() { ctx.others = others; }

  log_range_ptr stored(seq_t first, seq_t last) {
    log_range r{first, last, {}};
    for (const auto& ev : log->events())
      if (ev->seq >= first && ev->seq <= last)
        r.events.push_back(ev);
    return std::make_shared<const log_range>(std::move(r));
  }

  /// Another node has appended so many events.
  seq_t add(int count) {
    for (int i = 0; i < count; ++i)
      log->add(make_event(++made_));
    return log->head();
  }

  void tell_head(seq_t seq) {
    tell_anon(ctx.peers->hub.get(), poll_atom_v, seq);
  }

  void tell_events(seq_t first, seq_t last) {
    tell_anon(ctx.peers->hub.get(), committed_atom_v, stored(first, last));
  }

  seq_t hub_head() {
    run();
    auto asked = request<seq_t>(ctx.peers->hub.get(), head_atom_v);
    run();
    return asked->value.value_or(-1);
  }

  void end(const subscription_actor& s) {
    end_actor(s, caf::exit_reason::user_shutdown);
    run();
  }

  testing::recording_lane::reader& reader(reader_id id) {
    return lane->readers[id];
  }

  /// Until it is live, or waits for something.
  void go_on(const subscription_actor& s, reader_id id) {
    next(s, id);
    run();
    while (reader(id).wants_next) {
      next(s, id);
      run();
    }
  }

  const std::shared_ptr<noted_interest> others =
      std::make_shared<noted_interest>();
  const milliseconds pause = stream_hub_options{}.interest_pause;

 private:
  int made_ = 100;
};

TEST_F(stream_interest_test, a_hub_without_readers_follows_and_reads_nothing) {
  start_all();
  add(3);
  tell_head(3);
  EXPECT_EQ(hub_head(), 3) << "without a pause";
  EXPECT_EQ(ctx.figures->head(), 3);
  // What is appended here, with and without a hole before it.
  append(make_event(1));
  EXPECT_EQ(hub_head(), 4);
  add(2);
  append(make_event(2));
  EXPECT_EQ(hub_head(), 7);
  tell_head(6);
  EXPECT_EQ(hub_head(), 7);
  // Older nodes send events whatever they are told.
  add(4);
  tell_events(10, 11);
  EXPECT_EQ(hub_head(), 11);
  tell_events(8, 9);
  EXPECT_EQ(hub_head(), 11);
  // And what nobody tells.
  add(1);
  advance(milliseconds{10'000});
  EXPECT_EQ(hub_head(), 12);
  EXPECT_EQ(log->pages_read, 0u);
  EXPECT_EQ(others->said, std::vector<bool>{false});
}

TEST_F(stream_interest_test, a_reader_gets_all_from_its_cursor) {
  start_all();
  add(4);
  tell_head(4);
  append(make_event(1));
  run();
  auto s = subscribe(1, {}, start_point::after(2));
  reader(1).cursor = 2;
  // One that was on its way, and one from a node that does not know yet.
  add(1);
  tell_head(6);
  next(s, 1);
  run();
  add(1);
  tell_head(7);
  go_on(s, 1);
  EXPECT_EQ(others->said, (std::vector<bool>{false, true}));
  add(2);
  tell_head(8);
  tell_events(9, 9);
  advance(milliseconds{200});
  EXPECT_TRUE(reader(1).live);
  EXPECT_EQ(reader(1).seen, (interest_seqs{3, 4, 5, 6, 7, 8, 9}));
  const auto pages = log->pages_read;
  add(2);
  tell_events(10, 11);
  run();
  EXPECT_EQ(reader(1).seen.back(), 11);
  EXPECT_EQ(log->pages_read, pages);
  EXPECT_TRUE(reader(1).faults.empty());
}

TEST_F(stream_interest_test, a_reader_that_was_further_elsewhere_waits) {
  start_all();
  add(5);
  tell_head(2);
  auto s = subscribe(1, {}, start_point::after(4));
  reader(1).cursor = 4;
  next(s, 1);
  advance(milliseconds{50});
  EXPECT_TRUE(reader(1).live);
  EXPECT_EQ(reader(1).seen, (interest_seqs{5}));
  EXPECT_TRUE(reader(1).faults.empty());
}

TEST_F(stream_interest_test, begins_at_once_and_ends_after_a_pause) {
  start_all();
  EXPECT_EQ(others->said, std::vector<bool>{false});
  auto s = subscribe(1);
  next(s, 1);
  run();
  EXPECT_EQ(others->said, (std::vector<bool>{false, true}));
  advance(3 * pause);
  // One that comes back is not noticed by others.
  end(s);
  advance(pause - milliseconds{1'000});
  s = subscribe(2);
  next(s, 2);
  run();
  end(s);
  advance(pause - milliseconds{1'000});
  EXPECT_EQ(others->said, (std::vector<bool>{false, true}));
  advance(pause + milliseconds{2'000});
  EXPECT_EQ(others->said, (std::vector<bool>{false, true, false}));
  add(2);
  tell_head(2);
  EXPECT_EQ(hub_head(), 2);
  EXPECT_EQ(log->pages_read, 0u);
}

TEST_F(stream_interest_test, a_hole_that_nobody_waits_for_is_not_read) {
  start_all();
  auto s = subscribe(1);
  next(s, 1);
  run();
  log->set_down(error{ec::store_unavailable, "no route"});
  end(s);
  add(3);
  tell_events(3, 3);
  advance(3 * pause);
  log->set_down(std::nullopt);
  EXPECT_EQ(others->said.back(), false);
  advance(milliseconds{10'000});
  EXPECT_EQ(hub_head(), 3);
  EXPECT_EQ(log->pages_read, 0u);
}

TEST_F(stream_interest_test, readers_of_a_hub_that_dies_are_still_there) {
  start_all();
  auto s = subscribe(1);
  next(s, 1);
  run();
  restart_hub();
  run();
  EXPECT_EQ(others->said, (std::vector<bool>{false, true, true}));
  add(2);
  tell_head(1);
  tell_events(2, 2);
  advance(milliseconds{50});
  EXPECT_EQ(reader(1).seen, (interest_seqs{1, 2}));
  advance(3 * pause);
  EXPECT_EQ(others->said.back(), true);
  end(s);
  restart_hub();
  run();
  EXPECT_EQ(others->said.back(), false);
}

// A filter that was there before its thread became part of another one, told by
// an event that did not come here.
TEST_F(stream_interest_test, a_filter_goes_on_with_a_thread_merged_unseen) {
  uuid from, into;
  from.bytes = {0xcd, 1};
  into.bytes = {0xcd, 2};
  start_all();
  filter f;
  f.correlation_ids = {to_string(from)};
  const codec::compiled_filter kept{f};
  log->merge(from, into);
  auto merged = make_event(50, "eventweft");
  merged.event_type = "correlation:merged";
  merged.correlation_id = into;
  merged.payload = shared_text{R"({"from":")" + to_string(from) + R"("})"};
  log->add(std::move(merged));
  tell_head(1);
  EXPECT_EQ(hub_head(), 1);
  // Not by way of a subscription, which asks the store itself, but before that.
  join_request r;
  r.subscription = r.reader = 1;
  r.lane = lane;
  r.own_filter = f;
  lane->readers[1];
  log->set_down(error{ec::store_unavailable, "no route"});
  const auto answer =
      request<join_answer>(ctx.peers->hub.get(), join_atom_v, r);
  run();
  EXPECT_TRUE(answer->pending());
  log->set_down(std::nullopt);
  advance(milliseconds{1'000});
  ASSERT_TRUE(answer->value);
  EXPECT_TRUE(answer->value->accepted);
  auto later = make_event(51);
  later.correlation_id = into;
  append(std::move(later));
  run();
  EXPECT_EQ(reader(1).seen, (interest_seqs{2}));
}

/// Two other nodes append as well; one of them does what it is told, some time
/// after it was, the other one is older and sends everything. Readers come and
/// go, everybody does at times, and the hub dies now and then.
class interest_property_test : public stream_interest_test,
                               public ::testing::WithParamInterface<uint64_t> {
 protected:
  struct person {
    subscription_actor control;
    seq_t from = 0;
    bool gone = false;
  };

  uint64_t roll(uint64_t sides) { return dice.next() % sides; }

  static stream_hub_options hub_options() {
    stream_hub_options o;
    o.ring_events = 25;
    o.batch_events = 7;
    o.page_events = 9;
    o.poll_interval = milliseconds{400};
    o.interest_pause = milliseconds{100};
    return o;
  }

  /// By a node, or by this one.
  void commit(size_t by) {
    const auto first = log->head() + 1;
    const auto last = add(static_cast<int>(1 + roll(3)));
    if (by == here) {
      if (ctx.peers->hub.get())
        tell_events(first, last);
      return;
    }
    wires[by].push_back({first, last, by == older || sends_events});
  }

  void deliver(size_t from) {
    if (wires[from].empty())
      return;
    const auto x = wires[from].front();
    wires[from].pop_front();
    if (!ctx.peers->hub.get())
      return;
    if (roll(20) == 0)
      tell_anon(ctx.peers->hub.get(), poll_atom_v);
    else if (x.events)
      tell_events(x.first, x.last);
    else
      tell_head(x.last);
  }

  void come() {
    const auto id = ++last_reader;
    person p;
    // Most of them were here, or at another node, a moment ago.
    const auto head = log->head();
    p.from = roll(3) == 0
                 ? static_cast<seq_t>(roll(static_cast<uint64_t>(head) + 1))
                 : std::max<seq_t>(0, head - static_cast<seq_t>(roll(4)));
    p.control = subscribe(id, {}, start_point::after(p.from));
    reader(id).cursor = p.from;
    people.emplace(id, p);
    next(p.control, id);
  }

  void go(reader_id id) {
    auto& p = people.at(id);
    if (std::exchange(p.gone, true))
      return;
    end_actor(p.control, caf::exit_reason::user_shutdown);
    // What the lane is still given is nothing to it.
    reader(id).live = false;
    ++reader(id).epoch;
  }

  void step() {
    switch (roll(12)) {
    case 0:
      commit(here);
      break;
    case 1:
    case 2:
      commit(roll(2));
      break;
    case 3:
    case 4:
    case 5:
      deliver(roll(2));
      break;
    case 6:
      sends_events = others->said.back();
      break;
    case 7:
      if (roll(3) == 0)
        come();
      break;
    case 8:
      if (last_reader > 0 && roll(2) == 0)
        go(1 + roll(last_reader));
      break;
    case 9:
      for (auto& [id, p] : people)
        if (!p.gone && reader(id).wants_next)
          next(p.control, id);
      lane->acknowledge();
      break;
    case 10:
      if (roll(25) == 0) {
        for (auto& [id, p] : people)
          go(id);
        run();
        advance(milliseconds{250});
        ++lapses;
      }
      break;
    default:
      if (roll(40) == 0) {
        restart_hub(hub_options());
      }
      break;
    }
    for (auto n = roll(15); n > 0; --n)
      sched.try_run_once();
    if (roll(12) == 0)
      advance(milliseconds{30});
  }

  struct parcel {
    seq_t first = 0;
    seq_t last = 0;
    bool events = false;
  };

  static constexpr size_t newer = 0;
  static constexpr size_t older = 1;
  static constexpr size_t here = 2;

  seeded_random dice{GetParam()};
  std::deque<parcel> wires[2];
  /// What the newer node knows.
  bool sends_events = true;
  std::map<reader_id, person> people;
  reader_id last_reader = 0;
  int lapses = 0;
};

TEST_P(interest_property_test, every_reader_sees_every_event_once_in_order) {
  lane->eager = false;
  add(20);
  start_all({}, hub_options());
  for (int i = 0; i < 2'500; ++i)
    step();
  come();
  for (int i = 0; i < 2'000; ++i) {
    deliver(newer);
    deliver(older);
    bool busy = lane->acknowledge();
    bool done = wires[newer].empty() && wires[older].empty();
    for (auto& [id, p] : people) {
      if (p.gone)
        continue;
      if (reader(id).wants_next) {
        busy = true;
        next(p.control, id);
      }
      done &= reader(id).cursor == log->head() && reader(id).live;
    }
    run();
    if (!busy && i % 5 == 0)
      advance(milliseconds{250});
    if (done && !busy)
      break;
  }
  EXPECT_GT(lapses, 0);
  EXPECT_EQ(others->said.back(), true);
  EXPECT_GT(std::count(others->said.begin(), others->said.end(), false), 1);
  for (const auto& [id, p] : people) {
    SCOPED_TRACE("reader " + std::to_string(id));
    const auto& r = reader(id);
    EXPECT_TRUE(r.faults.empty()) << r.faults.front();
    EXPECT_TRUE(r.ends.empty());
    interest_seqs expected;
    for (auto seq = p.from + 1; seq <= r.cursor; ++seq)
      expected.push_back(seq);
    EXPECT_EQ(r.seen, expected);
    if (!p.gone) {
      EXPECT_TRUE(r.live);
      EXPECT_EQ(r.cursor, log->head());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(seeds, interest_property_test,
                         ::testing::Range(uint64_t{1}, uint64_t{31}));

} // namespace

} // namespace eventweft
