// SPDX-License-Identifier: Apache-2.0
#include "actors/log_follower.hpp"
#include "actors/outgoing/delivery_recorder.hpp"
#include "actors/outgoing/delivery_sender.hpp"
#include "actors/outgoing/subscription_worker.hpp"
#include "delivery/signature.hpp"
#include "tests/support/memory_subscriptions.hpp"
#include "tests/support/scripted_poster.hpp"
#include "tests/support/spine.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

namespace eventweft::testing {
namespace {

using namespace std::chrono_literals;

/// Says who owns what as the test has it.
class moving_ownership final : public ownership {
 public:
  int64_t token = 1;
  bool mine = true;

  std::optional<fence> held(const std::string& work) override {
    return mine ? std::optional{fence{work, token}} : std::nullopt;
  }
  std::string holder(const std::string&) const override {
    return "b (10.0.0.2:8080)";
  }
  std::shared_ptr<void> on_change(std::function<void()>) override {
    return nullptr;
  }
};

class delivery_sender_test : public spine {
 protected:
  void SetUp() override {
    ctx.followers = make_follower_lane();
    ctx.owner = owner;
    ctx.peers->askers.set(0, keep(spawn_asker(system)));
    start_all();
    start_worker();
    start_recorder();
    s.id = uuid::v7(time->now(), *ctx.random);
    s.stream = "all_events";
    s.url = "https://hooks.example/in";
    s.secrets = {delivery::signing_key::make_symmetric(*ctx.random).text()};
    options.queue.schedule.jitter = 0;
  }

  void TearDown() override {
    poster->forget();
    spine::TearDown();
  }

  void start_worker() {
    ctx.peers->subscription_worker.set(keep(spawn_subscription_worker(
        system, std::make_unique<memory_subscriptions>(tables),
        worker_thread::shared)));
  }

  void start_recorder() {
    ctx.peers->delivery_recorder.set(
        keep(spawn_delivery_recorder(system, ctx, {})));
  }

  void start() {
    tables->subscriptions.try_emplace(s.id, subscription_record{s, {}});
    sender = keep(spawn_delivery_sender(system, ctx, {poster, board}, options,
                                        {s, stream_filter}));
    run();
  }

  /// As if the process had been killed: nothing is saved any more.
  void kill_sender() {
    end_actor(sender, caf::exit_reason::kill);
    poster->forget();
    run();
  }

  void append_many(int first, int last) {
    for (int i = first; i <= last; ++i)
      append(i);
    settle();
  }

  /// Until what needs no time of its own is done.
  void settle() { advance(50ms); }

  /// Lets long stretches of time pass.
  void leap(std::chrono::milliseconds by) {
    settle();
    while (by.count() > 0) {
      const auto step = std::min<std::chrono::milliseconds>(by, 1s);
      time->advance(step);
      sched.advance_time(step);
      run();
      by -= step;
    }
    settle();
  }

  subscription_figures shown() const {
    return board->of(s.id, ctx.figures->head(), time->now());
  }

  std::vector<seq_t> posted() const {
    std::vector<seq_t> out;
    for (const auto& c : poster->calls) {
      const auto body = std::string{c.what.body.view()};
      const auto at = body.find("\"seq\":");
      out.push_back(std::stoll(body.substr(at + 6)));
    }
    return out;
  }

  static std::vector<seq_t> from_to(seq_t first, seq_t last) {
    std::vector<seq_t> out(static_cast<size_t>(last - first + 1));
    std::iota(out.begin(), out.end(), first);
    return out;
  }

  subscription_progress progress() const {
    return tables->subscriptions.at(s.id).progress;
  }

  /// Its successor takes its place a little later.
  template <class Slot, class Start>
  void dies_and_loses_nothing(Slot& slot, Start start_successor) {
    append_many(1, 2);
    const auto old = slot.get();
    slot.set({});
    crash(old);
    settle();
    append_many(3, 4);
    start_successor();
    leap(30s);
    append_many(5, 5);
    leap(30s);
    EXPECT_EQ(posted(), from_to(1, 5));
    EXPECT_EQ(tables->delivered(), from_to(1, 5));
    EXPECT_EQ(progress().done_until, 5);
  }

  std::shared_ptr<memory_tables> tables = std::make_shared<memory_tables>();
  std::shared_ptr<scripted_poster> poster =
      std::make_shared<scripted_poster>(time);
  std::shared_ptr<delivery_board> board = std::make_shared<delivery_board>();
  std::shared_ptr<moving_ownership> owner =
      std::make_shared<moving_ownership>();
  delivery_sender_options options;
  subscription s;
  filter stream_filter;
  delivery_sender_actor sender;
};

TEST_F(delivery_sender_test, delivers_what_comes_signed_and_writes_it_down) {
  start();
  append_many(1, 3);
  EXPECT_EQ(posted(), from_to(1, 3));
  EXPECT_EQ(tables->delivered(), from_to(1, 3));
  EXPECT_EQ(progress().done_until, 3);
  EXPECT_EQ(progress().delivered, 3);
  EXPECT_EQ(progress().last_seq, 3);
  const auto id = poster->header(0, "webhook-id");
  EXPECT_EQ(id, delivery::message_id(log->events()[0]->id, to_string(s.id)));
  const auto key = delivery::signing_key::parse(s.secrets[0]);
  const auto at = std::stoll(poster->header(0, "webhook-timestamp"));
  EXPECT_EQ(poster->header(0, "webhook-signature"),
            key->sign(id, at, poster->calls[0].what.body.view()));
  EXPECT_EQ(shown().state, "delivering");
}

TEST_F(delivery_sender_test, the_death_of_who_writes_it_down_loses_nothing) {
  start();
  dies_and_loses_nothing(ctx.peers->delivery_recorder,
                         [this] { start_recorder(); });
}

TEST_F(delivery_sender_test, the_death_of_the_stores_worker_loses_nothing) {
  start();
  dies_and_loses_nothing(ctx.peers->subscription_worker,
                         [this] { start_worker(); });
}

TEST_F(delivery_sender_test, only_what_both_filters_let_through) {
  s.filter.event_types = {"push"};
  tables->subscriptions.try_emplace(s.id, subscription_record{s, {}});
  filter of_stream;
  of_stream.platforms = {"github"};
  sender = keep(spawn_delivery_sender(system, ctx, {poster, board}, options,
                                      {s, of_stream}));
  append(make_event(1, "github", "push"));
  append(make_event(2, "linear", "push"));
  append(make_event(3, "github", "issues"));
  append(make_event(4, "github", "push"));
  settle();
  EXPECT_EQ(posted(), (std::vector<seq_t>{1, 4}));
}

TEST_F(delivery_sender_test, what_it_does_not_want_is_no_lag) {
  s.filter.platforms = {"nobody"};
  start();
  append_many(1, 37);
  tell_anon(sender, tick_atom_v);
  settle();
  EXPECT_EQ(shown().lag_events, 0);
  EXPECT_EQ(shown().cursor, 37);
  EXPECT_EQ(progress().done_until, 0) << "not with every event";
  leap(5s);
  EXPECT_EQ(progress().done_until, 37);
  const auto saves = tables->saves;
  leap(10min);
  EXPECT_EQ(tables->saves, saves) << "nothing changed";
  // The next one begins there.
  kill_sender();
  start();
  EXPECT_EQ(shown().lag_events, 0);
  EXPECT_EQ(shown().lag_seconds, 0);
}

TEST_F(delivery_sender_test, a_clean_end_keeps_how_far_it_looked) {
  s.filter.platforms = {"nobody"};
  start();
  append_many(1, 5);
  auto flushed = request<void>(sender, flush_atom_v);
  settle();
  EXPECT_TRUE(flushed->value);
  EXPECT_EQ(progress().done_until, 5);
}

TEST_F(delivery_sender_test, tries_again_as_scheduled_then_gives_up) {
  poster->status = [](const auto&) { return 500; };
  options.queue.breaker.failures_to_open = 1'000;
  start();
  append_many(1, 1);
  leap(std::chrono::hours{90});
  ASSERT_EQ(poster->calls.size(), 10u);
  const std::vector<std::chrono::seconds> pauses{
      5s, 300s, 1'800s, 7'200s, 18'000s, 36'000s, 50'400s, 72'000s, 86'400s};
  for (size_t i = 0; i < pauses.size(); ++i) {
    const auto gap = poster->calls[i + 1].at - poster->calls[i].at;
    EXPECT_GE(gap, pauses[i]) << i;
    EXPECT_LE(gap, pauses[i] + 2s) << i;
  }
  ASSERT_EQ(tables->attempts.size(), 10u);
  for (size_t i = 0; i < 10; ++i) {
    const auto& a = tables->attempts[i];
    EXPECT_EQ(a.attempt, i + 1);
    EXPECT_EQ(a.response_status, 500);
    EXPECT_EQ(a.response_body, "said 500");
    EXPECT_EQ(a.status, i == 9 ? delivery_attempt::state::failed
                               : delivery_attempt::state::pending);
    EXPECT_EQ(a.next_attempt_at.has_value(), i != 9);
  }
  ASSERT_EQ(log->letters.size(), 1u);
  const auto& letter = log->letters[0];
  EXPECT_EQ(letter.origin, "subscription:" + to_string(s.id));
  EXPECT_EQ(letter.event_seq, 1);
  EXPECT_EQ(letter.attempts, 10u);
  EXPECT_EQ(letter.history.size(), 10u);
  EXPECT_EQ(letter.reason, "answered 500");
  EXPECT_EQ(progress().done_until, 1);
  EXPECT_EQ(progress().given_up, 1);
  // The webhook-id stays the same.
  EXPECT_EQ(poster->header(0, "webhook-id"), poster->header(9, "webhook-id"));
}

TEST_F(delivery_sender_test, a_dead_letter_tells_of_attempts_before_a_kill) {
  int status = 500;
  poster->status = [&status](const auto&) { return status++; };
  options.queue.schedule.pauses = {10s, 10s};
  options.queue.breaker.failures_to_open = 1'000;
  start();
  append_many(1, 1);
  leap(12s);
  ASSERT_EQ(tables->attempts.size(), 2u);
  kill_sender();
  start();
  leap(12s);
  ASSERT_EQ(log->letters.size(), 1u);
  EXPECT_EQ(log->letters[0].attempts, 3u);
  std::vector<std::string> errors;
  for (const auto& one : log->letters[0].history)
    errors.push_back(one.error);
  EXPECT_EQ(errors, (std::vector<std::string>{"answered 500", "answered 501",
                                              "answered 502"}));
}

TEST_F(delivery_sender_test, what_waited_too_long_has_a_last_row_that_says_so) {
  poster->status = [](const auto&) { return 500; };
  options.queue.schedule.max_age = 2s;
  options.queue.breaker.failures_to_open = 1;
  s.max_concurrent = 1;
  start();
  append_many(1, 2);
  leap(10s);
  ASSERT_EQ(poster->calls.size(), 1u);
  EXPECT_EQ(log->letters.size(), 2u);
  EXPECT_EQ(progress().given_up, 2);
  EXPECT_EQ(progress().failed, 1);
  EXPECT_EQ(progress().done_until, 2);
  std::map<seq_t, std::vector<delivery_attempt>> rows;
  for (const auto& a : tables->attempts)
    rows[a.event_seq].push_back(a);
  ASSERT_EQ(rows[1].size(), 2u);
  EXPECT_EQ(rows[1][0].status, delivery_attempt::state::pending);
  ASSERT_EQ(rows[2].size(), 1u);
  for (const auto& last : {rows[1].back(), rows[2].back()}) {
    EXPECT_EQ(last.status, delivery_attempt::state::failed);
    EXPECT_EQ(last.error_message, "it waited too long for an attempt");
    EXPECT_EQ(last.response_status, 0);
    EXPECT_FALSE(last.next_attempt_at);
  }
  EXPECT_EQ(rows[1].back().attempt, 2u);
  EXPECT_GT(rows[1].back().id, rows[1].front().id);
  EXPECT_EQ(rows[2].back().attempt, 1u);
  EXPECT_EQ(rows[2].back().event_id, log->events()[1]->id);
}

TEST_F(delivery_sender_test, honours_retry_after) {
  poster->headers = {{"Retry-After", "120"}};
  poster->status = [this](const auto&) {
    return poster->calls.size() == 1 ? 429 : 200;
  };
  start();
  append_many(1, 1);
  leap(115s);
  EXPECT_EQ(poster->calls.size(), 1u);
  leap(10s);
  EXPECT_EQ(poster->calls.size(), 2u);
  EXPECT_EQ(tables->delivered(), from_to(1, 1));
}

TEST_F(delivery_sender_test, its_successor_leaves_the_endpoint_in_peace) {
  poster->headers = {{"Retry-After", "120"}};
  poster->status = [](const auto&) { return 503; };
  start();
  append_many(1, 1);
  kill_sender();
  poster->status = [](const auto&) { return 200; };
  start();
  append_many(2, 2);
  leap(110s);
  EXPECT_EQ(posted(), from_to(1, 1));
  leap(15s);
  EXPECT_EQ(posted().size(), 3u);
  EXPECT_EQ(progress().done_until, 2);
}

TEST_F(delivery_sender_test, what_was_changed_meanwhile_owes_no_pause) {
  poster->headers = {{"Retry-After", "120"}};
  poster->status = [](const auto&) { return 503; };
  start();
  append_many(1, 1);
  kill_sender();
  poster->status = [](const auto&) { return 200; };
  s.url = "https://other.example/in";
  ++s.version;
  tables->subscriptions.at(s.id).what = s;
  start();
  append_many(2, 2);
  EXPECT_EQ(posted(), from_to(1, 2));
}

TEST_F(delivery_sender_test, ordered_is_one_at_a_time_in_order) {
  s.ordered = true;
  poster->status = [](const auto&) { return 0; };
  start();
  append_many(1, 3);
  ASSERT_EQ(posted(), from_to(1, 1));
  poster->answer_one(500);
  settle();
  EXPECT_EQ(posted(), from_to(1, 1));
  leap(6s);
  ASSERT_EQ(posted(), (std::vector<seq_t>{1, 1}));
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(poster->held(), 1u);
    poster->answer_one(200);
    settle();
  }
  EXPECT_EQ(posted(), (std::vector<seq_t>{1, 1, 2, 3}));
  EXPECT_EQ(tables->delivered(), from_to(1, 3));
}

TEST_F(delivery_sender_test, other_limits_send_nothing_twice) {
  s.ordered = true;
  poster->status = [](const auto&) { return 0; };
  start();
  append_many(1, 3);
  ASSERT_EQ(posted(), from_to(1, 1));
  auto changed = s;
  changed.max_concurrent = 3;
  changed.rate_per_second = 100;
  tell_anon(sender, put_atom_v, delivery_order{changed, filter{}});
  settle();
  EXPECT_EQ(posted(), from_to(1, 1));
  changed.ordered = false;
  tell_anon(sender, put_atom_v, delivery_order{changed, filter{}});
  settle();
  EXPECT_EQ(posted(), from_to(1, 3));
  tell_anon(sender, put_atom_v, delivery_order{s, filter{}});
  append_many(4, 5);
  EXPECT_EQ(posted(), from_to(1, 3)) << "what is under way comes first";
  while (poster->held() > 0) {
    poster->answer_one(200);
    settle();
  }
  EXPECT_EQ(posted(), from_to(1, 5));
  EXPECT_EQ(tables->delivered(), from_to(1, 5));
}

TEST_F(delivery_sender_test, an_end_counts_for_its_own_request_only) {
  s.ordered = true;
  poster->status = [](const auto&) { return 0; };
  start();
  append_many(1, 2);
  // Gone to another node and back.
  owner->mine = false;
  tell_anon(sender, tick_atom_v);
  settle();
  owner->mine = true;
  ++owner->token;
  tell_anon(sender, tick_atom_v);
  settle();
  ASSERT_EQ(posted(), (std::vector<seq_t>{1, 1}));
  poster->answer_one(200);
  settle();
  EXPECT_EQ(posted(), (std::vector<seq_t>{1, 1})) << "2 waits for the second";
  poster->answer_one(200);
  settle();
  EXPECT_EQ(posted(), (std::vector<seq_t>{1, 1, 2}));
}

TEST_F(delivery_sender_test, no_more_at_once_than_allowed) {
  s.max_concurrent = 2;
  poster->status = [](const auto&) { return 0; };
  start();
  append_many(1, 10);
  EXPECT_EQ(poster->held(), 2u);
  while (poster->held() != 0) {
    poster->answer_one(200);
    settle();
  }
  EXPECT_EQ(poster->most_at_once, 2u);
  EXPECT_EQ(tables->delivered(), from_to(1, 10));
}

TEST_F(delivery_sender_test, no_faster_than_allowed) {
  s.rate_per_second = 2;
  start();
  append_many(1, 10);
  const auto first = poster->calls.front().at;
  leap(10s);
  ASSERT_EQ(poster->calls.size(), 10u);
  EXPECT_GE(poster->calls.back().at - first, 3'900ms);
  for (size_t i = 0; i + 2 < poster->calls.size(); ++i)
    EXPECT_GE(poster->calls[i + 2].at - poster->calls[i].at, 1s) << i;
}

TEST_F(delivery_sender_test, goes_on_where_it_was_after_a_kill) {
  poster->status = [](const auto& c) {
    const auto body = c.what.body.view();
    return body.find("\"seq\":2,") != body.npos ? 500 : 200;
  };
  start();
  append_many(1, 4);
  EXPECT_EQ(progress().done_until, 1);
  kill_sender();
  append_many(5, 6);
  poster->calls.clear();
  poster->status = [](const auto&) { return 200; };
  start();
  settle();
  EXPECT_EQ(posted(), from_to(5, 6));
  leap(10s);
  EXPECT_EQ(posted(), (std::vector<seq_t>{5, 6, 2}));
  EXPECT_EQ(tables->attempts.back().attempt, 2u);
  EXPECT_EQ(progress().done_until, 6);
}

TEST_F(delivery_sender_test, what_was_under_way_is_repeated_after_a_kill) {
  poster->status = [](const auto&) { return 0; };
  start();
  append_many(1, 3);
  EXPECT_EQ(poster->held(), 3u);
  kill_sender();
  poster->status = [](const auto&) { return 200; };
  start();
  settle();
  EXPECT_EQ(tables->delivered(), from_to(1, 3));
}

TEST_F(delivery_sender_test, a_killed_one_at_any_moment_loses_nothing) {
  seeded_random dice{7};
  poster->status = [&](const auto&) {
    return dice.next() % 3 == 0 ? 500 : 200;
  };
  options.queue.breaker.failures_to_open = 1'000;
  start();
  int made = 0;
  for (int round = 0; round < 60; ++round) {
    const int more = static_cast<int>(dice.next() % 4);
    for (int i = 0; i < more; ++i)
      append(++made);
    const auto steps = dice.next() % 40;
    for (uint64_t i = 0; i < steps; ++i)
      sched.try_run_once();
    if (dice.next() % 2 == 0)
      advance(std::chrono::milliseconds{dice.next() % 300});
    kill_sender();
    start();
  }
  leap(std::chrono::hours{30});
  auto seen = tables->delivered();
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  EXPECT_EQ(seen, from_to(1, made));
  EXPECT_EQ(progress().done_until, made);
}

TEST_F(delivery_sender_test, gone_switches_it_off_and_keeps_its_place) {
  poster->status = [](const auto&) { return 410; };
  start();
  append_many(1, 1);
  const auto& r = tables->subscriptions.at(s.id);
  EXPECT_FALSE(r.what.active);
  EXPECT_EQ(r.what.disabled_reason, "answered 410");
  EXPECT_EQ(shown().state, "disabled");
  append_many(2, 3);
  leap(1h);
  EXPECT_EQ(poster->calls.size(), 1u);
  // Somebody enables it again.
  poster->status = [](const auto&) { return 200; };
  s.version = r.what.version + 1;
  tables->subscriptions.at(s.id).what = s;
  tell_anon(sender, put_atom_v, delivery_order{s, filter{}});
  settle();
  EXPECT_EQ(tables->delivered().size(), 3u);
}

TEST_F(delivery_sender_test, an_order_from_before_it_was_gone_changes_nothing) {
  poster->status = [](const auto&) { return 410; };
  start();
  append_many(1, 2);
  const auto calls = poster->calls.size();
  // Its stream was changed meanwhile, or it was read when it was made.
  filter of_stream;
  of_stream.platforms = {"github"};
  for (const auto& f : {filter{}, of_stream}) {
    tell_anon(sender, put_atom_v, delivery_order{s, f});
    append_many(3, 4);
    leap(1min);
    EXPECT_EQ(shown().state, "disabled");
    EXPECT_EQ(poster->calls.size(), calls);
  }
  // Nor once that is written.
  tell_anon(sender, put_atom_v,
            delivery_order{tables->subscriptions.at(s.id).what, filter{}});
  tell_anon(sender, put_atom_v, delivery_order{s, filter{}});
  leap(1min);
  EXPECT_EQ(shown().state, "disabled");
  EXPECT_EQ(tables->subscriptions.at(s.id).what.disabled_reason,
            "answered 410");
}

TEST_F(delivery_sender_test, others_hear_that_it_is_off_once_that_is_written) {
  std::vector<control_event> heard;
  const auto guard = ctx.control->subscribe(
      control_kind::subscriptions, [&](const control_event& e) {
        EXPECT_FALSE(tables->subscriptions.at(s.id).what.active);
        heard.push_back(e);
      });
  poster->status = [](const auto&) { return 410; };
  start();
  tables->down = error{ec::store_unavailable, "away"};
  append_many(1, 1);
  EXPECT_EQ(shown().state, "disabled");
  EXPECT_TRUE(heard.empty());
  tables->down.reset();
  leap(30s);
  EXPECT_EQ(heard, (std::vector<control_event>{
                       {control_kind::subscriptions, to_string(s.id)}}));
}

TEST_F(delivery_sender_test, enabling_it_is_not_undone_by_an_older_report) {
  poster->status = [](const auto&) { return 410; };
  start();
  tables->down = error{ec::store_unavailable, "away"};
  append_many(1, 1);
  ASSERT_EQ(shown().state, "disabled");
  // Somebody changes it before that could be written.
  poster->status = [](const auto&) { return 200; };
  tables->down.reset();
  ++s.version;
  tables->subscriptions.at(s.id).what = s;
  tell_anon(sender, put_atom_v, delivery_order{s, filter{}});
  leap(30s);
  EXPECT_TRUE(tables->subscriptions.at(s.id).what.active);
  EXPECT_EQ(tables->delivered(), from_to(1, 1));
  EXPECT_EQ(shown().state, "delivering");
}

TEST_F(delivery_sender_test, pausing_stops_and_resuming_goes_on) {
  start();
  append_many(1, 1);
  auto paused = s;
  paused.active = false;
  tell_anon(sender, put_atom_v, delivery_order{paused, filter{}});
  append_many(2, 3);
  leap(1min);
  EXPECT_EQ(posted(), from_to(1, 1));
  EXPECT_EQ(shown().state, "paused");
  EXPECT_EQ(shown().lag_events, 2);
  const auto behind = shown().lag_seconds;
  leap(1min);
  EXPECT_GE(shown().lag_seconds, behind + 59) << "nothing woke the sender";
  tell_anon(sender, put_atom_v, delivery_order{s, filter{}});
  settle();
  EXPECT_EQ(posted(), from_to(1, 3));
}

TEST_F(delivery_sender_test, a_dead_endpoint_costs_only_probes) {
  poster->status = [](const auto&) { return -1; };
  start();
  append_many(1, 200);
  leap(10min);
  // Five to find out, then 30 s, 60 s, 120 s, 240 s apart.
  EXPECT_LE(poster->calls.size(), 16u);
  EXPECT_NE(shown().breaker, "closed");
  EXPECT_EQ(shown().lag_events, 200);
  const auto behind = shown().lag_seconds;
  leap(20s);
  EXPECT_GE(shown().lag_seconds, behind + 19);
  poster->status = [](const auto&) { return 200; };
  leap(std::chrono::hours{3});
  EXPECT_EQ(tables->delivered().size(), 200u);
  EXPECT_EQ(shown().breaker, "closed");
}

TEST_F(delivery_sender_test, reads_no_further_than_it_has_room) {
  options.queue.max_unfinished = 5;
  poster->status = [](const auto&) { return 0; };
  start();
  append_many(1, 20);
  EXPECT_EQ(shown().open, 5);
  EXPECT_EQ(shown().cursor, 5);
  while (poster->held() != 0) {
    poster->answer_one(200);
    settle();
  }
  EXPECT_EQ(posted(), from_to(1, 20));
}

TEST_F(delivery_sender_test, events_that_are_not_in_memory_are_read) {
  options.cached_bytes = 0;
  start();
  append_many(1, 5);
  EXPECT_EQ(tables->delivered().size(), 5u);
}

TEST_F(delivery_sender_test, a_store_away_holds_nothing_back_for_ever) {
  start();
  append_many(1, 2);
  tables->down = error{ec::store_unavailable, "away"};
  append_many(3, 4);
  EXPECT_EQ(posted(), from_to(1, 4));
  EXPECT_EQ(progress().done_until, 2);
  tables->down.reset();
  leap(30s);
  EXPECT_EQ(progress().done_until, 4);
  EXPECT_EQ(tables->delivered(), from_to(1, 4));
}

TEST_F(delivery_sender_test, works_only_while_it_owns_the_subscription) {
  owner->mine = false;
  start();
  append_many(1, 2);
  EXPECT_TRUE(poster->calls.empty());
  EXPECT_EQ(shown().state, "elsewhere");
  owner->mine = true;
  tell_anon(sender, tick_atom_v);
  settle();
  EXPECT_EQ(posted(), from_to(1, 2));
  owner->mine = false;
  tell_anon(sender, tick_atom_v);
  append_many(3, 3);
  EXPECT_EQ(posted(), from_to(1, 2));
}

// Others' changes come more often than a slow store answers.
TEST_F(delivery_sender_test, starts_however_often_it_is_told_to_look) {
  tables->subscriptions.try_emplace(s.id, subscription_record{s, {}});
  sender = keep(spawn_delivery_sender(system, ctx, {poster, board}, options,
                                      {s, filter{}}));
  for (int i = 0; i < 50; ++i) {
    // Another one comes between each question and its answer.
    tell_anon(sender, tick_atom_v);
    tell_anon(sender, tick_atom_v);
    for (int n = 0; n < 3; ++n)
      sched.try_run_once();
  }
  EXPECT_EQ(shown().state, "delivering");
}

// A drain, or a node that joins: the work moves while the fence still holds.
TEST_F(delivery_sender_test, what_is_delivered_is_written_when_the_work_moves) {
  start();
  tables->down = error{ec::store_unavailable, "away"};
  append_many(1, 2);
  EXPECT_EQ(posted(), from_to(1, 2));
  tables->down.reset();
  owner->mine = false;
  tell_anon(sender, tick_atom_v);
  run();
  EXPECT_EQ(progress().done_until, 2);
  EXPECT_EQ(tables->delivered(), from_to(1, 2));
  EXPECT_EQ(shown().state, "elsewhere");
}

TEST_F(delivery_sender_test, who_was_overtaken_stops_at_its_first_report) {
  start();
  append_many(1, 1);
  // Another node has taken over and delivered everything.
  tables->token = 2;
  auto& r = tables->subscriptions.at(s.id);
  r.progress = {};
  r.progress.done_until = 3;
  append_many(2, 2);
  EXPECT_EQ(progress().done_until, 3);
  EXPECT_EQ(shown().state, "elsewhere");
  owner->token = 2;
  tell_anon(sender, tick_atom_v);
  append_many(3, 4);
  EXPECT_EQ(posted(), (std::vector<seq_t>{1, 2, 4}));
}

TEST_F(delivery_sender_test, replays_what_matches) {
  start();
  append(make_event(1));
  append(make_event(2, "linear"));
  append(make_event(3));
  settle();
  poster->calls.clear();
  replay_request r;
  r.since = start_point::after(0);
  r.filter.platforms = {"github"};
  r.dry_run = true;
  auto counted = request<replay_answer>(sender, replay_atom_v, r);
  settle();
  ASSERT_TRUE(counted->value);
  EXPECT_EQ(counted->value->matched, 2);
  EXPECT_TRUE(poster->calls.empty());
  r.dry_run = false;
  auto started = request<replay_answer>(sender, replay_atom_v, r);
  settle();
  ASSERT_TRUE(started->value);
  EXPECT_EQ(started->value->until, 3);
  EXPECT_EQ(posted(), (std::vector<seq_t>{1, 3}));
  EXPECT_FALSE(shown().replaying);
  leap(5s);
  EXPECT_TRUE(progress().replay.empty());
}

TEST_F(delivery_sender_test, a_replay_survives_a_kill) {
  options.queue.max_unfinished = 5;
  start();
  append_many(1, 40);
  poster->calls.clear();
  poster->status = [](const auto&) { return 0; };
  replay_request r;
  r.since = start_point::after(0);
  request<replay_answer>(sender, replay_atom_v, r);
  leap(5s);
  EXPECT_EQ(poster->held(), 5u);
  kill_sender();
  poster->calls.clear();
  poster->status = [](const auto&) { return 200; };
  start();
  leap(30s);
  auto seen = posted();
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, from_to(1, 40));
}

TEST_F(delivery_sender_test, a_queue_can_tell_a_replay_from_a_retry) {
  s.type = subscription_type::nats;
  s.url = "nats://queue.example/hub.events";
  const auto header = [this](size_t call) {
    std::string out;
    for (const auto& [name, value] : poster->calls.at(call).what.headers)
      if (name == outgoing::replay_header)
        out = value;
    return out;
  };
  start();
  append_many(1, 1);
  ASSERT_EQ(poster->calls.size(), 1u);
  EXPECT_TRUE(header(0).empty());
  poster->status = [](const auto&) { return 500; };
  replay_request r;
  r.event_id = log->events()[0]->id;
  request<replay_answer>(sender, replay_atom_v, r);
  settle();
  ASSERT_EQ(poster->calls.size(), 2u);
  EXPECT_FALSE(header(1).empty());
  // It stays the same for what is tried again, also by the next process.
  kill_sender();
  poster->status = [](const auto&) { return 200; };
  start();
  leap(10s);
  ASSERT_EQ(poster->calls.size(), 3u);
  EXPECT_EQ(header(2), header(1));
  EXPECT_EQ(poster->header(2, "webhook-id"), poster->header(0, "webhook-id"));
  leap(1s);
  request<replay_answer>(sender, replay_atom_v, r);
  settle();
  ASSERT_EQ(poster->calls.size(), 4u);
  EXPECT_NE(header(3), header(1));
}

TEST_F(delivery_sender_test, replays_a_single_event) {
  start();
  append_many(1, 3);
  poster->calls.clear();
  replay_request r;
  r.event_id = log->events()[1]->id;
  auto done = request<replay_answer>(sender, replay_atom_v, r);
  settle();
  ASSERT_TRUE(done->value);
  EXPECT_EQ(posted(), from_to(2, 2));
  r.event_id = uuid{};
  r.event_id->bytes[3] = 9;
  auto none = request<replay_answer>(sender, replay_atom_v, r);
  settle();
  ASSERT_TRUE(none->failed);
  EXPECT_EQ(none->failed->code, ec::not_found);
}

TEST_F(delivery_sender_test, a_single_event_goes_through_the_filters_as_well) {
  s.filter.platforms = {"github"};
  stream_filter.event_types = {"push"};
  start();
  append(make_event(1, "linear"));
  append(make_event(2, "github", "issues"));
  append(make_event(3));
  settle();
  ASSERT_EQ(posted(), from_to(3, 3));
  const auto replay = [this](size_t which, bool dry) {
    replay_request r;
    r.event_id = log->events()[which]->id;
    r.dry_run = dry;
    auto answer = request<replay_answer>(sender, replay_atom_v, r);
    settle();
    return answer;
  };
  for (const size_t unwanted : {0u, 1u}) {
    auto counted = replay(unwanted, true);
    ASSERT_TRUE(counted->value);
    EXPECT_EQ(counted->value->matched, 0);
    auto refused = replay(unwanted, false);
    ASSERT_TRUE(refused->failed);
    EXPECT_EQ(refused->failed->code, ec::unprocessable);
  }
  auto counted = replay(2, true);
  ASSERT_TRUE(counted->value);
  EXPECT_EQ(counted->value->matched, 1);
  EXPECT_EQ(posted(), from_to(3, 3));
  ASSERT_TRUE(replay(2, false)->value);
  EXPECT_EQ(posted(), (std::vector<seq_t>{3, 3}));
}

TEST_F(delivery_sender_test, a_test_delivery_says_how_it_went) {
  start();
  auto good = request<delivery_test>(sender, test_atom_v);
  settle();
  ASSERT_TRUE(good->value);
  EXPECT_TRUE(good->value->delivered);
  EXPECT_EQ(good->value->response_body, "said 200");
  poster->status = [](const auto&) { return -1; };
  auto bad = request<delivery_test>(sender, test_atom_v);
  settle();
  ASSERT_TRUE(bad->value);
  EXPECT_FALSE(bad->value->delivered);
  EXPECT_EQ(bad->value->error_message, "connect: connection refused");
  EXPECT_TRUE(tables->attempts.empty());
}

TEST_F(delivery_sender_test, a_flush_waits_for_what_is_under_way) {
  poster->status = [](const auto&) { return 0; };
  start();
  append_many(1, 1);
  auto flushed = request<void>(sender, flush_atom_v);
  settle();
  EXPECT_TRUE(flushed->pending());
  append_many(2, 2);
  EXPECT_EQ(poster->calls.size(), 1u);
  poster->answer_one(200);
  settle();
  EXPECT_TRUE(flushed->value);
  EXPECT_EQ(progress().done_until, 1);
}

TEST_F(delivery_sender_test, a_dead_letter_waits_for_the_store) {
  options.queue.schedule.pauses = {1s};
  options.queue.breaker.failures_to_open = 1'000;
  poster->status = [](const auto&) { return 500; };
  start();
  append_many(1, 1);
  log->set_down(error{ec::store_unavailable, "away"});
  leap(5s);
  EXPECT_EQ(poster->calls.size(), 2u);
  EXPECT_TRUE(log->letters.empty());
  EXPECT_EQ(progress().done_until, 0);
  // Longer than anybody waits for an answer.
  leap(10min);
  log->set_down(std::nullopt);
  leap(3min);
  EXPECT_EQ(log->letters.size(), 1u);
  EXPECT_EQ(progress().done_until, 1);
}

TEST_F(delivery_sender_test, a_replay_of_what_waits_to_be_a_dead_letter) {
  options.queue.schedule.pauses = {1s};
  poster->status = [](const auto&) { return 500; };
  start();
  append_many(1, 1);
  ctx.peers->dead_letters.set({});
  leap(3s);
  EXPECT_EQ(progress().given_up, 1);
  poster->status = [](const auto&) { return 0; };
  replay_request r;
  r.event_id = log->events()[0]->id;
  auto replayed = request<replay_answer>(sender, replay_atom_v, r);
  settle();
  EXPECT_TRUE(replayed->value);
  EXPECT_EQ(poster->held(), 1u);
  const auto mark = delivery::parse_mark(progress().mark);
  ASSERT_TRUE(mark) << progress().mark;
  ASSERT_EQ(mark->open.size(), 1u);
  EXPECT_NE(mark->open[0].again, timestamp{});
  // Its letter does not end the replay.
  start_dead_letters();
  leap(10s);
  EXPECT_EQ(log->letters.size(), 1u);
  EXPECT_EQ(progress().done_until, 0);
  poster->answer_one(200);
  leap(3s);
  EXPECT_EQ(progress().done_until, 1);
}

TEST_F(delivery_sender_test, what_was_given_up_is_not_sent_after_a_change) {
  options.queue.schedule.pauses = {1s};
  poster->status = [](const auto&) { return 500; };
  start();
  append_many(1, 1);
  ctx.peers->dead_letters.set({});
  leap(3s);
  ASSERT_EQ(poster->calls.size(), 2u);
  auto changed = s;
  changed.max_concurrent = 3;
  tell_anon(sender, put_atom_v, delivery_order{changed, filter{}});
  leap(3s);
  EXPECT_EQ(poster->calls.size(), 2u);
  EXPECT_EQ(progress().done_until, 0);
  start_dead_letters();
  leap(10s);
  EXPECT_EQ(poster->calls.size(), 2u);
  EXPECT_EQ(log->letters.size(), 1u);
  EXPECT_EQ(progress().done_until, 1);
}

TEST_F(delivery_sender_test, a_dead_letter_that_the_store_refuses_is_let_go) {
  options.queue.schedule.pauses = {1s};
  poster->status = [](const auto&) { return 500; };
  start();
  append_many(1, 1);
  log->set_down(error{ec::row_refused, "no such text"});
  leap(30s);
  EXPECT_EQ(poster->calls.size(), 2u);
  EXPECT_EQ(progress().done_until, 1);
  EXPECT_EQ(progress().given_up, 1);
}

} // namespace
} // namespace eventweft::testing
