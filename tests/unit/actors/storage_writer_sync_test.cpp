// SPDX-License-Identifier: Apache-2.0
// The storage writer under load: batches that the store answers before they are
// durable.
#include "correlation/engine.hpp"
#include "tests/support/held_store.hpp"

#include <spdlog/sinks/ringbuffer_sink.h>

#include <algorithm>
#include <string>
#include <vector>

namespace eventweft {

namespace {

using testing::asked;
using testing::held_appends;
using testing::spawn_held_worker;

class storage_writer_sync_test : public testing::held_store {
 protected:
  /// With a spool: event 2 is being made durable, event 3 is at the store.
  std::pair<asked_append, asked_append> make_durable_one_and_append_another() {
    storage_writer_options options;
    options.spool = true;
    start_spool_worker();
    start_held(options);
    take(1);
    auto b = take(2);
    appended();
    auto c = take(3);
    appended();
    return {b, c};
  }
};

TEST_F(storage_writer_sync_test, what_a_silent_store_has_goes_to_the_spool) {
  storage_writer_options options;
  options.spool = true;
  options.spool_after = std::chrono::milliseconds{5'000};
  auto lines = std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(100);
  ctx.log = std::make_shared<spdlog::logger>("test", lines);
  start_spool_worker();
  start_held(options);
  auto a = take(1);
  auto b = take(2);
  advance(std::chrono::milliseconds{4'900});
  EXPECT_TRUE(a->pending());
  advance(std::chrono::milliseconds{200});
  for (const auto& one : {a, b}) {
    ASSERT_TRUE(one->value);
    EXPECT_TRUE(one->value->spooled);
  }
  EXPECT_EQ(numbers(spooled->events),
            (std::vector<std::string>{"delivery-1", "delivery-2"}));
  // The log says which part it is.
  EXPECT_TRUE(
      std::ranges::any_of(lines->last_formatted(), [](const auto& line) {
        return line.find("the store did not answer within 5000 ms") !=
               std::string::npos;
      }));
}

TEST_F(storage_writer_sync_test, without_a_spool_a_silent_store_is_waited_for) {
  start_held();
  auto a = take(1);
  advance(std::chrono::milliseconds{20'000});
  appended();
  EXPECT_TRUE(a->value);
}

TEST_F(storage_writer_sync_test, an_idle_store_is_asked_for_a_durable_batch) {
  start_held();
  auto a = take(1);
  ASSERT_EQ(appends->batches.size(), 1u);
  EXPECT_FALSE(appends->batches[0].sync_later);
  appended();
  EXPECT_TRUE(a->value);
  EXPECT_TRUE(syncs->syncs.empty());
  // And again, once it is idle again.
  take(2);
  EXPECT_FALSE(appends->batches.back().sync_later);
}

TEST_F(storage_writer_sync_test, nobody_is_answered_before_it_is_durable) {
  start_held();
  auto a = take(1);
  auto b = take(2);
  appended();
  EXPECT_TRUE(a->value);
  ASSERT_EQ(appends->batches.size(), 2u);
  EXPECT_TRUE(appends->batches[1].sync_later);
  appended();
  EXPECT_TRUE(b->pending());
  ASSERT_EQ(syncs->syncs.size(), 1u);
  EXPECT_EQ(seqs(syncs->syncs[0]), (std::vector<seq_t>{2}));
  durable();
  ASSERT_TRUE(b->value);
  EXPECT_EQ(b->value->seq, 2);
}

TEST_F(storage_writer_sync_test,
       the_next_batch_goes_while_one_is_made_durable) {
  start_held();
  take(1);
  auto b = take(2);
  appended();
  auto c = take(3);
  appended();
  ASSERT_EQ(appends->batches.size(), 3u);
  EXPECT_TRUE(appends->batches[2].sync_later);
  auto d = take(4);
  appended();
  appended();
  // What was appended meanwhile is made durable in one go.
  ASSERT_EQ(syncs->syncs.size(), 1u);
  durable();
  EXPECT_TRUE(b->value);
  EXPECT_TRUE(c->pending());
  ASSERT_EQ(syncs->syncs.size(), 2u);
  // Each of them may have got lost by itself.
  EXPECT_EQ(seqs(syncs->syncs[1]), (std::vector<seq_t>{3, 4}));
  durable();
  EXPECT_TRUE(c->value);
  EXPECT_TRUE(d->value);
}

TEST_F(storage_writer_sync_test, few_events_wait_until_the_disk_is_done) {
  overtaking = 3;
  start_held();
  take(1);
  take(2);
  appended();
  appended();
  take(3);
  take(4);
  EXPECT_EQ(appends->batches.size(), 2u);
  take(5);
  EXPECT_EQ(appends->batches.size(), 3u);
  appended();
  auto last = take(6);
  EXPECT_EQ(appends->batches.size(), 3u);
  durable();
  durable();
  ASSERT_EQ(appends->batches.size(), 4u);
  appended();
  EXPECT_TRUE(last->value);
}

TEST_F(storage_writer_sync_test, only_so_many_batches_wait_for_the_disk) {
  start_held();
  std::vector<std::shared_ptr<asked<append_outcome>>> all;
  all.push_back(take(1));
  for (int i = 2; i <= 10; ++i) {
    all.push_back(take(i));
    if (appends->answered < appends->batches.size())
      appended();
  }
  // One that was durable at once, four that are not.
  EXPECT_EQ(appends->batches.size(), 5u);
  EXPECT_EQ(syncs->syncs.size(), 1u);
  while (syncs->synced < syncs->syncs.size()) {
    durable();
    if (appends->answered < appends->batches.size())
      appended();
  }
  for (auto& x : all)
    EXPECT_TRUE(x->value);
}

TEST_F(storage_writer_sync_test, what_the_store_lost_is_appended_again) {
  const auto [b, c] = make_durable_one_and_append_another();
  syncs->sync_fails = error{ec::store_unavailable, "it was lost"};
  // Before anybody heard of it; the third one is at the store still, and
  // nothing that came later goes anywhere before it is back.
  auto d = take(4);
  durable();
  EXPECT_TRUE(b->pending());
  EXPECT_TRUE(d->pending());
  appended();
  EXPECT_EQ(ctx.status->overall(), health::degraded);
  for (const auto& x : {b, c, d}) {
    ASSERT_TRUE(x->value);
    EXPECT_TRUE(x->value->spooled);
  }
  // In the order in which they came.
  EXPECT_EQ(
      numbers(spooled->events),
      (std::vector<std::string>{"delivery-2", "delivery-3", "delivery-4"}));
}

TEST_F(storage_writer_sync_test, a_batch_that_fails_waits_for_those_before_it) {
  const auto [b, c] = make_durable_one_and_append_another();
  auto d = take(4);
  appends->append_fails = error{ec::store_full, "no room"};
  appended();
  EXPECT_TRUE(c->pending());
  EXPECT_EQ(ctx.status->overall(), health::ok);
  // The first one got there: it is no matter of the spool.
  durable();
  ASSERT_TRUE(b->value);
  EXPECT_FALSE(b->value->spooled);
  EXPECT_EQ(b->value->seq, 2);
  EXPECT_EQ(ctx.status->overall(), health::degraded);
  ASSERT_TRUE(c->value);
  EXPECT_TRUE(c->value->spooled);
  ASSERT_TRUE(d->value);
  EXPECT_EQ(numbers(spooled->events),
            (std::vector<std::string>{"delivery-3", "delivery-4"}));
}

TEST_F(storage_writer_sync_test, both_may_fail) {
  const auto [b, c] = make_durable_one_and_append_another();
  appends->append_fails = error{ec::store_full, "no room"};
  appended();
  syncs->sync_fails = error{ec::store_unavailable, "it was lost"};
  durable();
  ASSERT_TRUE(b->value);
  EXPECT_TRUE(b->value->spooled);
  ASSERT_TRUE(c->value);
  EXPECT_TRUE(c->value->spooled);
  EXPECT_EQ(numbers(spooled->events),
            (std::vector<std::string>{"delivery-2", "delivery-3"}));
}

// Nobody would tell again what a batch taught that the store has kept.
TEST_F(storage_writer_sync_test, what_events_taught_is_known_even_so) {
  const auto known = std::make_shared<correlation::vocabulary>();
  ctx.rules = std::make_shared<correlation::engine>(
      known, correlation::engine_options{});
  start_held();
  take(1);
  take(2);
  appended();
  appends->facts = {{"linear:team:ENG", "x"}};
  appended();
  syncs->sync_fails = error{ec::store_unavailable, "not known"};
  durable();
  EXPECT_TRUE(known->knows("linear:team:ENG"));
}

TEST_F(storage_writer_sync_test, a_crashed_worker_is_waited_for) {
  start_held();
  take(1);
  auto b = take(2);
  appended();
  appended();
  auto old = ctx.peers->sync_worker.get();
  ctx.peers->sync_worker.set({});
  syncs->sync_promises.clear();
  crash(old);
  run();
  EXPECT_TRUE(b->pending());
  syncs = std::make_shared<held_appends>();
  ctx.peers->sync_worker.set(keep(spawn_held_worker(system, syncs)));
  advance(std::chrono::milliseconds{200});
  durable();
  EXPECT_TRUE(b->value);
}

TEST_F(storage_writer_sync_test, what_a_dead_writer_left_is_shown) {
  log->sync_later = true;
  std::vector<event_ptr> left{event_ptr{testing::make_event(1)}};
  testing::memory_session session{log};
  ASSERT_TRUE(session.append_unsynced(left));
  EXPECT_EQ(session.head()->seq, 0);
  // However long the store is away when the next one starts.
  log->set_down(error{ec::store_unavailable, "outage"});
  start_writer();
  run();
  start_write_worker();
  advance(std::chrono::seconds{1});
  log->set_down(std::nullopt);
  advance(std::chrono::seconds{10});
  EXPECT_EQ(session.head()->seq, 1);
}

TEST_F(storage_writer_sync_test, flush_answers_when_all_is_durable) {
  start_held();
  take(1);
  take(2);
  appended();
  appended();
  auto flushed = request<void>(ctx.peers->writer.get(), flush_atom_v);
  run();
  EXPECT_TRUE(flushed->pending());
  durable();
  EXPECT_TRUE(flushed->value);
}

TEST_F(storage_writer_sync_test, the_hub_hears_of_durable_events_only) {
  log->sync_later = true;
  ctx.peers->write_worker.set(keep(
      spawn_store_worker(system, std::make_unique<testing::memory_session>(log),
                         worker_thread::shared)));
  ctx.peers->sync_worker.set(keep(spawn_held_worker(system, syncs)));
  start_reader();
  start_hub();
  start_writer();
  run();
  append(1);
  append(2);
  append(3);
  run();
  // The first one was alone; the others came while the store was busy.
  auto head = request<seq_t>(ctx.peers->hub.get(), head_atom_v);
  run();
  ASSERT_TRUE(head->value);
  EXPECT_EQ(*head->value, 1);
  durable();
  head = request<seq_t>(ctx.peers->hub.get(), head_atom_v);
  run();
  EXPECT_EQ(*head->value, 3);
}

TEST_F(storage_writer_sync_test, the_log_names_the_limits_that_keys_reach) {
  auto lines = std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(1'000);
  ctx.log = std::make_shared<spdlog::logger>("test", lines);
  start_held();
  const auto said = [&lines](const std::string& text) {
    return std::ranges::count_if(
        lines->last_formatted(),
        [&](const auto& line) { return line.find(text) != std::string::npos; });
  };
  int n = 0;
  const auto store_one = [&] {
    take(++n);
    appended();
  };
  appends->hot_keys = {{"a:1", false}, {"b:1", true}};
  store_one();
  EXPECT_EQ(said("a:1 has linked as many events as [correlation] max_links"),
            1);
  EXPECT_EQ(said("b:1 has linked as many remarks as [correlation] max_remarks"),
            1);
  EXPECT_EQ(said("max_joined_events"), 0);
  // Each event of such threads would say it again.
  for (int i = 0; i < 3; ++i) {
    appends->huge_keys = {"c:1"};
    store_one();
  }
  EXPECT_EQ(said("c:1 leads to two threads"), 1);
  EXPECT_EQ(said("[correlation] max_joined_events"), 1);
  advance(std::chrono::minutes{11});
  appends->huge_keys = {"d:1"};
  store_one();
  EXPECT_EQ(said("d:1 leads to two threads"), 1);
}

} // namespace

} // namespace eventweft
