// SPDX-License-Identifier: Apache-2.0
#include "tests/support/spine.hpp"

namespace eventweft {

namespace {

using std::chrono::milliseconds;
using testing::make_event;

class storage_reader_test : public testing::spine {
 protected:
  void SetUp() override {
    for (int i = 0; i < 10; ++i)
      log->add(make_event(i));
  }

  auto head() { return request<seq_t>(ctx.peers->reader.get(), head_atom_v); }

  auto page(seq_t after) {
    return request<log_range>(ctx.peers->reader.get(), page_atom_v,
                              page_request{after, 3, 1'000'000});
  }
};

TEST_F(storage_reader_test, answers_each_question) {
  start_reader();
  auto h = head();
  auto p = page(4);
  auto found = request<event_ptr>(ctx.peers->reader.get(), find_atom_v,
                                  make_event(3).id);
  auto missing =
      request<event_ptr>(ctx.peers->reader.get(), find_atom_v, uuid{});
  event_query q;
  q.limit = 2;
  auto queried = request<event_page>(ctx.peers->reader.get(), query_atom_v, q);
  auto sought = request<seq_t>(ctx.peers->reader.get(), seek_atom_v,
                               make_event(6).created_at);
  run();
  EXPECT_EQ(h->value, 10);
  ASSERT_TRUE(p->value);
  EXPECT_EQ(p->value->last, 7);
  ASSERT_TRUE(found->value);
  EXPECT_EQ((*found->value)->event_id, "delivery-3");
  ASSERT_TRUE(missing->value);
  EXPECT_FALSE(*missing->value);
  ASSERT_TRUE(queried->value);
  EXPECT_EQ(queried->value->events.size(), 2u);
  EXPECT_EQ(sought->value, 6);
}

TEST_F(storage_reader_test, full_queue_is_overload) {
  storage_reader_options options;
  options.queue_max = 2;
  start_reader(options);
  std::vector<std::shared_ptr<testing::asked<seq_t>>> all;
  // One is at the worker, which does not run before all of them have come.
  for (int i = 0; i < 6; ++i)
    all.push_back(head());
  auto worker = ctx.peers->read_workers.at(0);
  ctx.peers->read_workers.set(0, {});
  run();
  ctx.peers->read_workers.set(0, worker);
  advance(milliseconds{100});
  size_t refused = 0;
  for (auto& x : all) {
    EXPECT_FALSE(x->pending());
    if (x->failed) {
      EXPECT_EQ(x->failed->code, ec::overloaded);
      ++refused;
    }
  }
  EXPECT_EQ(refused, 4u);
}

TEST_F(storage_reader_test, pages_do_not_starve_questions_nor_the_reverse) {
  start_reader();
  auto worker = ctx.peers->read_workers.at(0);
  ctx.peers->read_workers.set(0, {});
  std::vector<std::string> order;
  auto reader = ctx.peers->reader.get();
  system.spawn([&, reader](caf::event_based_actor* self) {
    auto oops = [&order](const caf::error&) { order.emplace_back("error"); };
    for (int i = 0; i < 8; ++i)
      self->request(reader, caf::infinite, page_atom_v, page_request{})
          .then([&order](const log_range&) { order.emplace_back("page"); },
                oops);
    for (int i = 0; i < 8; ++i)
      self->request(reader, caf::infinite, head_atom_v)
          .then([&order](seq_t) { order.emplace_back("head"); }, oops);
  });
  run();
  ctx.peers->read_workers.set(0, worker);
  advance(milliseconds{100});
  ASSERT_EQ(order.size(), 16u);
  // Questions first, but a page among any four.
  std::vector<std::string> first(order.begin(), order.begin() + 8);
  EXPECT_EQ(std::count(first.begin(), first.end(), "page"), 2);
  EXPECT_EQ(std::count(first.begin(), first.end(), "head"), 6);
}

TEST_F(storage_reader_test, question_survives_its_worker) {
  start_reader();
  auto old = ctx.peers->read_workers.at(0);
  crash(old);
  auto h = head();
  run();
  EXPECT_TRUE(h->pending());
  ctx.peers->read_workers.set(
      0, keep(spawn_store_worker(system,
                                 std::make_unique<testing::memory_session>(log),
                                 worker_thread::shared)));
  advance(milliseconds{100});
  EXPECT_EQ(h->value, 10);
}

TEST_F(storage_reader_test, errors_of_the_store_arrive) {
  log->set_down(error{ec::store_unavailable, "no route"});
  start_reader();
  auto h = head();
  run();
  ASSERT_TRUE(h->failed);
  EXPECT_EQ(*h->failed, (error{ec::store_unavailable, "no route"}));
}

TEST_F(storage_reader_test, dead_letters_wait_for_the_store) {
  start_reader();
  start_dead_letters();
  log->set_down(error{ec::store_unavailable, "no route"});
  dead_letter letter;
  letter.id = make_event(1).id;
  letter.origin = "spool";
  auto kept =
      request<void>(ctx.peers->dead_letters.get(), dead_letter_atom_v, letter);
  advance(milliseconds{500});
  EXPECT_TRUE(kept->pending());
  log->set_down(std::nullopt);
  advance(milliseconds{6'000});
  EXPECT_TRUE(kept->value);
  ASSERT_EQ(log->letters.size(), 1u);
  EXPECT_EQ(log->letters[0], letter);
}

} // namespace

} // namespace eventweft
