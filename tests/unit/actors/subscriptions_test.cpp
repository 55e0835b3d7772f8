// SPDX-License-Identifier: Apache-2.0
#include "actors/log_follower.hpp"
#include "actors/outgoing/delivery_recorder.hpp"
#include "actors/outgoing/subscription_worker.hpp"
#include "actors/outgoing/subscriptions.hpp"
#include "delivery/progress.hpp"
#include "delivery/signature.hpp"
#include "tests/support/figures.hpp"
#include "tests/support/memory_subscriptions.hpp"
#include "tests/support/scripted_poster.hpp"
#include "tests/support/spine.hpp"

namespace eventweft::testing {
namespace {

using namespace std::chrono_literals;

/// All is another node's.
class owned_by_another final : public ownership {
 public:
  std::optional<fence> held(const std::string&) override {
    return std::nullopt;
  }
  std::string holder(const std::string& work) const override {
    return work.starts_with("subscription:") ? "b (10.0.0.2:8080)" : "";
  }
  std::shared_ptr<void> on_change(std::function<void()>) override {
    return nullptr;
  }
};

/// Owns all and remembers what is over.
class noting_owner final : public ownership {
 public:
  std::vector<std::string> over;

  std::optional<fence> held(const std::string& work) override {
    return fence{work, 0};
  }
  std::string holder(const std::string&) const override { return {}; }
  void ended(const std::string& work) override { over.push_back(work); }
  std::shared_ptr<void> on_change(std::function<void()>) override {
    return nullptr;
  }
};

class subscriptions_test : public spine {
 protected:
  void SetUp() override {
    ctx.followers = make_follower_lane();
    ctx.peers->askers.set(0, keep(spawn_asker(system)));
    start_all();
    ctx.peers->subscription_worker.set(keep(spawn_subscription_worker(
        system, std::make_unique<memory_subscriptions>(tables),
        worker_thread::shared)));
    ctx.peers->delivery_recorder.set(
        keep(spawn_delivery_recorder(system, ctx, {})));
  }

  void start() {
    all = keep(
        spawn_subscriptions(system, ctx, {poster, board}, catalogue, options));
    ctx.peers->subscriptions.set(all);
    settle();
  }

  void TearDown() override {
    poster->forget();
    end_actor(all, caf::exit_reason::kill);
    spine::TearDown();
  }

  void settle() { advance(100ms); }

  template <class T, class... Ts>
  T must(Ts... xs) {
    auto answer = request<T>(all, std::move(xs)...);
    settle();
    if (answer->failed)
      throw std::runtime_error{to_string(*answer->failed)};
    return std::move(*answer->value);
  }

  template <class T, class... Ts>
  ec refused(Ts... xs) {
    auto answer = request<T>(all, std::move(xs)...);
    settle();
    return answer->failed ? answer->failed->code : ec::none;
  }

  static stream_definition stream(const std::string& name) {
    stream_definition s;
    s.name = name;
    s.filter.platforms = {"github"};
    return s;
  }

  static new_subscription hook(const std::string& stream = "all_events") {
    new_subscription n;
    n.what.stream = stream;
    n.what.url = "https://hooks.example/in";
    return n;
  }

  /// Long enough for the store to be read and figures to be noted.
  void look_again() {
    advance(options.poll_interval + 1s);
    advance(2s);
  }

  subscription_figures figures_of(const uuid& id) {
    return must<subscription_view>(find_atom_v, std::string{"all_events"}, id)
        .figures;
  }

  /// The metric of `all_events`.
  int64_t noted_lag() const {
    constexpr std::string_view name =
        "eventweft_subscription_lag_events{stream=\"all_events\"} ";
    const auto text = ctx.figures->text();
    const auto at = text.find(name);
    return at == std::string::npos ? -1
                                   : std::stoll(text.substr(at + name.size()));
  }

  std::shared_ptr<memory_tables> tables = std::make_shared<memory_tables>();
  std::shared_ptr<scripted_poster> poster =
      std::make_shared<scripted_poster>(time);
  std::shared_ptr<delivery_board> board = std::make_shared<delivery_board>();
  std::shared_ptr<stream_catalogue> catalogue =
      std::make_shared<stream_catalogue>();
  subscriptions_options options;
  subscriptions_actor all;
};

TEST_F(subscriptions_test, say_that_nothing_is_delivered) {
  options.deliver = false;
  start();
  const auto made = must<subscription_view>(append_atom_v, hook());
  EXPECT_EQ(made.figures.state, "off");
  auto tested = request<delivery_test>(all, test_atom_v,
                                       std::string{"all_events"}, made.what.id);
  settle();
  ASSERT_TRUE(tested->failed);
  EXPECT_EQ(tested->failed->code, ec::conflict);
  EXPECT_NE(tested->failed->message.find("[webhooks] enabled"),
            std::string::npos);
  EXPECT_EQ(refused<replay_answer>(replay_atom_v, std::string{"all_events"},
                                   made.what.id, replay_request{}),
            ec::conflict);
}

TEST_F(subscriptions_test, one_without_a_sender_is_as_far_as_the_store_has_it) {
  options.deliver = false;
  start();
  auto wanted = hook();
  wanted.since = start_point::after(0);
  const auto id = must<subscription_view>(append_atom_v, wanted).what.id;
  for (int i = 1; i <= 5; ++i)
    append(i);
  look_again();
  auto f = figures_of(id);
  EXPECT_EQ(f.state, "off");
  EXPECT_EQ(f.lag_events, 5);
  EXPECT_EQ(noted_lag(), 5);
  const auto behind = f.lag_seconds;
  look_again();
  EXPECT_GT(figures_of(id).lag_seconds, behind);
  // Another node has delivered most of it.
  auto& stored = tables->subscriptions.at(id).progress;
  stored.delivered = 3;
  stored.mark = delivery::mark_json({4, {{2, 1, {}, time->now(), {}}}});
  look_again();
  f = figures_of(id);
  EXPECT_EQ(f.cursor, 4);
  EXPECT_EQ(f.delivered, 3);
  EXPECT_EQ(f.lag_events, 2);
  EXPECT_EQ(noted_lag(), 2);
}

TEST_F(subscriptions_test,
       one_that_was_switched_off_is_behind_not_a_paused_one) {
  poster->status = [](const auto&) { return 410; };
  start();
  auto wanted = hook();
  wanted.what.ordered = true;
  wanted.since = start_point::after(0);
  const auto id = must<subscription_view>(append_atom_v, wanted).what.id;
  for (int i = 1; i <= 5; ++i)
    append(i);
  look_again();
  const auto f = figures_of(id);
  EXPECT_EQ(f.state, "disabled");
  EXPECT_GT(f.lag_events, 0);
  EXPECT_EQ(noted_lag(), f.lag_events);
  subscription_change pause;
  pause.active = false;
  must<subscription_view>(put_atom_v, std::string{"all_events"}, id, pause);
  look_again();
  EXPECT_EQ(figures_of(id).state, "paused");
  EXPECT_EQ(noted_lag(), 0);
}

TEST_F(subscriptions_test, of_another_node_are_shown_with_its_name) {
  ctx.owner = std::make_shared<owned_by_another>();
  start();
  const auto made = must<subscription_view>(append_atom_v, hook());
  const auto seen = must<subscription_view>(
      find_atom_v, std::string{"all_events"}, made.what.id);
  EXPECT_EQ(seen.figures.state, "elsewhere");
  EXPECT_EQ(seen.figures.owner, "b (10.0.0.2:8080)");
}

TEST_F(subscriptions_test, streams_are_rows_that_take_effect_at_once) {
  std::vector<std::string> seen;
  catalogue->watch([&](const stream_event& e) {
    seen.push_back(e.name + (e.now ? " changed" : " gone"));
  });
  start();
  seen.clear();
  const auto made = must<stream_definition>(append_atom_v, stream("mine"));
  EXPECT_EQ(made.created_at.time_since_epoch().count() != 0, true);
  EXPECT_TRUE(tables->streams.contains("mine"));
  ASSERT_TRUE(catalogue->find("mine"));
  EXPECT_EQ(refused<stream_definition>(append_atom_v, stream("mine")),
            ec::conflict);
  stream_change c;
  c.description = "words only";
  must<stream_definition>(put_atom_v, std::string{"mine"}, c);
  EXPECT_TRUE(seen.empty());
  c.filter = filter{};
  must<stream_definition>(put_atom_v, std::string{"mine"}, c);
  EXPECT_EQ(seen, std::vector<std::string>{"mine changed"});
  EXPECT_EQ(refused<void>(drop_atom_v, std::string{"all_events"}),
            ec::conflict);
  EXPECT_EQ(refused<void>(drop_atom_v, std::string{"none"}), ec::not_found);
  EXPECT_EQ(refused<void>(drop_atom_v, std::string{"mine"}), ec::none);
  EXPECT_FALSE(catalogue->find("mine"));
  EXPECT_EQ(seen.back(), "mine gone");
}

TEST_F(subscriptions_test, what_others_changed_is_found) {
  start();
  tables->streams.emplace("theirs", stream("theirs"));
  ctx.control->announce({control_kind::streams, "theirs"});
  settle();
  EXPECT_TRUE(catalogue->find("theirs"));
  tables->streams.erase("theirs");
  advance(11s);
  EXPECT_FALSE(catalogue->find("theirs"));
}

TEST_F(subscriptions_test, who_asks_for_an_unknown_stream_has_the_store_read) {
  start();
  tables->streams.emplace("theirs", stream("theirs"));
  const auto found =
      must<stream_definition>(find_atom_v, std::string{"theirs"});
  EXPECT_EQ(found.filter, stream("theirs").filter);
  EXPECT_TRUE(catalogue->find("theirs"));
  // Those who follow at once share the next look.
  const auto before = tables->looks;
  std::vector<std::shared_ptr<asked<stream_definition>>> answers;
  for (int i = 0; i < 50; ++i)
    answers.push_back(request<stream_definition>(all, find_atom_v,
                                                 "none" + std::to_string(i)));
  advance(300ms);
  for (const auto& a : answers) {
    ASSERT_TRUE(a->failed);
    EXPECT_EQ(a->failed->code, ec::not_found);
  }
  EXPECT_LE(tables->looks - before, 2u);
}

TEST_F(subscriptions_test, nothing_is_said_to_be_gone_before_it_was_read) {
  tables->streams.emplace("mine", stream("mine"));
  subscription s = hook("mine").what;
  s.id = uuid::v7(time->now(), *ctx.random);
  tables->subscriptions.emplace(s.id, subscription_record{s, {}});
  tables->down = error{ec::store_unavailable, "away"};
  catalogue->await_store();
  start();
  const std::string mine = "mine";
  dead_letter letter;
  letter.origin = "subscription:" + to_string(s.id);
  letter.event_id = s.id;
  for (const auto wait : {0ms, 3'000ms}) {
    advance(wait);
    EXPECT_FALSE(catalogue->complete());
    EXPECT_EQ(catalogue->get(mine).error().code, ec::store_unavailable);
    EXPECT_EQ(refused<stream_definition>(find_atom_v, mine),
              ec::store_unavailable);
    EXPECT_EQ(refused<subscription_views>(list_atom_v, mine),
              ec::store_unavailable);
    EXPECT_EQ(refused<subscription_view>(append_atom_v, hook("mine")),
              ec::store_unavailable);
    EXPECT_EQ(refused<subscription_view>(find_atom_v, mine, s.id),
              ec::store_unavailable);
    EXPECT_EQ(refused<void>(retry_atom_v, letter), ec::store_unavailable);
  }
  tables->down.reset();
  advance(15s);
  EXPECT_TRUE(catalogue->complete());
  EXPECT_EQ(must<stream_definition>(find_atom_v, mine).name, mine);
  EXPECT_EQ(must<subscription_views>(list_atom_v, mine).items.size(), 1u);
  EXPECT_EQ(refused<stream_definition>(find_atom_v, std::string{"none"}),
            ec::not_found);
  EXPECT_EQ(catalogue->get("none").error().code, ec::not_found);
  // What another node has made meanwhile nobody here would know.
  advance(300ms);
  tables->down = error{ec::store_unavailable, "away"};
  EXPECT_EQ(refused<stream_definition>(find_atom_v, std::string{"none"}),
            ec::store_unavailable);
  EXPECT_EQ(must<stream_definition>(find_atom_v, mine).name, mine);
}

TEST_F(subscriptions_test, does_not_begin_beyond_the_log_s_end) {
  start();
  append(1);
  append(2);
  settle();
  auto n = hook();
  n.since = start_point::after(3);
  auto answer = request<subscription_view>(all, append_atom_v, n);
  settle();
  ASSERT_TRUE(answer->failed);
  EXPECT_EQ(answer->failed->code, ec::unprocessable);
  EXPECT_TRUE(answer->failed->message.starts_with(
      "since: 3 is beyond the log's end, 2"))
      << answer->failed->message;
  EXPECT_TRUE(tables->subscriptions.empty());
  n.since = start_point::after(2);
  must<subscription_view>(append_atom_v, n);
  append(3);
  settle();
  EXPECT_EQ(tables->delivered(), std::vector<seq_t>{3});
}

TEST_F(subscriptions_test, an_answer_has_the_state_after_the_change) {
  start();
  const auto v = must<subscription_view>(append_atom_v, hook());
  settle();
  subscription_change c;
  c.active = false;
  const std::string stream{"all_events"};
  EXPECT_EQ(
      must<subscription_view>(put_atom_v, stream, v.what.id, c).figures.state,
      "paused");
  c.active = true;
  EXPECT_EQ(
      must<subscription_view>(put_atom_v, stream, v.what.id, c).figures.state,
      "delivering");
}

TEST_F(subscriptions_test, a_subscription_delivers_from_its_making_on) {
  start();
  append(1);
  settle();
  const auto v = must<subscription_view>(append_atom_v, hook());
  EXPECT_TRUE(v.new_secret.starts_with("whsec_"));
  EXPECT_EQ(tables->subscriptions.at(v.what.id).what.secrets,
            std::vector{v.new_secret});
  append(2);
  settle();
  EXPECT_EQ(tables->delivered(), std::vector<seq_t>{2});
  const auto seen = must<subscription_view>(
      find_atom_v, std::string{"all_events"}, v.what.id);
  EXPECT_EQ(seen.figures.delivered, 1);
  EXPECT_TRUE(seen.new_secret.empty());
  EXPECT_EQ(refused<subscription_view>(find_atom_v, std::string{"pr_events"},
                                       v.what.id),
            ec::not_found);
}

TEST_F(subscriptions_test, a_subscription_may_begin_in_the_past) {
  start();
  for (int i = 1; i <= 3; ++i)
    append(i);
  settle();
  auto n = hook();
  n.since = start_point::after(1);
  must<subscription_view>(append_atom_v, n);
  EXPECT_EQ(tables->delivered(), (std::vector<seq_t>{2, 3}));
}

TEST_F(subscriptions_test, bad_ones_are_refused) {
  start();
  EXPECT_EQ(refused<subscription_view>(append_atom_v, hook("none")),
            ec::not_found);
  auto n = hook();
  n.secret = "whsec_short";
  EXPECT_EQ(refused<subscription_view>(append_atom_v, n), ec::unprocessable);
  n = hook();
  n.what.headers = {{"Host", "x"}};
  EXPECT_EQ(refused<subscription_view>(append_atom_v, n), ec::unprocessable);
  n = hook();
  n.what.type = subscription_type::kafka;
  EXPECT_EQ(refused<subscription_view>(append_atom_v, n), ec::unprocessable);
  EXPECT_TRUE(tables->subscriptions.empty());
}

TEST_F(subscriptions_test, their_number_is_bounded) {
  options.max_streams = static_cast<uint32_t>(tables->streams.size() + 1);
  options.max_subscriptions = 1;
  start();
  must<stream_definition>(append_atom_v, stream("mine"));
  must<subscription_view>(append_atom_v, hook());
  auto one_more = request<stream_definition>(all, append_atom_v, stream("b"));
  settle();
  ASSERT_TRUE(one_more->failed);
  EXPECT_EQ(one_more->failed->code, ec::conflict);
  EXPECT_NE(one_more->failed->message.find("[webhooks] max_streams"),
            std::string::npos);
  EXPECT_EQ(refused<subscription_view>(append_atom_v, hook()), ec::conflict);
}

TEST_F(subscriptions_test, secrets_rotate) {
  start();
  const auto v = must<subscription_view>(append_atom_v, hook());
  const std::string stream = "all_events";
  subscription_change c;
  c.rotate_secret = true;
  const auto rotated =
      must<subscription_view>(put_atom_v, stream, v.what.id, c);
  EXPECT_NE(rotated.new_secret, v.new_secret);
  append(1);
  settle();
  const auto signature = poster->header(0, "webhook-signature");
  const auto at = std::stoll(poster->header(0, "webhook-timestamp"));
  const auto id = poster->header(0, "webhook-id");
  for (const auto& secret : {rotated.new_secret, v.new_secret})
    EXPECT_NE(signature.find(delivery::signing_key::parse(secret)->sign(
                  id, at, poster->calls[0].what.body.view())),
              signature.npos);
  c = {};
  c.drop_old_secrets = true;
  must<subscription_view>(put_atom_v, stream, v.what.id, c);
  EXPECT_EQ(tables->subscriptions.at(v.what.id).what.secrets,
            std::vector{rotated.new_secret});
}

TEST_F(subscriptions_test, changes_do_not_undo_each_other) {
  start();
  const auto v = must<subscription_view>(append_atom_v, hook());
  const std::string stream = "all_events";
  subscription_change rotate;
  rotate.rotate_secret = true;
  subscription_change move;
  move.url = "https://elsewhere.example/in";
  auto rotated =
      request<subscription_view>(all, put_atom_v, stream, v.what.id, rotate);
  auto moved =
      request<subscription_view>(all, put_atom_v, stream, v.what.id, move);
  settle();
  ASSERT_TRUE(rotated->value);
  ASSERT_TRUE(moved->value);
  const auto& kept = tables->subscriptions.at(v.what.id).what;
  EXPECT_EQ(kept.secrets,
            (std::vector{rotated->value->new_secret, v.new_secret}));
  EXPECT_EQ(kept.url, move.url);
  EXPECT_EQ(moved->value->what.secrets, kept.secrets);
}

TEST_F(subscriptions_test, a_change_keeps_what_another_node_has_just_written) {
  start();
  const auto v = must<subscription_view>(append_atom_v, hook());
  auto& kept = tables->subscriptions.at(v.what.id).what;
  const auto theirs = delivery::signing_key::make_symmetric(*ctx.random).text();
  kept.secrets = {theirs, v.new_secret};
  subscription_change move;
  move.url = "https://elsewhere.example/in";
  must<subscription_view>(put_atom_v, std::string{"all_events"}, v.what.id,
                          move);
  EXPECT_EQ(kept.secrets, (std::vector{theirs, v.new_secret}));
  EXPECT_EQ(kept.url, move.url);
}

TEST_F(subscriptions_test, changes_of_a_stream_do_not_undo_each_other) {
  start();
  must<stream_definition>(append_atom_v, stream("mine"));
  stream_change words;
  words.description = "new words";
  stream_change narrow;
  narrow.filter = filter{};
  narrow.filter->platforms = {"linear"};
  auto first =
      request<stream_definition>(all, put_atom_v, std::string{"mine"}, narrow);
  auto second =
      request<stream_definition>(all, put_atom_v, std::string{"mine"}, words);
  settle();
  ASSERT_TRUE(first->value);
  ASSERT_TRUE(second->value);
  EXPECT_EQ(tables->streams.at("mine").filter, *narrow.filter);
  EXPECT_EQ(tables->streams.at("mine").description, "new words");
  // Another node's, which this one has not heard of.
  tables->streams.at("mine").filter.platforms = {"slack"};
  words.description = "more words";
  const auto third =
      must<stream_definition>(put_atom_v, std::string{"mine"}, words);
  EXPECT_EQ(third.filter.platforms, std::vector<std::string>{"slack"});
  EXPECT_EQ(tables->streams.at("mine").filter, third.filter);
  EXPECT_EQ(catalogue->find("mine")->filter, third.filter);
}

TEST_F(subscriptions_test, a_change_is_made_anew_if_another_node_was_faster) {
  start();
  const auto v = must<subscription_view>(append_atom_v, hook());
  must<stream_definition>(append_atom_v, stream("mine"));
  auto& kept = tables->subscriptions.at(v.what.id).what;
  auto& kept_stream = tables->streams.at("mine");
  const auto theirs = delivery::signing_key::make_symmetric(*ctx.random).text();
  tables->before_change = [&] {
    tables->before_change = nullptr;
    kept.secrets = {theirs, v.new_secret};
    ++kept.version;
  };
  subscription_change move;
  move.url = "https://elsewhere.example/in";
  move.rotate_secret = true;
  const auto moved = must<subscription_view>(
      put_atom_v, std::string{"all_events"}, v.what.id, move);
  EXPECT_EQ(kept.secrets,
            (std::vector{moved.new_secret, theirs, v.new_secret}));
  EXPECT_EQ(moved.what.secrets, kept.secrets);
  EXPECT_EQ(kept.url, move.url);
  tables->before_change = [&] {
    tables->before_change = nullptr;
    kept_stream.filter.platforms = {"slack"};
    ++kept_stream.version;
  };
  stream_change words;
  words.description = "new words";
  const auto changed =
      must<stream_definition>(put_atom_v, std::string{"mine"}, words);
  EXPECT_EQ(changed.filter.platforms, std::vector<std::string>{"slack"});
  EXPECT_EQ(kept_stream.filter, changed.filter);
  EXPECT_EQ(kept_stream.description, "new words");
}

TEST_F(subscriptions_test, who_is_always_overtaken_is_told_to_come_back) {
  start();
  const auto v = must<subscription_view>(append_atom_v, hook());
  const std::string stream = "all_events";
  auto& kept = tables->subscriptions.at(v.what.id).what;
  int changes = 0;
  tables->before_change = [&] {
    ++changes;
    ++kept.version;
  };
  subscription_change move;
  move.url = "https://elsewhere.example/in";
  EXPECT_EQ(refused<subscription_view>(put_atom_v, stream, v.what.id, move),
            ec::overloaded);
  EXPECT_GT(changes, 1);
  // It holds up no other, which has as many tries.
  const auto before = std::exchange(changes, 0);
  EXPECT_EQ(refused<subscription_view>(put_atom_v, stream, v.what.id, move),
            ec::overloaded);
  EXPECT_EQ(changes, before);
  tables->before_change = nullptr;
  must<subscription_view>(put_atom_v, stream, v.what.id, move);
  EXPECT_EQ(kept.url, move.url);
}

TEST_F(subscriptions_test, a_change_that_fails_holds_up_no_other) {
  start();
  const auto v = must<subscription_view>(append_atom_v, hook());
  const std::string stream = "all_events";
  subscription_change move;
  move.url = "https://elsewhere.example/in";
  subscription_change bad;
  bad.headers = outgoing::header_list{{"Host", "x"}};
  EXPECT_EQ(refused<subscription_view>(put_atom_v, stream, v.what.id, bad),
            ec::unprocessable);
  tables->down = error{ec::store_unavailable, "away"};
  EXPECT_EQ(refused<subscription_view>(put_atom_v, stream, v.what.id, move),
            ec::store_unavailable);
  tables->down.reset();
  must<subscription_view>(put_atom_v, stream, v.what.id, move);
  EXPECT_EQ(tables->subscriptions.at(v.what.id).what.url, move.url);
}

TEST_F(subscriptions_test, dropping_ends_its_deliveries) {
  start();
  const auto v = must<subscription_view>(append_atom_v, hook());
  EXPECT_EQ(refused<void>(drop_atom_v, std::string{"all_events"}, v.what.id),
            ec::none);
  append(1);
  settle();
  EXPECT_TRUE(poster->calls.empty());
  EXPECT_TRUE(must<subscription_views>(list_atom_v, std::string{"all_events"})
                  .items.empty());
}

TEST_F(subscriptions_test, a_dropped_one_is_nobody_s_work) {
  const auto owner = std::make_shared<noting_owner>();
  ctx.owner = owner;
  start();
  const auto here = must<subscription_view>(append_atom_v, hook()).what.id;
  const auto there = must<subscription_view>(append_atom_v, hook()).what.id;
  must<subscription_view>(append_atom_v, hook());
  EXPECT_EQ(refused<void>(drop_atom_v, std::string{"all_events"}, here),
            ec::none);
  // By another node.
  tables->subscriptions.erase(there);
  ctx.control->announce({control_kind::subscriptions, to_string(there)});
  settle();
  EXPECT_EQ(owner->over,
            (std::vector<std::string>{"subscription:" + to_string(here),
                                      "subscription:" + to_string(there)}));
}

TEST_F(subscriptions_test, a_changed_stream_changes_what_is_delivered) {
  start();
  must<stream_definition>(append_atom_v, stream("mine"));
  must<subscription_view>(append_atom_v, hook("mine"));
  append(make_event(1, "linear"));
  append(make_event(2, "github"));
  settle();
  EXPECT_EQ(tables->delivered(), std::vector<seq_t>{2});
  stream_change c;
  c.filter = filter{};
  must<stream_definition>(put_atom_v, std::string{"mine"}, c);
  append(make_event(3, "linear"));
  settle();
  EXPECT_EQ(tables->delivered(), (std::vector<seq_t>{2, 3}));
}

TEST_F(subscriptions_test, a_dead_letter_goes_back_to_its_subscription) {
  options.sender.queue.schedule.pauses.clear();
  poster->status = [](const auto&) { return 500; };
  start();
  const auto v = must<subscription_view>(append_atom_v, hook());
  append(1);
  settle();
  ASSERT_EQ(log->letters.size(), 1u);
  poster->status = [](const auto&) { return 200; };
  auto letter = log->letters[0];
  EXPECT_EQ(refused<void>(retry_atom_v, letter), ec::none);
  EXPECT_EQ(tables->delivered(), std::vector<seq_t>{1});
  letter.origin = "subscription:" + to_string(uuid{});
  EXPECT_EQ(refused<void>(retry_atom_v, letter), ec::not_found);
}

TEST_F(subscriptions_test, waits_for_the_store_at_its_start) {
  tables->down = error{ec::store_unavailable, "away"};
  subscription s = hook().what;
  s.id = uuid::v7(time->now(), *ctx.random);
  tables->subscriptions.emplace(s.id, subscription_record{s, {}});
  start();
  append(1);
  advance(3s);
  EXPECT_TRUE(poster->calls.empty());
  EXPECT_EQ(catalogue->all().size(), 8u);
  tables->down.reset();
  advance(15s);
  EXPECT_EQ(tables->delivered(), std::vector<seq_t>{1});
}

TEST_F(subscriptions_test, its_successor_has_senders_of_its_own) {
  start();
  must<subscription_view>(append_atom_v, hook());
  crash(all);
  settle();
  start();
  append(1);
  settle();
  EXPECT_EQ(poster->calls.size(), 1u);
  EXPECT_EQ(tables->delivered(), std::vector<seq_t>{1});
}

TEST_F(subscriptions_test, a_sender_that_fails_is_started_anew) {
  start();
  const auto made = must<subscription_view>(append_atom_v, hook());
  const auto other = must<subscription_view>(append_atom_v, hook());
  size_t failures = 1;
  poster->status = [&](const auto&) {
    if (failures == 0)
      return 200;
    --failures;
    throw std::runtime_error{"a test's crash"};
  };
  append(1);
  settle();
  EXPECT_EQ(failures, 0u);
  EXPECT_EQ(restarts_of(*ctx.figures, "delivery_sender"), 1);
  advance(5s);
  append(2);
  advance(5s);
  // One subscription's sender has failed: both have been sent everything.
  auto delivered = tables->delivered();
  std::ranges::sort(delivered);
  EXPECT_EQ(delivered, (std::vector<seq_t>{1, 1, 2, 2}));
  for (const auto& id : {made.what.id, other.what.id})
    EXPECT_EQ(figures_of(id).lag_events, 0);
  EXPECT_EQ(restarts_of(*ctx.figures, "delivery_sender"), 1);
}

TEST_F(subscriptions_test, a_sender_that_fails_again_waits_longer) {
  options.retry_min = 1s;
  options.retry_max = 8s;
  start();
  must<subscription_view>(append_atom_v, hook());
  poster->status = [](const auto&) -> int {
    throw std::runtime_error{"a test's crash"};
  };
  append(1);
  advance(30s);
  const auto failures = poster->calls.size();
  EXPECT_EQ(restarts_of(*ctx.figures, "delivery_sender"),
            static_cast<int64_t>(failures));
  EXPECT_GE(failures, 4u);
  EXPECT_LE(failures, 12u);
  poster->status = [](const auto&) { return 200; };
  advance(10s);
  EXPECT_EQ(tables->delivered(), std::vector<seq_t>{1});
}

// It is not the store that is waited for.
TEST_F(subscriptions_test, a_test_may_take_as_long_as_its_endpoint) {
  options.timeout = 1s;
  options.sender.request_timeout = 10min;
  poster->status = [](const auto&) { return 0; };
  start();
  const auto made = must<subscription_view>(append_atom_v, hook());
  auto tested = request<delivery_test>(all, test_atom_v,
                                       std::string{"all_events"}, made.what.id);
  advance(20s);
  EXPECT_TRUE(tested->pending());
  ASSERT_EQ(poster->held(), 1u);
  EXPECT_EQ(poster->calls.back().what.total_timeout, 30s);
  poster->answer_one(200);
  settle();
  ASSERT_TRUE(tested->value);
  EXPECT_TRUE(tested->value->delivered);
}

TEST_F(subscriptions_test, its_end_lets_what_is_under_way_finish) {
  poster->status = [](const auto&) { return 0; };
  start();
  must<subscription_view>(append_atom_v, hook());
  append(1);
  settle();
  ASSERT_EQ(poster->held(), 1u);
  end_actor(all, caf::exit_reason::user_shutdown);
  settle();
  poster->answer_one(200);
  settle();
  EXPECT_EQ(tables->delivered(), std::vector<seq_t>{1});
  EXPECT_EQ(tables->subscriptions.begin()->second.progress.done_until, 1);
}

} // namespace
} // namespace eventweft::testing
