// SPDX-License-Identifier: Apache-2.0
#include "tests/support/spine.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <algorithm>
#include <sstream>
#include <string_view>

namespace eventweft {

namespace {

using std::chrono::milliseconds;
using testing::make_event;

class storage_writer_spool_test : public testing::spine {
 protected:
  storage_writer_options options;

  storage_writer_spool_test() {
    options.spool = true;
    options.retry_min = milliseconds{100};
    options.retry_max = milliseconds{800};
  }

  void go_down() { log->set_down(error{ec::store_unavailable, "no route"}); }
  void come_back() { log->set_down(std::nullopt); }

  std::vector<std::string> stored() const {
    std::vector<std::string> out;
    for (const auto& ev : log->events())
      out.push_back(ev->event_id);
    return out;
  }
};

TEST_F(storage_writer_spool_test, takes_events_while_the_store_is_away) {
  start_all(options);
  go_down();
  auto a = append(1);
  auto b = append(2);
  run();
  ASSERT_TRUE(a->value);
  EXPECT_TRUE(a->value->spooled);
  EXPECT_EQ(a->value->seq, 0);
  EXPECT_FALSE(a->value->duplicate);
  EXPECT_EQ(a->value->id, make_event(1).id);
  ASSERT_TRUE(b->value);
  EXPECT_EQ(spooled->events.size(), 2u);
  EXPECT_EQ(ctx.status->overall(), health::degraded);
  for (const auto& part : ctx.status->parts())
    EXPECT_EQ(part.detail.find("no route"), std::string::npos) << part.name;
}

TEST_F(storage_writer_spool_test, is_degraded_until_the_store_first_answers) {
  go_down();
  start_all(options);
  EXPECT_EQ(ctx.status->overall(), health::degraded);
  // The cause itself may name hosts and users.
  EXPECT_EQ(ctx.status->parts().back().detail,
            "store_unavailable: the log says why");
  EXPECT_NE(ctx.figures->text().find("eventweft_store_up 0"),
            std::string::npos);
  advance(milliseconds{1'000});
  EXPECT_EQ(ctx.status->overall(), health::degraded);
  // No event has to come for that.
  come_back();
  advance(milliseconds{1'000});
  EXPECT_EQ(ctx.status->overall(), health::ok);
  EXPECT_NE(ctx.figures->text().find("eventweft_store_up 1"),
            std::string::npos);
}

TEST_F(storage_writer_spool_test, drains_in_order_and_goes_live) {
  start_all(options);
  append(0);
  run();
  go_down();
  for (int i = 1; i <= 20; ++i)
    append(i);
  run();
  come_back();
  advance(milliseconds{1'000});
  auto live = append(21);
  run();
  ASSERT_TRUE(live->value);
  EXPECT_FALSE(live->value->spooled);
  EXPECT_EQ(live->value->seq, 22);
  EXPECT_TRUE(spooled->events.empty());
  std::vector<std::string> expected;
  for (int i = 0; i <= 21; ++i)
    expected.push_back("delivery-" + std::to_string(i));
  EXPECT_EQ(stored(), expected);
  EXPECT_EQ(ctx.status->overall(), health::ok);
}

TEST_F(storage_writer_spool_test, nothing_overtakes_what_is_spooled) {
  options.batch_max_events = 5;
  start_all(options);
  go_down();
  int number = 0;
  for (int i = 0; i < 40; ++i)
    append(number++);
  run();
  come_back();
  time->advance(milliseconds{1'000});
  sched.advance_time(milliseconds{1'000});
  // One message at a time, with a new event now and then.
  for (int i = 0; i < 400; ++i) {
    sched.try_run_once();
    if (i % 7 == 0)
      append(number++);
  }
  advance(milliseconds{1'000});
  auto all = stored();
  ASSERT_EQ(all.size(), static_cast<size_t>(number));
  for (int i = 0; i < number; ++i)
    EXPECT_EQ(all[static_cast<size_t>(i)], "delivery-" + std::to_string(i));
}

TEST_F(storage_writer_spool_test,
       redelivery_of_a_spooled_event_is_a_duplicate) {
  start_all(options);
  go_down();
  auto first = make_event(1);
  auto again = first;
  again.id.bytes[0] = 77;
  auto a = append(first);
  auto same_batch = append(again);
  run();
  auto later = append(again);
  run();
  for (const auto& x : {same_batch, later}) {
    ASSERT_TRUE(x->value);
    EXPECT_TRUE(x->value->duplicate);
    EXPECT_TRUE(x->value->spooled);
    EXPECT_EQ(x->value->id, first.id);
  }
  EXPECT_EQ(spooled->events.size(), 1u);
  come_back();
  advance(milliseconds{1'000});
  EXPECT_EQ(log->head(), 1);
}

TEST_F(storage_writer_spool_test, redelivery_of_a_stored_event_is_counted) {
  start_all(options);
  auto first = make_event(1);
  append(first);
  run();
  go_down();
  auto again = first;
  again.id.bytes[0] = 77;
  auto spooled_again = append(again);
  run();
  ASSERT_TRUE(spooled_again->value && spooled_again->value->spooled);
  come_back();
  advance(milliseconds{1'000});
  EXPECT_EQ(log->head(), 1);
  EXPECT_NE(ctx.figures->json({}).find(R"("events_duplicates":1)"),
            std::string::npos);
  // Labels come in the order of their names.
  EXPECT_NE(ctx.figures->text().find("eventweft_events_duplicate_total{event_"
                                     "type=\"push\",platform=\"github\"} 1"),
            std::string::npos);
}

TEST_F(storage_writer_spool_test, same_event_offered_again_is_no_duplicate) {
  start_all(options);
  go_down();
  append(1);
  run();
  auto again = append(1);
  run();
  ASSERT_TRUE(again->value);
  EXPECT_FALSE(again->value->duplicate);
}

TEST_F(storage_writer_spool_test, full_spool_refuses_and_recovers) {
  spooled->max_events = 2;
  start_all(options);
  go_down();
  append(1);
  append(2);
  run();
  auto c = append(3);
  run();
  ASSERT_TRUE(c->failed);
  EXPECT_EQ(c->failed->code, ec::store_full);
  EXPECT_EQ(ctx.status->overall(), health::down);
  // As its limit counts them.
  EXPECT_NE(ctx.figures->text().find("eventweft_spool_bytes 200"),
            std::string::npos);
  come_back();
  advance(milliseconds{1'000});
  auto d = append(3);
  run();
  ASSERT_TRUE(d->value);
  EXPECT_FALSE(d->value->spooled);
  EXPECT_EQ(ctx.status->overall(), health::ok);
}

TEST_F(storage_writer_spool_test,
       that_the_store_is_gone_is_seen_without_events) {
  start_all(options);
  append(1);
  run();
  EXPECT_EQ(ctx.status->overall(), health::ok);
  go_down();
  advance(milliseconds{6'000});
  EXPECT_EQ(ctx.status->overall(), health::degraded);
  EXPECT_NE(ctx.figures->text().find("eventweft_store_up 0"),
            std::string::npos);
  come_back();
  advance(milliseconds{2'000});
  EXPECT_EQ(ctx.status->overall(), health::ok);
  auto next = append(2);
  run();
  ASSERT_TRUE(next->value);
  EXPECT_FALSE(next->value->spooled);
}

TEST_F(storage_writer_spool_test, full_disk_that_can_be_read_is_not_back) {
  spooled->max_events = 0;
  start_all(options);
  log->full = error{ec::store_full, "the disk is full"};
  append(1);
  run();
  advance(milliseconds{1'000});
  EXPECT_EQ(ctx.status->overall(), health::degraded);
  for (int i = 2; i < 40; ++i) {
    auto refused = append(i);
    run();
    ASSERT_TRUE(refused->failed);
    EXPECT_EQ(refused->failed->code, ec::store_full);
    EXPECT_NE(ctx.status->overall(), health::ok) << i;
    advance(milliseconds{100});
    EXPECT_NE(ctx.status->overall(), health::ok) << i;
  }
  log->full.reset();
  advance(milliseconds{2'000});
  // Who looks at readiness still sends events, and they are what tells.
  EXPECT_EQ(ctx.status->overall(), health::degraded);
  auto stored = append(40);
  run();
  ASSERT_TRUE(stored->value);
  EXPECT_FALSE(stored->value->spooled);
  EXPECT_EQ(ctx.status->overall(), health::ok);
}

// With a full disk, the store is tried again and again, and the spool with it.
TEST_F(storage_writer_spool_test, a_spool_without_room_is_told_of_once) {
  auto out = std::make_shared<std::ostringstream>();
  ctx.log = std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(*out));
  const auto times = [&out](std::string_view text) {
    const auto said = out->str();
    int n = 0;
    for (size_t at = 0; (at = said.find(text, at)) != std::string::npos; ++at)
      ++n;
    return n;
  };
  spooled->max_events = 0;
  start_all(options);
  log->full = error{ec::store_full, "the disk is full"};
  for (int i = 1; i < 20; ++i) {
    append(i);
    advance(milliseconds{500});
  }
  EXPECT_EQ(times("the spool takes no more events"), 1) << out->str();
  spooled->max_events = 100;
  append(20);
  advance(milliseconds{500});
  EXPECT_EQ(times("the spool has room again"), 1) << out->str();
  log->full.reset();
  advance(milliseconds{5'000});
  EXPECT_EQ(ctx.status->overall(), health::ok);
  // Another time is another story.
  spooled->max_events = 0;
  log->full = error{ec::store_full, "the disk is full"};
  append(21);
  run();
  EXPECT_EQ(times("the spool takes no more events"), 2) << out->str();
}

TEST_F(storage_writer_spool_test,
       pauses_between_attempts_double_up_to_the_limit) {
  // Without others that would take the failures meant for the writer.
  start_write_worker();
  start_spool_worker();
  start_writer(options);
  run();
  go_down();
  append(1);
  run();
  std::vector<int64_t> gaps;
  auto since = time->now();
  while (gaps.size() < 7) {
    // A failure each: the next attempt takes it and the store is down again.
    log->down_for = 1;
    while (log->down)
      advance(milliseconds{5});
    gaps.push_back((time->now() - since).count() / 1'000);
    since = time->now();
    go_down();
  }
  std::vector<int64_t> full{100, 200, 400, 800, 800, 800, 800};
  for (size_t i = 0; i < gaps.size(); ++i) {
    EXPECT_GE(gaps[i], full[i] / 2) << i;
    EXPECT_LE(gaps[i], full[i] + 5) << i;
  }
}

TEST_F(storage_writer_spool_test, retry_on_demand_does_not_wait) {
  start_all(options);
  go_down();
  append(1);
  run();
  come_back();
  tell_anon(ctx.peers->writer.get(), retry_atom_v);
  run();
  EXPECT_EQ(log->head(), 1);
}

TEST_F(storage_writer_spool_test, what_is_spooled_at_start_comes_first) {
  spooled->events = {event_ptr{make_event(1)}, event_ptr{make_event(2)}};
  start_write_worker();
  start_reader();
  start_spool_worker();
  start_hub();
  start_writer(options);
  auto c = append(3);
  advance(milliseconds{500});
  ASSERT_TRUE(c->value);
  EXPECT_EQ(stored(), (std::vector<std::string>{"delivery-1", "delivery-2",
                                                "delivery-3"}));
}

TEST_F(storage_writer_spool_test,
       redelivery_of_what_was_spooled_before_a_restart_is_a_duplicate) {
  const auto first = make_event(1);
  spooled->events = {event_ptr{first}};
  go_down();
  start_all(options);
  auto again = first;
  again.id.bytes[0] = 77;
  auto outcome = append(again);
  run();
  ASSERT_TRUE(outcome->value);
  EXPECT_TRUE(outcome->value->duplicate);
  EXPECT_EQ(outcome->value->id, first.id);
  EXPECT_EQ(spooled->events.size(), 1u);
}

TEST_F(storage_writer_spool_test, broken_spool_does_not_stop_the_store) {
  spooled->events = {event_ptr{make_event(1)}};
  spooled->down = error{ec::conflict, "another process has it"};
  start_all(options);
  auto a = append(2);
  run();
  ASSERT_TRUE(a->value);
  EXPECT_EQ(a->value->seq, 1);
  EXPECT_EQ(ctx.status->overall(), health::down);
  // Once it can be read, what it holds is stored after all.
  spooled->down.reset();
  advance(milliseconds{2'000});
  EXPECT_EQ(stored(), (std::vector<std::string>{"delivery-2", "delivery-1"}));
  EXPECT_EQ(ctx.status->overall(), health::ok);
}

TEST_F(storage_writer_spool_test,
       refused_rows_from_the_spool_become_dead_letters) {
  log->refused.insert("delivery-2");
  start_all(options);
  go_down();
  for (int i = 1; i <= 3; ++i)
    append(i);
  run();
  come_back();
  advance(milliseconds{1'000});
  EXPECT_EQ(stored(), (std::vector<std::string>{"delivery-1", "delivery-3"}));
  ASSERT_EQ(log->letters.size(), 1u);
  EXPECT_EQ(log->letters[0].origin, "spool");
  EXPECT_EQ(log->letters[0].event_id, make_event(2).id);
  // Not one for each try to store it.
  EXPECT_EQ(log->letters[0].id, make_event(2).id);
  EXPECT_NE(log->letters[0].body.find("delivery-2"), std::string::npos);
  EXPECT_TRUE(spooled->events.empty());
}

TEST_F(storage_writer_spool_test, poison_in_the_spool_does_not_block_it) {
  log->poison.insert("delivery-2");
  start_all(options);
  go_down();
  for (int i = 1; i <= 4; ++i)
    append(i);
  run();
  come_back();
  advance(milliseconds{2'000});
  EXPECT_EQ(stored(), (std::vector<std::string>{"delivery-1", "delivery-3",
                                                "delivery-4"}));
  EXPECT_EQ(log->letters.size(), 1u);
}

TEST_F(storage_writer_spool_test, an_event_that_the_store_never_ends_with) {
  log->endless = {"delivery-2", "delivery-3"};
  options.batch_max_events = 3;
  start_all(options);
  for (int i = 1; i <= 9; ++i)
    append(i);
  run();
  advance(milliseconds{60'000});
  auto all = stored();
  std::ranges::sort(all);
  EXPECT_EQ(all, (std::vector<std::string>{
                     "delivery-1", "delivery-4", "delivery-5", "delivery-6",
                     "delivery-7", "delivery-8", "delivery-9"}))
      << "each once";
  ASSERT_EQ(log->letters.size(), 2u);
  EXPECT_EQ(log->letters[0].event_id, make_event(2).id);
  EXPECT_EQ(log->letters[1].event_id, make_event(3).id);
  EXPECT_NE(log->letters[0].reason.find("takes too long"), std::string::npos);
  EXPECT_TRUE(spooled->events.empty());
  EXPECT_EQ(ctx.status->overall(), health::ok);
  const auto next = append(10);
  run();
  ASSERT_TRUE(next->value);
  EXPECT_FALSE(next->value->spooled);
}

TEST_F(storage_writer_spool_test, one_that_was_given_up_takes_no_other_along) {
  log->endless = {"delivery-1"};
  start_all(options);
  for (int i = 1; i <= 4; ++i)
    append(i);
  run();
  advance(milliseconds{60'000});
  ASSERT_EQ(log->letters.size(), 1u);
  // It comes back as it was, and the store is away for a moment.
  go_down();
  for (const int i : {1, 5, 6})
    append(i);
  run();
  log->endless.clear();
  log->full = error{ec::store_unavailable, "a moment"};
  come_back();
  advance(milliseconds{300});
  log->full.reset();
  advance(milliseconds{10'000});
  auto all = stored();
  std::ranges::sort(all);
  EXPECT_EQ(all, (std::vector<std::string>{"delivery-1", "delivery-2",
                                           "delivery-3", "delivery-4",
                                           "delivery-5", "delivery-6"}));
  EXPECT_EQ(log->letters.size(), 1u);
}

TEST_F(storage_writer_spool_test, a_proof_that_is_not_wanted_any_more) {
  start_all(options);
  log->full = error{ec::store_unavailable, "a standby"};
  append(1);
  run();
  advance(milliseconds{10'000});
  log->full.reset();
  advance(milliseconds{10'000});
  EXPECT_EQ(stored(), std::vector<std::string>{"delivery-1"});
  // A batch that fails as one is taken apart.
  go_down();
  log->poison = {"delivery-3"};
  for (int i = 2; i <= 4; ++i)
    append(i);
  run();
  come_back();
  advance(milliseconds{10'000});
  EXPECT_EQ(stored(), (std::vector<std::string>{"delivery-1", "delivery-2",
                                                "delivery-4"}));
  EXPECT_EQ(log->letters.size(), 1u);
}

TEST_F(storage_writer_spool_test, batches_of_one_are_no_hindrance) {
  options.batch_max_events = 1;
  log->endless = {"delivery-1"};
  start_all(options);
  for (int i = 1; i <= 4; ++i)
    append(i);
  run();
  advance(milliseconds{60'000});
  EXPECT_EQ(log->head(), 3);
  EXPECT_EQ(log->letters.size(), 1u);
}

TEST_F(storage_writer_spool_test, a_store_that_takes_none_blames_no_event) {
  log->full = error{ec::store_unavailable, "it takes too long"};
  start_all(options);
  std::vector<std::string> expected;
  for (int i = 1; i <= 9; ++i) {
    append(i);
    expected.push_back("delivery-" + std::to_string(i));
  }
  run();
  advance(milliseconds{600'000});
  EXPECT_TRUE(log->letters.empty());
  EXPECT_EQ(ctx.status->overall(), health::degraded);
  log->full.reset();
  advance(milliseconds{2'000});
  EXPECT_EQ(stored(), expected);
  EXPECT_TRUE(log->letters.empty());
  EXPECT_EQ(ctx.status->overall(), health::ok);
}

TEST_F(storage_writer_spool_test, store_that_goes_away_while_draining) {
  options.batch_max_events = 3;
  start_all(options);
  go_down();
  for (int i = 0; i < 30; ++i)
    append(i);
  run();
  come_back();
  time->advance(milliseconds{200});
  sched.advance_time(milliseconds{200});
  for (int i = 0; i < 12; ++i)
    sched.try_run_once();
  go_down();
  auto during = append(30);
  run();
  EXPECT_TRUE(during->value && during->value->spooled);
  come_back();
  advance(milliseconds{2'000});
  auto all = stored();
  ASSERT_EQ(all.size(), 31u);
  for (int i = 0; i < 31; ++i)
    EXPECT_EQ(all[static_cast<size_t>(i)], "delivery-" + std::to_string(i));
}

TEST_F(storage_writer_spool_test, crashed_writer_finds_its_spool_again) {
  start_all(options);
  go_down();
  auto a = append(1);
  run();
  ASSERT_TRUE(a->value && a->value->spooled);
  crash(ctx.peers->writer.get());
  run();
  come_back();
  start_writer(options);
  auto b = append(2);
  advance(milliseconds{500});
  EXPECT_TRUE(b->value);
  EXPECT_EQ(stored(), (std::vector<std::string>{"delivery-1", "delivery-2"}));
}

TEST_F(storage_writer_spool_test, drained_events_reach_live_readers) {
  start_all(options);
  auto s = subscribe(1);
  next(s, 1);
  run();
  go_down();
  for (int i = 0; i < 5; ++i)
    append(i);
  run();
  EXPECT_TRUE(lane->readers[1].seen.empty());
  come_back();
  advance(milliseconds{1'000});
  EXPECT_EQ(lane->readers[1].seen, (std::vector<seq_t>{1, 2, 3, 4, 5}));
}

} // namespace

} // namespace eventweft
