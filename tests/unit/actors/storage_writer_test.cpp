// SPDX-License-Identifier: Apache-2.0
#include "tests/support/held_store.hpp"

namespace eventweft {

namespace {

using namespace std::chrono_literals;

using testing::make_event;

using storage_writer_test = testing::held_store;

TEST_F(storage_writer_test, commits_at_once_when_idle) {
  start_held_worker();
  start_writer();
  auto a = append(1);
  run();
  ASSERT_EQ(appends->batches.size(), 1u);
  EXPECT_EQ(appends->batches[0].events.size(), 1u);
}

TEST_F(storage_writer_test, answers_only_after_the_commit) {
  start_held_worker();
  start_writer();
  auto a = append(1);
  run();
  EXPECT_TRUE(a->pending());
  appended();
  ASSERT_TRUE(a->value);
  EXPECT_EQ(a->value->seq, 1);
  EXPECT_FALSE(a->value->duplicate);
}

TEST_F(storage_writer_test, next_batch_forms_while_one_commits) {
  start_held_worker();
  start_writer();
  append(1);
  run();
  std::vector<std::shared_ptr<testing::asked<append_outcome>>> later;
  for (int i = 2; i <= 10; ++i)
    later.push_back(append(i));
  run();
  ASSERT_EQ(appends->batches.size(), 1u);
  appended();
  ASSERT_EQ(appends->batches.size(), 2u);
  EXPECT_EQ(appends->batches[1].events.size(), 9u);
  for (auto& x : later)
    EXPECT_TRUE(x->pending());
  appended();
  for (auto& x : later)
    EXPECT_TRUE(x->value);
}

TEST_F(storage_writer_test, samples_how_long_events_took) {
  start_held_worker();
  storage_writer_options options;
  options.samples = std::make_shared<store_figures>(1);
  start_writer(options);
  append(1);
  append(2);
  run();
  EXPECT_TRUE(options.samples->take().empty());
  advance(10ms);
  appended();
  advance(20ms);
  appended();
  const auto samples = options.samples->take();
  ASSERT_EQ(samples.size(), 6u);
  // The second one waits for the first one's commit, and then for its own.
  EXPECT_EQ(samples[0].took, 0ms);
  EXPECT_EQ(samples[1].took, 10ms);
  EXPECT_EQ(samples[3].took, 10ms);
  EXPECT_EQ(samples[4].took, 20ms);
  EXPECT_EQ(samples[0].stage, "queue");
  EXPECT_EQ(samples[1].stage, "commit");
  EXPECT_EQ(samples[2].stage, "ingest");
  EXPECT_EQ(samples[0].platform, "github");
  EXPECT_NE(samples[0].event_id, samples[3].event_id);
}

TEST(store_figures, samples_one_of_so_many_events_in_every_stage) {
  seeded_random random{1};
  const store_figures some{10};
  const store_figures none{0};
  int chosen = 0;
  for (int i = 0; i < 1'000; ++i) {
    const auto id = uuid::v7(timestamp{}, random);
    chosen += some.sampled(id) ? 1 : 0;
    EXPECT_EQ(some.sampled(id), some.sampled(id));
    EXPECT_FALSE(none.sampled(id));
  }
  EXPECT_GT(chosen, 50);
  EXPECT_LT(chosen, 200);
}

TEST(store_figures, stays_bounded_when_nobody_takes_samples) {
  store_figures figures{1};
  for (int i = 0; i < 10'000; ++i)
    figures.add({});
  EXPECT_LE(figures.take().size(), 5'000u);
  EXPECT_TRUE(figures.take().empty());
}

TEST_F(storage_writer_test, batches_are_bounded_in_events_and_bytes) {
  start_held_worker();
  storage_writer_options options;
  options.batch_max_events = 4;
  options.batch_max_bytes =
      2 * make_event(8, "github", "push", 2'000).footprint() + 100;
  start_writer(options);
  append(1);
  run();
  for (int i = 2; i <= 7; ++i)
    append(i);
  for (int i = 8; i <= 11; ++i)
    append(make_event(i, "github", "push", 2'000));
  append(make_event(12, "github", "push", 90'000));
  run();
  while (appends->answered < appends->batches.size())
    appended();
  std::vector<size_t> sizes;
  for (const auto& b : appends->batches)
    sizes.push_back(b.events.size());
  EXPECT_EQ(sizes, (std::vector<size_t>{1, 4, 3, 2, 1, 1}));
}

TEST_F(storage_writer_test, tells_the_hub_before_it_answers) {
  start_held_worker();
  start_writer();
  std::vector<std::string> order;
  std::vector<log_range_ptr> told;
  auto hub = [&](stream_hub_actor::pointer) -> stream_hub_actor::behavior_type {
    return {
        [&](committed_atom, const log_range_ptr& r) {
          order.push_back("hub");
          told.push_back(r);
        },
        [](ready_atom, lane_number) {},
        [](join_atom, join_request&) { return join_answer{}; },
        [](leave_atom, subscription_id) {},
        [](head_atom) -> caf::result<seq_t> { return seq_t{0}; },
        [](poll_atom) {},
        [](poll_atom, seq_t) {},
    };
  };
  ctx.peers->hub.set(keep(system.spawn(hub)));
  auto ev = event_ptr{make_event(1)};
  system.spawn([&](caf::event_based_actor* self) {
    self->request(ctx.peers->writer.get(), caf::infinite, append_atom_v, ev)
        .then([&](const append_outcome&) { order.push_back("sender"); },
              [&](const caf::error&) { order.push_back("error"); });
  });
  run();
  appended();
  EXPECT_EQ(order, (std::vector<std::string>{"hub", "sender"}));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0]->first, 1);
  EXPECT_EQ(told[0]->last, 1);
  ASSERT_EQ(told[0]->events.size(), 1u);
  EXPECT_EQ(told[0]->events[0]->seq, 1);
  // The payload is shared, not copied.
  EXPECT_EQ(told[0]->events[0]->payload.view().data(),
            ev->payload.view().data());
}

TEST_F(storage_writer_test, bad_row_fails_alone) {
  log->refused.insert("delivery-2");
  start_write_worker();
  start_writer();
  auto a = append(1);
  auto b = append(2);
  auto c = append(3);
  run();
  EXPECT_TRUE(a->value);
  ASSERT_TRUE(b->failed);
  EXPECT_EQ(b->failed->code, ec::row_refused);
  EXPECT_TRUE(c->value);
}

TEST_F(storage_writer_test, event_that_fails_its_batch_is_found) {
  log->poison.insert("delivery-3");
  start_write_worker();
  start_writer();
  std::vector<std::shared_ptr<testing::asked<append_outcome>>> all;
  for (int i = 0; i < 6; ++i)
    all.push_back(append(i));
  run();
  for (size_t i = 0; i < 6; ++i) {
    if (i == 3) {
      ASSERT_TRUE(all[i]->failed);
      EXPECT_EQ(all[i]->failed->code, ec::internal);
    } else {
      EXPECT_TRUE(all[i]->value) << i;
    }
  }
  EXPECT_EQ(log->head(), 5);
}

TEST_F(storage_writer_test, redelivery_gets_the_first_id) {
  start_write_worker();
  start_writer();
  auto first = make_event(1);
  auto second = first;
  second.id.bytes[0] = 99;
  auto a = append(first);
  run();
  auto b = append(second);
  run();
  ASSERT_TRUE(b->value);
  EXPECT_TRUE(b->value->duplicate);
  EXPECT_EQ(b->value->id, first.id);
  EXPECT_EQ(b->value->seq, a->value->seq);
}

TEST_F(storage_writer_test, lost_commit_is_not_a_duplicate) {
  log->lose_next_answer = error{ec::store_unavailable, "connection lost"};
  start_write_worker();
  start_writer();
  auto a = append(1);
  run();
  ASSERT_TRUE(a->value);
  EXPECT_FALSE(a->value->duplicate);
  EXPECT_FALSE(a->value->spooled);
  EXPECT_EQ(a->value->seq, 1);
  EXPECT_EQ(log->head(), 1);
}

TEST_F(storage_writer_test, full_queue_is_overload) {
  start_held_worker();
  storage_writer_options options;
  options.batch_max_events = 1;
  options.queue_max_events = 3;
  start_writer(options);
  std::vector<std::shared_ptr<testing::asked<append_outcome>>> all;
  for (int i = 0; i < 6; ++i)
    all.push_back(append(i));
  run();
  // One is at the worker, three wait.
  size_t refused = 0;
  for (auto& x : all)
    if (x->failed) {
      EXPECT_EQ(x->failed->code, ec::overloaded);
      ++refused;
    }
  EXPECT_EQ(refused, 2u);
}

TEST_F(storage_writer_test, crashed_worker_is_waited_for) {
  start_held_worker();
  start_writer();
  auto a = append(1);
  run();
  auto old = ctx.peers->write_worker.get();
  ctx.peers->write_worker.set({});
  appends->promises.clear();
  crash(old);
  run();
  EXPECT_TRUE(a->pending());
  start_write_worker();
  advance(std::chrono::milliseconds{200});
  ASSERT_TRUE(a->value);
  EXPECT_EQ(log->head(), 1);
}

TEST_F(storage_writer_test, flush_answers_when_all_is_stored) {
  start_held_worker();
  start_writer();
  auto a = append(1);
  run();
  auto b = append(2);
  run();
  auto flushed = request<void>(ctx.peers->writer.get(), flush_atom_v);
  run();
  EXPECT_FALSE(flushed->value);
  appended();
  EXPECT_FALSE(flushed->value);
  appended();
  EXPECT_TRUE(flushed->value);
}

TEST_F(storage_writer_test,
       without_a_spool_senders_are_refused_until_it_is_back) {
  start_write_worker();
  storage_writer_options options;
  options.retry_min = std::chrono::milliseconds{100};
  start_writer(options);
  log->set_down(error{ec::store_unavailable, "no route"});
  auto a = append(1);
  run();
  ASSERT_TRUE(a->failed);
  EXPECT_EQ(a->failed->code, ec::store_unavailable);
  EXPECT_EQ(ctx.status->overall(), health::down);
  auto b = append(2);
  run();
  EXPECT_TRUE(b->failed);
  log->set_down(std::nullopt);
  advance(std::chrono::milliseconds{150});
  auto c = append(3);
  run();
  EXPECT_TRUE(c->value);
  EXPECT_EQ(ctx.status->overall(), health::ok);
}

TEST_F(storage_writer_test, without_a_spool_a_store_never_reached_is_down) {
  log->set_down(error{ec::store_unavailable, "no route"});
  start_write_worker();
  storage_writer_options options;
  options.retry_min = std::chrono::milliseconds{100};
  start_writer(options);
  run();
  EXPECT_EQ(ctx.status->overall(), health::down);
  log->set_down(std::nullopt);
  advance(std::chrono::milliseconds{150});
  EXPECT_EQ(ctx.status->overall(), health::ok);
}

} // namespace

} // namespace eventweft
