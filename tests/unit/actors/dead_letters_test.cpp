// SPDX-License-Identifier: Apache-2.0
#include "actors/dead_letters.hpp"
#include "actors/retry_notices.hpp"
#include "codec/event_json.hpp"
#include "tests/support/spine.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::testing {
namespace {

using namespace std::chrono_literals;

/// Takes letters back, or refuses.
struct taker_state {
  static inline constexpr const char* name = "taker";
  taker_state(letter_taker_actor::pointer,
              std::shared_ptr<std::vector<dead_letter>> to,
              std::shared_ptr<std::optional<error>> refusal)
      : taken(std::move(to)), refuse(std::move(refusal)) {}
  letter_taker_actor::behavior_type make_behavior() {
    return {[this](retry_atom, const dead_letter& x) -> caf::result<void> {
      if (*refuse)
        return to_caf(**refuse);
      taken->push_back(x);
      return {};
    }};
  }
  std::shared_ptr<std::vector<dead_letter>> taken;
  std::shared_ptr<std::optional<error>> refuse;
};

class dead_letters_test : public spine {
 protected:
  void start(dead_letters_options options = {}) {
    start_all();
    keeper = keep(spawn_dead_letters(system, ctx, options));
    ctx.peers->dead_letters.set(keeper);
    using impl = caf::stateful_actor<taker_state, letter_taker_actor::impl>;
    ctx.peers->set_letter_taker(
        "processor",
        keep(letter_taker_actor{system.spawn<impl>(taken, refuse)}));
  }

  void TearDown() override {
    keeper = nullptr;
    spine::TearDown();
  }

  dead_letter make(int n, std::string origin = "processor:p") {
    dead_letter d;
    time->advance(1ms);
    d.created_at = time->now();
    d.id = uuid::v7(d.created_at, *ctx.random);
    d.origin = std::move(origin);
    d.reason = "no " + std::to_string(n);
    codec::append_native(d.body, make_event(n));
    return d;
  }

  void fill(int count, const std::string& origin = "processor:p") {
    for (int i = 1; i <= count; ++i)
      log->letters.push_back(make(i, origin));
  }

  dead_letter_retry progress() {
    auto asked = request<dead_letter_retry>(keeper, head_atom_v);
    run();
    return asked->value.value_or(dead_letter_retry{});
  }

  static dead_letter_query of(std::string origin) {
    dead_letter_query q;
    q.origin = std::move(origin);
    return q;
  }

  dead_letters_actor keeper;
  std::shared_ptr<std::vector<dead_letter>> taken =
      std::make_shared<std::vector<dead_letter>>();
  std::shared_ptr<std::optional<error>> refuse =
      std::make_shared<std::optional<error>>();
};

TEST_F(dead_letters_test, one_that_is_given_twice_is_kept_once) {
  start();
  log->set_down(error{ec::store_unavailable, "away"});
  const auto letter = make(1);
  request<void>(keeper, dead_letter_atom_v, letter);
  run();
  auto again = request<void>(keeper, dead_letter_atom_v, letter);
  run();
  auto other = request<void>(keeper, dead_letter_atom_v, make(2));
  run();
  EXPECT_TRUE(again->pending());
  log->set_down(std::nullopt);
  advance(1min);
  EXPECT_TRUE(again->value);
  EXPECT_TRUE(other->value);
  ASSERT_EQ(log->letters.size(), 2u);
  EXPECT_NE(log->letters[0].id, log->letters[1].id);
}

TEST_F(dead_letters_test, a_letter_goes_back_to_its_origin_and_is_forgotten) {
  start();
  fill(2);
  auto done = request<bool>(keeper, retry_atom_v, log->letters[0].id);
  run();
  EXPECT_TRUE(done->value);
  ASSERT_EQ(taken->size(), 1u);
  EXPECT_EQ(taken->front().reason, "no 1");
  EXPECT_EQ(log->letters.size(), 1u);
}

TEST_F(dead_letters_test, a_letter_that_several_retry_goes_back_once) {
  start();
  fill(3);
  const auto id = log->letters[0].id;
  auto first = request<bool>(keeper, retry_atom_v, id);
  auto second = request<bool>(keeper, retry_atom_v, id);
  request<dead_letter_retry>(keeper, retry_atom_v, of("processor"), 0.0);
  tell_anon(keeper, put_atom_v, id);
  run();
  EXPECT_TRUE(first->value);
  EXPECT_TRUE(second->value);
  EXPECT_FALSE(progress().running);
  EXPECT_EQ(taken->size(), 3u);
  EXPECT_TRUE(log->letters.empty());
  auto late = request<bool>(keeper, retry_atom_v, id);
  run();
  ASSERT_TRUE(late->failed);
  EXPECT_EQ(late->failed->code, ec::not_found);
}

TEST_F(dead_letters_test, whoever_asks_for_a_letter_on_its_way_hears_its_end) {
  start();
  fill(1);
  *refuse = error{ec::overloaded, "busy"};
  const auto id = log->letters[0].id;
  auto first = request<bool>(keeper, retry_atom_v, id);
  auto second = request<bool>(keeper, retry_atom_v, id);
  run();
  for (const auto& asked : {first, second}) {
    ASSERT_TRUE(asked->failed);
    EXPECT_EQ(asked->failed->code, ec::overloaded);
  }
  // It is nobody's any more.
  refuse->reset();
  auto again = request<bool>(keeper, retry_atom_v, id);
  run();
  EXPECT_TRUE(again->value);
  EXPECT_EQ(taken->size(), 1u);
}

TEST_F(dead_letters_test, a_retry_of_many_waits_for_a_store_that_is_away) {
  start();
  fill(3);
  request<dead_letter_retry>(keeper, retry_atom_v, of("processor"), 10.0);
  advance(50ms);
  log->set_down(error{ec::store_unavailable, "away"});
  advance(1s);
  EXPECT_TRUE(progress().running);
  EXPECT_NE(progress().last_error, "");
  log->set_down(std::nullopt);
  advance(30s);
  EXPECT_FALSE(progress().running);
  EXPECT_EQ(progress().retried, 3u);
  EXPECT_EQ(taken->size(), 3u);
}

TEST_F(dead_letters_test, a_letter_that_is_not_taken_stays) {
  start();
  fill(1);
  *refuse = error{ec::overloaded, "busy"};
  auto done = request<bool>(keeper, retry_atom_v, log->letters[0].id);
  run();
  ASSERT_TRUE(done->failed);
  EXPECT_EQ(done->failed->code, ec::overloaded);
  EXPECT_EQ(log->letters.size(), 1u);
}

TEST_F(dead_letters_test, what_another_node_has_is_retried_by_that_one) {
  start();
  fill(1);
  const auto id = log->letters[0].id;
  *refuse = error{ec::not_owner, "processor p runs on node b"};
  std::vector<std::string> asked;
  auto heard = ctx.control->carry(
      [&asked](const control_event& e) { asked.push_back(e.what); });
  auto done = request<bool>(keeper, retry_atom_v, id);
  advance(1s);
  EXPECT_EQ(asked, std::vector{to_string(id)});
  EXPECT_FALSE(done->value || done->failed);
  // The other node has handed it back and forgotten it.
  log->letters.clear();
  advance(200ms);
  EXPECT_TRUE(done->value);
  // And one that nobody takes.
  fill(1);
  done = request<bool>(keeper, retry_atom_v, log->letters[0].id);
  advance(6s);
  ASSERT_TRUE(done->failed);
  EXPECT_EQ(done->failed->code, ec::not_owner);
  EXPECT_EQ(asked.size(), 2u);
}

TEST_F(dead_letters_test, a_letter_is_retried_for_another_node) {
  start();
  fill(2);
  const auto id = log->letters[0].id;
  const control_event wanted{control_kind::dead_letters, to_string(id)};
  // The keeper listens from its start on.
  run();
  // Over the link and through the database.
  ctx.control->deliver(wanted);
  ctx.control->deliver(wanted);
  run();
  ASSERT_EQ(taken->size(), 1u);
  EXPECT_EQ(taken->front().id, id);
  EXPECT_EQ(log->letters.size(), 1u);
  // Said once more, or of no letter at all.
  ctx.control->deliver(wanted);
  ctx.control->deliver({control_kind::dead_letters, {}});
  run();
  EXPECT_EQ(taken->size(), 1u);
}

TEST_F(dead_letters_test, what_a_store_refused_is_appended_again) {
  start();
  fill(1, "spool");
  auto done = request<bool>(keeper, retry_atom_v, log->letters[0].id);
  run();
  EXPECT_TRUE(done->value);
  EXPECT_EQ(log->head(), 1);
  EXPECT_TRUE(log->letters.empty());
}

TEST_F(dead_letters_test, an_origin_that_takes_nothing_back_is_said) {
  start();
  fill(1, "actor:storage_writer");
  auto done = request<bool>(keeper, retry_atom_v, log->letters[0].id);
  run();
  ASSERT_TRUE(done->failed);
  EXPECT_EQ(done->failed->code, ec::unprocessable);
}

TEST_F(dead_letters_test, many_go_back_page_by_page) {
  start();
  fill(250);
  fill(3, "spool");
  auto begun =
      request<dead_letter_retry>(keeper, retry_atom_v, of("processor"), 0.0);
  run();
  ASSERT_TRUE(begun->value);
  EXPECT_FALSE(progress().running);
  EXPECT_EQ(progress().retried, 250u);
  EXPECT_EQ(taken->size(), 250u);
  EXPECT_EQ(log->letters.size(), 3u);
}

TEST_F(dead_letters_test, a_retry_of_many_keeps_to_its_rate) {
  start();
  fill(100);
  request<dead_letter_retry>(keeper, retry_atom_v, of("processor"), 10.0);
  advance(2s);
  EXPECT_GE(taken->size(), 18u);
  EXPECT_LE(taken->size(), 22u);
  auto second =
      request<dead_letter_retry>(keeper, retry_atom_v, of("processor"), 0.0);
  run();
  ASSERT_TRUE(second->failed);
  EXPECT_EQ(second->failed->code, ec::conflict);
  EXPECT_FALSE(progress().stopped);
  request<dead_letter_retry>(keeper, stop_atom_v);
  advance(2s);
  EXPECT_LE(taken->size(), 23u);
  EXPECT_TRUE(progress().stopped);
  // What was interrupted can be done again.
  request<dead_letter_retry>(keeper, retry_atom_v, of("processor"), 0.0);
  advance(100ms);
  EXPECT_FALSE(progress().stopped) << "it is another one";
  EXPECT_EQ(taken->size(), 100u);
  EXPECT_TRUE(log->letters.empty());
}

/// Two keepers of one store, as two nodes have them, with a bus between them.
TEST_F(dead_letters_test, a_retry_of_many_is_known_and_ended_at_any_node) {
  start();
  auto there = ctx;
  there.peers = std::make_shared<directory>();
  there.peers->reader.set(ctx.peers->reader.get());
  there.control = std::make_shared<control_bus>();
  const auto to = ctx.control->carry(
      [bus = there.control](const control_event& e) { bus->deliver(e); });
  const auto back = there.control->carry(
      [bus = ctx.control](const control_event& e) { bus->deliver(e); });
  auto other = keep(spawn_dead_letters(system, there, {}));
  there.peers->dead_letters.set(other);
  const auto seen_there = [&] {
    auto asked = request<dead_letter_retry>(other, head_atom_v);
    run();
    return asked->value.value_or(dead_letter_retry{});
  };
  fill(100);
  auto begun =
      request<dead_letter_retry>(keeper, retry_atom_v, of("processor"), 10.0);
  run();
  ASSERT_TRUE(begun->value);
  EXPECT_TRUE(seen_there().running);
  EXPECT_EQ(seen_there().started, begun->value->started);
  EXPECT_EQ(seen_there().rate, 10.0);
  EXPECT_EQ(seen_there().what.origin, "processor");
  auto second =
      request<dead_letter_retry>(other, retry_atom_v, of("processor"), 0.0);
  run();
  ASSERT_TRUE(second->failed);
  EXPECT_EQ(second->failed->code, ec::conflict);
  advance(2s);
  EXPECT_GE(seen_there().retried, 8u);
  request<dead_letter_retry>(other, stop_atom_v);
  run();
  EXPECT_FALSE(progress().running);
  EXPECT_FALSE(seen_there().running);
  EXPECT_TRUE(seen_there().stopped);
  EXPECT_EQ(seen_there().retried, progress().retried);
  other = nullptr;
}

/// Its node may have died.
TEST_F(dead_letters_test, a_retry_that_nothing_is_heard_of_is_in_nobodys_way) {
  start();
  fill(1);
  auto there = ctx;
  there.peers = std::make_shared<directory>();
  there.control = std::make_shared<control_bus>();
  const auto to = there.control->carry(
      [bus = ctx.control](const control_event& e) { bus->deliver(e); });
  retry_notices theirs{there};
  dead_letter_retry r;
  r.running = true;
  r.started = time->now();
  theirs.tell(r);
  EXPECT_TRUE(progress().running);
  advance(2min);
  EXPECT_FALSE(progress().running);
  EXPECT_TRUE(progress().stopped);
  EXPECT_NE(progress().last_error, "");
  auto mine =
      request<dead_letter_retry>(keeper, retry_atom_v, of("processor"), 0.0);
  run();
  EXPECT_TRUE(mine->value);
  EXPECT_EQ(taken->size(), 1u);
}

TEST_F(dead_letters_test, a_rate_between_milliseconds_is_not_exceeded) {
  start();
  fill(120);
  request<dead_letter_retry>(keeper, retry_atom_v, of("processor"), 600.0);
  for (int i = 0; i < 100; ++i)
    advance(1ms);
  EXPECT_GE(taken->size(), 45u);
  EXPECT_LE(taken->size(), 61u);
}

TEST_F(dead_letters_test, those_that_can_t_go_back_are_counted_and_kept) {
  start();
  fill(3);
  *refuse = error{ec::not_found, "no such processor"};
  request<dead_letter_retry>(keeper, retry_atom_v, of("processor"), 0.0);
  advance(100ms);
  EXPECT_EQ(progress().failed, 3u);
  EXPECT_FALSE(progress().running);
  EXPECT_EQ(log->letters.size(), 3u);
}

TEST_F(dead_letters_test, many_are_dropped) {
  start();
  fill(150);
  fill(2, "spool");
  auto dropped = request<uint64_t>(keeper, drop_atom_v, of("processor:p"));
  run();
  EXPECT_EQ(dropped->value, 150u);
  EXPECT_EQ(log->letters.size(), 2u);
}

TEST_F(dead_letters_test, the_first_in_a_window_is_told) {
  std::vector<std::pair<std::string, uint64_t>> told;
  dead_letters_options options;
  options.alert_window = 60s;
  options.alert = [&told](const dead_letter& d, uint64_t before,
                          const std::function<void(bool)>& ended) {
    told.emplace_back(d.reason, before);
    ended(true);
  };
  start(options);
  for (int i = 1; i <= 3; ++i)
    request<void>(keeper, dead_letter_atom_v, make(i));
  advance(61s);
  request<void>(keeper, dead_letter_atom_v, make(4));
  run();
  using entry = std::pair<std::string, uint64_t>;
  EXPECT_EQ(told, (std::vector<entry>{{"no 1", 0}, {"no 4", 2}}));
}

TEST_F(dead_letters_test, what_nobody_was_told_of_counts_for_the_next_alert) {
  std::vector<std::pair<std::string, uint64_t>> told;
  std::vector<std::function<void(bool)>> ends;
  dead_letters_options options;
  options.alert_window = 60s;
  options.alert_pause = 5s;
  options.alert = [&](const dead_letter& d, uint64_t before,
                      std::function<void(bool)> ended) {
    told.emplace_back(d.reason, before);
    ends.push_back(std::move(ended));
  };
  start(options);
  const auto give = [&](int n) {
    request<void>(keeper, dead_letter_atom_v, make(n));
    run();
  };
  give(1);
  // While that is on its way.
  give(2);
  ends.at(0)(false);
  run();
  // Not at once.
  give(3);
  EXPECT_EQ(told.size(), 1u);
  advance(6s);
  give(4);
  ends.at(1)(true);
  advance(6s);
  give(5);
  advance(60s);
  give(6);
  using entry = std::pair<std::string, uint64_t>;
  EXPECT_EQ(told, (std::vector<entry>{{"no 1", 0}, {"no 4", 3}, {"no 6", 1}}));
}

TEST_F(dead_letters_test, a_letter_has_all_that_a_retry_needs) {
  auto ev = make_event(7);
  ev.seq = 7;
  giving_up how{"processor:p", "no", 60, {}};
  for (int i = 0; i < 60; ++i)
    how.history.push_back({time->now(), std::to_string(i)});
  const auto letter = letter_of(ctx, ev, how);
  EXPECT_EQ(letter.created_at, time->now());
  EXPECT_NE(letter.id, letter_of(ctx, ev, how).id);
  EXPECT_EQ(letter.origin, "processor:p");
  EXPECT_EQ(letter.reason, "no");
  EXPECT_EQ(letter.attempts, 60u);
  // The last ones.
  ASSERT_EQ(letter.history.size(), dead_letter_history);
  EXPECT_EQ(letter.history.back().error, "59");
  EXPECT_EQ(letter.event_id, ev.id);
  EXPECT_EQ(letter.event_seq, 7);
  EXPECT_EQ(letter.platform, ev.platform);
  EXPECT_EQ(letter.event_type, ev.event_type);
  std::string native;
  codec::append_native(native, ev);
  EXPECT_EQ(letter.body, native);
}

TEST_F(dead_letters_test, what_a_store_refused_was_tried_once) {
  const auto letter = refused_letter(ctx, "spool", make_event(1),
                                     {ec::malformed, "no such month"});
  EXPECT_EQ(letter.origin, "spool");
  EXPECT_EQ(letter.attempts, 1u);
  EXPECT_EQ(letter.event_seq, 0);
  ASSERT_EQ(letter.history.size(), 1u);
  EXPECT_EQ(letter.history.front().at, letter.created_at);
  EXPECT_EQ(letter.history.front().error, letter.reason);
  EXPECT_NE(letter.reason.find("no such month"), std::string::npos);
}

TEST_F(dead_letters_test, one_that_finds_no_room_is_told_of_once) {
  std::vector<std::string> told;
  dead_letters_options options;
  options.queue_max = 1;
  options.alert_window = 0s;
  options.alert = [&told](const dead_letter& d, uint64_t,
                          const std::function<void(bool)>& ended) {
    told.push_back(d.reason);
    ended(true);
  };
  start(options);
  log->set_down(error{ec::store_unavailable, "away"});
  request<void>(keeper, dead_letter_atom_v, make(1));
  const auto letter = make(2);
  for (int i = 0; i < 3; ++i) {
    auto refused = request<void>(keeper, dead_letter_atom_v, letter);
    run();
    ASSERT_TRUE(refused->failed);
    EXPECT_EQ(refused->failed->code, ec::overloaded);
  }
  log->set_down(std::nullopt);
  advance(1min);
  auto taken_at_last = request<void>(keeper, dead_letter_atom_v, letter);
  run();
  EXPECT_TRUE(taken_at_last->value);
  EXPECT_EQ(log->letters.size(), 2u);
  EXPECT_EQ(told, (std::vector<std::string>{"no 1", "no 2"}));
}

} // namespace
} // namespace eventweft::testing
