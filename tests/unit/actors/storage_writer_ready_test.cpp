// SPDX-License-Identifier: Apache-2.0
// The storage writer under load: a batch that lies ready at the store's worker
// while that has another one in hand.
#include "tests/support/held_store.hpp"

#include <vector>

namespace eventweft {

namespace {

using testing::held_appends;

class storage_writer_ready_test : public testing::held_store {
 protected:
  storage_writer_ready_test() { ready = 2; }

  void start_with_spool() {
    storage_writer_options options;
    options.spool = true;
    options.spool_after = std::chrono::milliseconds{4'000};
    start_spool_worker();
    start_held(options);
  }

  /// What was handed over, by batch.
  std::vector<std::vector<std::string>> handed() const {
    std::vector<std::vector<std::string>> out;
    for (const auto& batch : appends->batches)
      out.push_back(numbers(batch.events));
    return out;
  }

  using batches = std::vector<std::vector<std::string>>;
};

TEST_F(storage_writer_ready_test, one_batch_lies_ready) {
  start_held();
  auto a = take(1);
  auto b = take(2);
  EXPECT_EQ(appends->batches.size(), 1u);
  auto c = take(3);
  EXPECT_EQ(handed(), (batches{{"delivery-1"}, {"delivery-2", "delivery-3"}}));
  // The store need not wait for the disk: more is to come.
  EXPECT_TRUE(appends->batches[1].sync_later);
  take(4);
  take(5);
  take(6);
  EXPECT_EQ(appends->batches.size(), 2u);
  appended();
  EXPECT_TRUE(a->value);
  EXPECT_TRUE(b->pending());
  ASSERT_EQ(appends->batches.size(), 3u);
  EXPECT_EQ(handed().back(), (std::vector<std::string>{
                                 "delivery-4", "delivery-5", "delivery-6"}));
  appended();
  EXPECT_TRUE(b->pending());
  durable();
  EXPECT_TRUE(b->value);
  EXPECT_TRUE(c->value);
}

TEST_F(storage_writer_ready_test,
       a_large_batch_is_not_followed_by_a_small_one) {
  start_held();
  // The third one gathers while two are at the store: it has eight events.
  for (int n = 1; n <= 11; ++n)
    take(n);
  appended();
  appended();
  ASSERT_EQ(handed().back().size(), 8u);
  ASSERT_EQ(appends->batches.size(), 3u);
  for (int n = 12; n <= 16; ++n)
    take(n);
  EXPECT_EQ(appends->batches.size(), 3u);
  take(17);
  ASSERT_EQ(appends->batches.size(), 4u);
  EXPECT_EQ(handed().back().size(), 6u);
}

TEST_F(storage_writer_ready_test, what_failed_goes_to_the_spool_before_it) {
  start_with_spool();
  auto a = take(1);
  take(2);
  auto b = take(3);
  auto c = take(4);
  appends->append_fails = error{ec::store_full, "no room"};
  appended();
  // What the store does with the other one is not known yet.
  EXPECT_TRUE(a->pending());
  appended();
  EXPECT_EQ(ctx.status->overall(), health::degraded);
  for (const auto& one : {a, b, c}) {
    ASSERT_TRUE(one->value);
    EXPECT_TRUE(one->value->spooled);
  }
  EXPECT_EQ(numbers(spooled->events),
            (std::vector<std::string>{"delivery-1", "delivery-2", "delivery-3",
                                      "delivery-4"}));
}

TEST_F(storage_writer_ready_test, what_went_in_before_a_failure_is_stored) {
  start_with_spool();
  auto a = take(1);
  take(2);
  auto b = take(3);
  appended();
  ASSERT_TRUE(a->value);
  EXPECT_FALSE(a->value->spooled);
  appends->append_fails = error{ec::store_full, "no room"};
  appended();
  ASSERT_TRUE(b->value);
  EXPECT_TRUE(b->value->spooled);
  EXPECT_EQ(numbers(spooled->events),
            (std::vector<std::string>{"delivery-2", "delivery-3"}));
}

TEST_F(storage_writer_ready_test, both_are_tried_again_on_a_new_connection) {
  start_held();
  auto a = take(1);
  take(2);
  auto b = take(3);
  for (int i = 0; i < 2; ++i) {
    appends->append_fails = error{ec::store_unavailable, "it was stale"};
    appended();
  }
  EXPECT_EQ(handed(), (batches{{"delivery-1"},
                               {"delivery-2", "delivery-3"},
                               {"delivery-1"},
                               {"delivery-2", "delivery-3"}}));
  appended();
  appended();
  while (syncs->synced < syncs->syncs.size())
    durable();
  EXPECT_TRUE(a->value);
  EXPECT_TRUE(b->value);
}

TEST_F(storage_writer_ready_test, an_event_that_fails_is_looked_for_alone) {
  start_held();
  take(1);
  auto bad = take(2);
  auto good = take(3);
  appended();
  auto later = take(4);
  take(5);
  ASSERT_EQ(appends->batches.size(), 3u);
  appends->append_fails = error{ec::internal, "one of them"};
  appended();
  appended();
  appends->append_fails = error{ec::internal, "this one"};
  appended();
  ASSERT_TRUE(bad->failed);
  EXPECT_EQ(bad->failed->code, ec::internal);
  while (appends->answered < appends->batches.size() ||
         syncs->synced < syncs->syncs.size()) {
    if (appends->answered < appends->batches.size())
      appended();
    if (syncs->synced < syncs->syncs.size())
      durable();
  }
  EXPECT_TRUE(good->value);
  EXPECT_TRUE(later->value);
  EXPECT_EQ(handed(), (batches{{"delivery-1"},
                               {"delivery-2", "delivery-3"},
                               {"delivery-4", "delivery-5"},
                               {"delivery-2"},
                               {"delivery-3"}}));
}

TEST_F(storage_writer_ready_test, nothing_lies_ready_behind_what_is_stuck) {
  start_with_spool();
  auto a = take(1);
  advance(std::chrono::milliseconds{1'100});
  take(2);
  auto b = take(3);
  EXPECT_EQ(appends->batches.size(), 1u);
  // So nobody waits for longer than for one.
  advance(std::chrono::milliseconds{3'000});
  for (const auto& one : {a, b}) {
    ASSERT_TRUE(one->value);
    EXPECT_TRUE(one->value->spooled);
  }
}

TEST_F(storage_writer_ready_test, a_crashed_worker_gets_both_again) {
  start_held();
  auto a = take(1);
  take(2);
  auto b = take(3);
  auto old = ctx.peers->write_worker.get();
  ctx.peers->write_worker.set({});
  appends->promises.clear();
  crash(old);
  run();
  EXPECT_TRUE(a->pending());
  appends = std::make_shared<held_appends>();
  start_held_worker();
  advance(std::chrono::milliseconds{200});
  EXPECT_EQ(handed(), (batches{{"delivery-1"}, {"delivery-2", "delivery-3"}}));
  appended();
  appended();
  EXPECT_TRUE(a->value);
  EXPECT_TRUE(b->value);
}

TEST_F(storage_writer_ready_test, flush_waits_for_what_lies_ready) {
  start_held();
  take(1);
  take(2);
  take(3);
  auto flushed = request<void>(ctx.peers->writer.get(), flush_atom_v);
  run();
  appended();
  EXPECT_TRUE(flushed->pending());
  appended();
  EXPECT_TRUE(flushed->pending());
  durable();
  EXPECT_TRUE(flushed->value);
}

} // namespace

} // namespace eventweft
