// SPDX-License-Identifier: Apache-2.0
// The storage writer where several nodes write and another one appends.
#include "actors/fanout.hpp"
#include "tests/support/spine.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

using std::chrono::milliseconds;
using testing::asked;

/// What came over the link to the node that appends.
struct relay_end {
  std::vector<std::vector<event_ptr>> batches;
  std::vector<caf::typed_response_promise<append_results>> promises;
  /// Those that it has answered.
  size_t answered = 0;
  seq_t seq = 100;
  /// What it says of the next batch.
  std::optional<error> fails;
  /// What it says of the next batch's first event.
  std::optional<error> refuses;
};

/// Keeps each batch until it is told, by `done_atom`, to answer the oldest one.
caf::behavior relay_behavior(caf::event_based_actor* self,
                             const std::shared_ptr<relay_end>& end) {
  return {
      [self, end](const relay_order& order) -> caf::result<append_results> {
        end->batches.push_back(order.events);
        end->promises.push_back(self->make_response_promise<append_results>());
        return end->promises.back();
      },
      [end](done_atom) {
        auto& promise = end->promises[end->answered];
        const auto& events = end->batches[end->answered++];
        if (auto why = std::exchange(end->fails, std::nullopt)) {
          promise.deliver(to_caf(*why));
          return;
        }
        append_results results;
        for (const auto& ev : events) {
          append_result one;
          one.outcome.id = ev->id;
          if (auto why = std::exchange(end->refuses, std::nullopt))
            one.refused = *why;
          else
            one.outcome.seq = ++end->seq;
          results.items.push_back(std::move(one));
        }
        promise.deliver(std::move(results));
      },
  };
}

class relaying_fanout final : public fanout {
 public:
  void committed(const log_range_ptr&) override {}
  void replied(const uuid&, const std::optional<processing::reply>&) override {}
  bool hears_replies() const override { return false; }
  void wants_events(bool) override {}
  std::optional<append_relay> relay() const override { return through; }

  std::optional<append_relay> through;
};

class storage_writer_relay_test : public testing::spine {
 protected:
  std::shared_ptr<relay_end> end = std::make_shared<relay_end>();
  std::shared_ptr<relaying_fanout> others = std::make_shared<relaying_fanout>();
  caf::actor link;

  void start(storage_writer_options options = {}) {
    link = system.spawn(relay_behavior, end);
    others->through = append_relay{"node-1", link};
    ctx.others = others;
    start_write_worker();
    start_hub();
    start_reader();
    if (options.spool) {
      start_spool_worker();
      start_dead_letters();
    }
    start_writer(options);
    run();
  }

  void TearDown() override {
    others->through.reset();
    end->promises.clear();
    end_actor(link, caf::exit_reason::kill);
    link = nullptr;
    run();
    testing::spine::TearDown();
  }

  using asked_append = std::shared_ptr<asked<append_outcome>>;

  asked_append take(int n) {
    auto out = append(n);
    run();
    return out;
  }

  /// Another writer is in this one's way.
  void contend() {
    log->contended = true;
    EXPECT_TRUE(take(1'000'000 + ++contentions)->value);
    log->contended = false;
  }

  asked_append take_relayed(int n) {
    auto out = request<append_outcome>(ctx.peers->writer.get(), relayed_atom_v,
                                       event_ptr{testing::make_event(n)});
    run();
    return out;
  }

  void answer() {
    ASSERT_LT(end->answered, end->promises.size());
    tell_anon(link, done_atom_v);
    run();
  }

  bool stored_here(int n) {
    return std::ranges::any_of(log->events(), [&](const event_ptr& ev) {
      return ev->event_id == testing::make_event(n).event_id;
    });
  }

  int contentions = 0;
};

TEST_F(storage_writer_relay_test, as_long_as_nobody_is_in_the_way_it_appends) {
  start();
  EXPECT_TRUE(take(1)->value);
  EXPECT_TRUE(end->batches.empty());
}

TEST_F(storage_writer_relay_test, who_is_in_the_way_has_another_one_append) {
  start();
  contend();
  auto a = take(1);
  ASSERT_EQ(end->batches.size(), 1u);
  EXPECT_TRUE(a->pending());
  answer();
  ASSERT_TRUE(a->value);
  EXPECT_EQ(a->value->seq, 101);
  EXPECT_FALSE(stored_here(1));
  // Who is answered finds the log as long as that.
  EXPECT_EQ(ctx.figures->head(), 101);
}

TEST_F(storage_writer_relay_test, as_many_gather_as_are_on_their_way) {
  start();
  contend();
  std::vector<asked_append> all;
  const auto sizes = [&] {
    std::vector<size_t> out;
    for (const auto& batch : end->batches)
      out.push_back(batch.size());
    return out;
  };
  for (int n = 1; n <= 7; ++n)
    all.push_back(take(n));
  EXPECT_EQ(sizes(), (std::vector<size_t>{1, 1, 2}));
  all.push_back(take(8));
  EXPECT_EQ(sizes(), (std::vector<size_t>{1, 1, 2, 4}));
  // Eight are on their way, in as many batches as may be.
  for (int n = 9; n <= 16; ++n)
    all.push_back(take(n));
  EXPECT_EQ(end->batches.size(), 4u);
  answer();
  EXPECT_EQ(sizes(), (std::vector<size_t>{1, 1, 2, 4, 8}));
  while (end->answered < end->batches.size())
    answer();
  for (const auto& one : all)
    EXPECT_TRUE(one->value);
}

TEST_F(storage_writer_relay_test, what_gathers_goes_with_the_last_answer) {
  start();
  contend();
  for (int n = 1; n <= 4; ++n)
    take(n);
  auto last = take(5);
  for (int n = 1; n <= 3; ++n)
    answer();
  ASSERT_EQ(end->batches.size(), 4u);
  answer();
  EXPECT_TRUE(last->value);
}

TEST_F(storage_writer_relay_test, after_a_time_it_looks_whether_it_is_alone) {
  storage_writer_options options;
  options.relay_for = milliseconds{60'000};
  start(options);
  contend();
  take(1);
  answer();
  advance(milliseconds{60'000});
  EXPECT_TRUE(take(2)->value);
  EXPECT_EQ(end->batches.size(), 1u);
  // It is not.
  contend();
  take(3);
  EXPECT_EQ(end->batches.size(), 2u);
}

TEST_F(storage_writer_relay_test, what_was_not_taken_it_appends_itself) {
  storage_writer_options options;
  options.relay_pause = milliseconds{5'000};
  start(options);
  contend();
  auto a = take(1);
  end->fails = error{ec::store_unavailable, "the link is down"};
  answer();
  EXPECT_TRUE(a->value);
  EXPECT_TRUE(stored_here(1));
  // For a while it does not ask again.
  EXPECT_TRUE(take(2)->value);
  EXPECT_EQ(end->batches.size(), 1u);
  advance(milliseconds{5'000});
  take(3);
  EXPECT_EQ(end->batches.size(), 2u);
}

TEST_F(storage_writer_relay_test, a_silent_node_is_not_waited_for) {
  storage_writer_options options;
  options.relay_timeout = milliseconds{1'500};
  start(options);
  contend();
  auto a = take(1);
  advance(milliseconds{1'400});
  EXPECT_TRUE(a->pending());
  advance(milliseconds{200});
  ASSERT_TRUE(a->value);
  EXPECT_FALSE(a->value->duplicate);
  EXPECT_TRUE(stored_here(1));
}

TEST_F(storage_writer_relay_test, a_refused_event_is_refused_and_others_stay) {
  start();
  contend();
  auto a = take(1);
  end->refuses = error{ec::row_refused, "bad row"};
  answer();
  ASSERT_TRUE(a->failed);
  EXPECT_EQ(a->failed->code, ec::row_refused);
  EXPECT_FALSE(stored_here(1));
}

TEST_F(storage_writer_relay_test, of_a_batch_only_what_was_not_taken_is_left) {
  start();
  contend();
  take(1);
  take(2);
  auto a = take(3);
  auto b = take(4);
  answer();
  answer();
  ASSERT_EQ(end->batches.size(), 3u);
  end->refuses = error{ec::store_unavailable, "its queue is full"};
  answer();
  ASSERT_TRUE(a->value);
  ASSERT_TRUE(b->value);
  EXPECT_TRUE(stored_here(3));
  EXPECT_FALSE(stored_here(4));
}

TEST_F(storage_writer_relay_test, large_events_are_appended_here) {
  start();
  contend();
  auto e = testing::make_event(1, "github", "push", 600u << 10);
  auto a = append(std::move(e));
  run();
  EXPECT_TRUE(a->value);
  EXPECT_TRUE(end->batches.empty());
}

TEST_F(storage_writer_relay_test, what_came_from_another_node_stays_here) {
  start();
  contend();
  auto a = take_relayed(1);
  EXPECT_TRUE(a->value);
  EXPECT_TRUE(end->batches.empty());
  EXPECT_TRUE(stored_here(1));
}

TEST_F(storage_writer_relay_test, another_nodes_events_never_go_to_the_spool) {
  storage_writer_options options;
  options.spool = true;
  start(options);
  log->set_down(error{ec::store_unavailable, "no route"});
  auto a = take_relayed(1);
  ASSERT_TRUE(a->failed);
  EXPECT_EQ(a->failed->code, ec::store_unavailable);
  auto b = take_relayed(2);
  EXPECT_TRUE(b->failed);
  EXPECT_TRUE(spooled->events.empty());
  auto c = take(3);
  ASSERT_TRUE(c->value);
  EXPECT_TRUE(c->value->spooled);
}

TEST_F(storage_writer_relay_test, a_flush_waits_for_what_another_one_appends) {
  start();
  contend();
  take(1);
  auto flushed = request<void>(ctx.peers->writer.get(), flush_atom_v);
  run();
  EXPECT_FALSE(flushed->value);
  answer();
  EXPECT_TRUE(flushed->value);
}

} // namespace

} // namespace eventweft
