// SPDX-License-Identifier: Apache-2.0
#include "codec/filter.hpp"
#include "tests/support/spine.hpp"

namespace eventweft {

namespace {

using std::chrono::milliseconds;
using testing::make_event;

/// Readers come, fall behind, leave live mode, change lanes' pace and come
/// back while events are committed, told late, twice or not at all, and the
/// hub dies now and then: whatever the order of it all, each reader sees each
/// event that it wants exactly once, in order.
class join_property_test : public testing::spine,
                           public ::testing::WithParamInterface<uint64_t> {
 protected:
  struct person {
    subscription_actor control;
    filter wants;
    seq_t from = 0;
  };

  seeded_random dice{GetParam()};
  std::vector<std::shared_ptr<testing::recording_lane>> all_lanes;
  std::map<reader_id, std::pair<size_t, person>> people;
  reader_id last_reader = 0;
  int last_event = 0;
  seq_t told = 0;

  uint64_t roll(uint64_t sides) { return dice.next() % sides; }

  filter some_filter() {
    filter f;
    switch (roll(4)) {
    case 0:
      f.platforms = {"github"};
      break;
    case 1:
      f.platforms = {"slack", "linear"};
      break;
    case 2:
      f.platforms = {"nobody"};
      break;
    default:
      break;
    }
    return f;
  }

  void commit() {
    static const char* const platforms[] = {"github", "slack", "linear"};
    auto n = 1 + roll(4);
    for (uint64_t i = 0; i < n; ++i)
      log->add(make_event(++last_event, platforms[roll(3)]));
  }

  void tell_hub() {
    auto hub = ctx.peers->hub.get();
    auto head = log->head();
    if (!hub || head == told)
      return;
    auto first = told + 1;
    // Now and then a range is lost or told again from earlier on.
    if (roll(8) == 0) {
      told = head;
      return;
    }
    if (roll(8) == 0 && first > 3)
      first -= 3;
    log_range r{first, head, {}};
    for (const auto& ev : log->events())
      if (ev->seq >= first)
        r.events.push_back(ev);
    told = head;
    tell_anon(hub, committed_atom_v,
              std::make_shared<const log_range>(std::move(r)));
  }

  void add_reader() {
    auto index = roll(all_lanes.size());
    lane = all_lanes[index];
    auto id = ++last_reader;
    person p;
    p.wants = some_filter();
    p.from = static_cast<seq_t>(roll(static_cast<uint64_t>(log->head()) + 1));
    subscription_options options;
    options.page_events = 1 + static_cast<uint32_t>(roll(20));
    p.control = subscribe(id, p.wants, start_point::after(p.from), options);
    lane->readers[id].cursor = p.from;
    people.emplace(id, std::pair{index, p});
    next(p.control, id);
  }

  void ask_next(reader_id id) {
    auto& [index, p] = people.at(id);
    lane = all_lanes[index];
    next(p.control, id);
  }

  testing::recording_lane::reader& state_of(reader_id id) {
    return all_lanes[people.at(id).first]->readers[id];
  }

  void step() {
    switch (roll(10)) {
    case 0:
      commit();
      break;
    case 1:
    case 2:
      tell_hub();
      break;
    case 3:
      if (people.size() < 12)
        add_reader();
      break;
    case 4:
    case 5:
      all_lanes[roll(all_lanes.size())]->acknowledge();
      break;
    case 6:
      for (auto& [id, x] : people)
        if (state_of(id).wants_next && roll(2) == 0)
          ask_next(id);
      break;
    case 7:
      // A live reader can't keep up: it ignores its lane and asks later.
      for (auto& [id, x] : people)
        if (auto& r = state_of(id); r.live && roll(4) == 0) {
          r.live = false;
          ++r.epoch;
          r.wants_next = true;
        }
      break;
    case 8:
      if (roll(30) == 0) {
        restart_hub(hub_options());
      }
      break;
    default:
      break;
    }
    for (auto n = roll(20); n > 0; --n)
      sched.try_run_once();
    if (roll(10) == 0)
      advance(milliseconds{30});
  }

  static stream_hub_options hub_options() {
    stream_hub_options o;
    o.ring_events = 25;
    o.batch_events = 7;
    o.page_events = 9;
    o.poll_interval = milliseconds{200};
    return o;
  }
};

TEST_P(join_property_test, every_reader_sees_every_event_once_in_order) {
  for (int i = 0; i < 3; ++i) {
    all_lanes.push_back(std::make_shared<testing::recording_lane>());
    all_lanes.back()->eager = false;
  }
  for (int i = 0; i < 40; ++i)
    commit();
  told = log->head();
  start_all({}, hub_options());
  for (int i = 0; i < 1'500; ++i)
    step();
  // All quiet: everybody gets what is left.
  for (int i = 0; i < 3'000; ++i) {
    bool busy = false;
    for (auto& l : all_lanes)
      busy |= l->acknowledge();
    for (auto& [id, x] : people)
      if (state_of(id).wants_next) {
        busy = true;
        ask_next(id);
      }
    run();
    if (!busy && i % 5 == 0)
      advance(milliseconds{250});
    bool done = true;
    for (auto& [id, x] : people)
      done &= state_of(id).cursor == log->head();
    if (done && !busy)
      break;
  }
  ASSERT_FALSE(people.empty());
  for (auto& [id, x] : people) {
    SCOPED_TRACE("reader " + std::to_string(id));
    const auto& r = state_of(id);
    codec::compiled_filter wants{x.second.wants};
    std::vector<seq_t> expected;
    for (const auto& ev : log->events())
      if (ev->seq > x.second.from && wants.matches(*ev))
        expected.push_back(ev->seq);
    EXPECT_EQ(r.seen, expected);
    EXPECT_EQ(r.cursor, log->head());
    EXPECT_TRUE(r.live);
    EXPECT_TRUE(r.ends.empty());
    EXPECT_TRUE(r.faults.empty()) << r.faults.front();
  }
}

INSTANTIATE_TEST_SUITE_P(seeds, join_property_test,
                         ::testing::Range(uint64_t{1}, uint64_t{31}));

} // namespace

} // namespace eventweft
