// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/base_platform.hpp"
#include "codec/event_json.hpp"
#include "net/ports/processing.hpp"
#include "net/ports/subscriptions.hpp"
#include "tests/support/whole.hpp"

#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace eventweft {

namespace {

using std::chrono::milliseconds;
using testing::make_event;
using seqs = std::vector<seq_t>;

class bridge_test : public testing::whole {};

TEST_F(bridge_test, webhook_is_answered_after_its_commit) {
  start();
  auto a = send(1);
  EXPECT_EQ(a->answers, 0);
  run();
  EXPECT_EQ(a->answers, 1);
  EXPECT_EQ(a->status, 200);
  EXPECT_NE(a->body.find("\"seq\":1"), std::string::npos);
  EXPECT_EQ(log->head(), 1);
}

TEST_F(bridge_test, redelivery_says_so) {
  start();
  send(1);
  run();
  auto b = send(1);
  run();
  EXPECT_EQ(b->status, 200);
  EXPECT_NE(b->body.find("\"duplicate\":true"), std::string::npos);
}

TEST_F(bridge_test, bad_webhook_stores_nothing) {
  start();
  auto a = send("nonsense");
  run();
  EXPECT_EQ(a->answers, 1);
  ASSERT_TRUE(a->failed);
  EXPECT_EQ(a->failed->code, ec::malformed);
  EXPECT_EQ(log->head(), 0);
}

TEST_F(bridge_test, webhooks_without_proof_have_a_line_in_the_log) {
  std::ostringstream out;
  ctx.log = std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
  start();
  out.str({});
  auto first = send("forged");
  auto second = send("forged too");
  run();
  ASSERT_TRUE(first->failed && second->failed);
  EXPECT_EQ(first->failed->code, ec::unauthorized);
  const auto text = out.str();
  const std::string told = "a webhook of github was refused: no proof";
  const auto at = text.find(told);
  ASSERT_NE(at, std::string::npos) << text;
  // The second one is counted only.
  EXPECT_EQ(text.find(told, at + 1), std::string::npos) << text;
  ctx.log = null_logger();
}

TEST_F(bridge_test, handshake_stores_nothing) {
  start();
  auto a = send("hello");
  run();
  EXPECT_EQ(a->body, "hello");
  EXPECT_EQ(log->head(), 0);
}

TEST_F(bridge_test, batch_has_a_line_an_event) {
  log->refused.insert("delivery-4");
  start();
  auto a = send("3,4,5");
  run();
  EXPECT_EQ(a->answers, 1);
  EXPECT_EQ(a->status, 200);
  EXPECT_NE(a->body.find("row_refused"), std::string::npos);
  EXPECT_EQ(log->head(), 2);
}

TEST_F(bridge_test, spooled_event_is_202) {
  start();
  log->set_down(error{ec::store_unavailable, "no route"});
  auto a = send(1);
  run();
  EXPECT_EQ(a->status, 202);
  EXPECT_NE(a->body.find("\"spooled\":true"), std::string::npos);
  EXPECT_EQ(line->ready().state, "degraded");
  log->set_down(std::nullopt);
  advance(milliseconds{6'000});
  EXPECT_EQ(log->head(), 1);
  EXPECT_EQ(line->ready().state, "ok");
}

TEST_F(bridge_test, what_the_store_refuses_is_kept_and_can_be_tried_again) {
  start();
  log->refused.insert("delivery-1");
  auto a = send("1,2");
  run();
  EXPECT_EQ(a->answers, 1);
  ASSERT_EQ(log->letters.size(), 1u);
  const auto letter = log->letters.front();
  EXPECT_EQ(letter.origin, "store");
  EXPECT_EQ(letter.platform, "github");
  EXPECT_NE(letter.reason.find("for what it contains"), std::string::npos);
  const auto keeper = ctx.peers->dead_letters.get();
  auto again = request<bool>(keeper, retry_atom_v, letter.id);
  run();
  EXPECT_TRUE(again->failed);
  EXPECT_EQ(log->letters.size(), 1u);
  log->refused.clear();
  again = request<bool>(keeper, retry_atom_v, letter.id);
  run();
  EXPECT_TRUE(again->value);
  EXPECT_TRUE(log->letters.empty());
  EXPECT_EQ(log->head(), 2);
}

TEST_F(bridge_test, those_beyond_the_limit_wait_in_order_then_are_refused) {
  options.queue_maxsize = 2;
  options.queue_wait = milliseconds{500};
  start();
  // Nobody answers while no platform worker is there.
  std::vector<platform_actor> workers;
  for (size_t i = 0; i < 2; ++i)
    ctx.peers->set_platform("github", i, {});
  std::vector<std::shared_ptr<testing::sent>> all;
  for (int i = 0; i < 5; ++i)
    all.push_back(send(i));
  run();
  // Two in flight, two wait, one is too many.
  EXPECT_EQ(line->in_flight(), 4u);
  ASSERT_TRUE(all[4]->failed);
  EXPECT_EQ(all[4]->failed->code, ec::overloaded);
  EXPECT_EQ(all[3]->answers, 0);
  advance(milliseconds{700});
  ASSERT_TRUE(all[2]->failed && all[3]->failed);
  EXPECT_EQ(all[2]->failed->code, ec::overloaded);
  EXPECT_EQ(all[0]->answers, 0);
}

TEST_F(bridge_test, who_waits_behind_others_is_answered_in_time_too) {
  options.queue_maxsize = 2;
  options.queue_wait = milliseconds{10'000};
  options.platforms = {"github", "slack"};
  options.answer_within["slack"] = milliseconds{2'500};
  start();
  for (size_t i = 0; i < 2; ++i)
    ctx.peers->set_platform("github", i, {});
  std::vector<std::shared_ptr<testing::sent>> all;
  for (int i = 0; i < 3; ++i)
    all.push_back(send(i));
  auto hasty = send("3", "slack");
  advance(milliseconds{2'200});
  EXPECT_EQ(hasty->answers, 0);
  advance(milliseconds{300});
  ASSERT_TRUE(hasty->failed);
  EXPECT_EQ(hasty->failed->code, ec::overloaded);
  // The others wait on.
  EXPECT_EQ(line->in_flight(), 3u);
  for (const auto& x : all)
    EXPECT_EQ(x->answers, 0);
}

TEST_F(bridge_test, places_are_given_on) {
  options.queue_maxsize = 3;
  start();
  std::vector<std::shared_ptr<testing::sent>> all;
  for (int i = 0; i < 6; ++i)
    all.push_back(send(i));
  run();
  for (auto& x : all) {
    EXPECT_EQ(x->answers, 1);
    EXPECT_TRUE(x->acknowledged());
  }
  EXPECT_EQ(line->in_flight(), 0u);
}

TEST_F(bridge_test, deadline_of_a_webhook_is_kept) {
  options.accept_timeout = milliseconds{2'000};
  start();
  for (size_t i = 0; i < 2; ++i)
    ctx.peers->set_platform("github", i, {});
  auto a = send(1);
  advance(milliseconds{2'500});
  EXPECT_EQ(a->answers, 1);
  ASSERT_TRUE(a->failed);
  // Not the sender's fault: 503, so that it tries again.
  EXPECT_EQ(a->failed->code, ec::overloaded);
  EXPECT_EQ(line->in_flight(), 0u);
}

TEST_F(bridge_test, sender_that_waits_less_is_answered_in_time) {
  options.accept_timeout = milliseconds{60'000};
  options.answer_within["github"] = milliseconds{2'500};
  start();
  for (size_t i = 0; i < 2; ++i)
    ctx.peers->set_platform("github", i, {});
  auto a = send(1);
  advance(milliseconds{2'200});
  EXPECT_EQ(a->answers, 0);
  advance(milliseconds{300});
  EXPECT_EQ(a->answers, 1);
  ASSERT_TRUE(a->failed);
  EXPECT_EQ(a->failed->code, ec::overloaded);
}

TEST_F(bridge_test, webhook_survives_its_platform_worker) {
  start();
  auto a = send(1);
  // Both die with whatever they have.
  for (size_t i = 0; i < 2; ++i)
    crash(ctx.peers->platform("github"));
  advance(milliseconds{500});
  EXPECT_EQ(a->answers, 1);
  EXPECT_TRUE(a->acknowledged());
  EXPECT_EQ(log->head(), 1);
}

TEST_F(bridge_test, webhook_survives_its_asker) {
  start();
  for (int i = 0; i < 2; ++i)
    crash(ctx.peers->askers.next());
  auto a = send(1);
  advance(milliseconds{500});
  EXPECT_EQ(a->answers, 1);
}

TEST_F(bridge_test, webhook_survives_the_writer_and_is_no_duplicate) {
  start();
  auto a = send(1);
  // Up to where the event is at the store's worker.
  for (int i = 0; i < 4; ++i)
    sched.try_run_once();
  crash(ctx.peers->writer.get());
  advance(milliseconds{1'000});
  EXPECT_EQ(a->answers, 1);
  EXPECT_TRUE(a->acknowledged());
  EXPECT_NE(a->body.find("\"duplicate\":false"), std::string::npos);
  EXPECT_EQ(log->head(), 1);
}

TEST_F(bridge_test, refuses_once_it_stops) {
  start();
  line->refuse();
  auto a = send(1);
  ASSERT_TRUE(a->failed);
  EXPECT_EQ(a->failed->code, ec::shutting_down);
  line->stop();
  bool answered = false;
  line->find({}, [&](expected<std::optional<event_ptr>> x) {
    answered = true;
    EXPECT_FALSE(x);
  });
  EXPECT_TRUE(answered);
  EXPECT_FALSE(open(1));
}

TEST_F(bridge_test, finds_and_queries) {
  start();
  send(7);
  run();
  auto id = log->events().at(0)->id;
  int answers = 0;
  line->find(id, [&](expected<std::optional<event_ptr>> x) {
    ++answers;
    ASSERT_TRUE(x && *x);
    EXPECT_EQ((**x)->event_id, "delivery-7");
  });
  line->find({}, [&](expected<std::optional<event_ptr>> x) {
    ++answers;
    ASSERT_TRUE(x);
    EXPECT_FALSE(*x);
  });
  line->query({}, [&](expected<event_page> x) {
    ++answers;
    ASSERT_TRUE(x);
    EXPECT_EQ(x->events.size(), 1u);
  });
  run();
  EXPECT_EQ(answers, 3);
}

TEST_F(bridge_test, senders_ask_by_their_own_long_texts) {
  start();
  const std::string id(257, 'i');
  const std::string name = std::string(511, 'n') + "\xC3\xA9";
  event_query q;
  q.event_ids = {id, "short"};
  q.actor_names = {name};
  q.source_names = {name, name + "*"};
  line->query(q, [](const expected<event_page>& x) { EXPECT_TRUE(x); });
  run();
  EXPECT_EQ(log->asked.event_ids,
            (std::vector{platforms::bounded_id(id), std::string{"short"}}));
  const std::string kept(511, 'n');
  EXPECT_EQ(log->asked.actor_names, std::vector{kept});
  EXPECT_EQ(log->asked.source_names, (std::vector{kept, name + "*"}));
}

TEST_F(bridge_test, question_is_answered_though_its_actor_dies) {
  start();
  int answers = 0;
  line->query({}, [&](expected<event_page> x) {
    ++answers;
    EXPECT_TRUE(x);
  });
  crash(ctx.peers->reader.get());
  advance(milliseconds{500});
  EXPECT_EQ(answers, 1);
}

TEST_F(bridge_test, question_is_answered_though_the_asker_dies) {
  start();
  int answers = 0;
  for (int i = 0; i < 2; ++i)
    crash(ctx.peers->askers.next());
  line->query({}, [&](expected<event_page>) { ++answers; });
  advance(milliseconds{500});
  EXPECT_EQ(answers, 1);
}

TEST_F(bridge_test, dead_letter_is_tried_again) {
  start();
  dead_letter letter;
  letter.id = make_event(500).id;
  codec::append_native(letter.body, make_event(8));
  letter.origin = "spool";
  log->letters = {letter};
  std::optional<expected<bool>> outcome;
  auto* port = line->processing();
  port->retry_dead_letter(letter.id, [&](auto x) { outcome = std::move(x); });
  advance(milliseconds{10});
  ASSERT_TRUE(outcome && *outcome);
  EXPECT_EQ(log->head(), 1);
  EXPECT_TRUE(log->letters.empty());
  outcome.reset();
  port->retry_dead_letter(letter.id, [&](auto x) { outcome = std::move(x); });
  advance(milliseconds{10});
  ASSERT_TRUE(outcome);
  ASSERT_FALSE(*outcome);
  EXPECT_EQ(outcome->error().code, ec::not_found);
}

TEST_F(bridge_test, default_streams_are_there) {
  start();
  std::vector<std::string> names;
  const auto all = line->subscriptions()->all_streams();
  ASSERT_TRUE(all);
  for (const auto& s : *all)
    names.push_back(s.name);
  EXPECT_EQ(names, (std::vector<std::string>{"all_events", "deployment_events",
                                             "github_events", "high_priority",
                                             "issue_events", "linear_events",
                                             "pr_events", "slack_events"}));
  EXPECT_FALSE(open(1, {}, {}, "nope"));
}

TEST_F(bridge_test, a_stream_may_be_there_until_the_store_was_read) {
  options.keeps_streams = true;
  catalogue->await_store();
  start();
  const auto open_mine = [this] {
    auto out = std::make_shared<
        std::optional<expected<std::shared_ptr<reader_control>>>>();
    lane->readers[1];
    line->open_reader({1, lane, "mine", {}, start_point::after(0)},
                      [out](expected<std::shared_ptr<reader_control>> c) {
                        *out = std::move(c);
                      });
    advance(milliseconds{1'000});
    return *out;
  };
  auto early = open_mine();
  ASSERT_TRUE(early);
  ASSERT_FALSE(*early);
  // Whoever comes back to a stream that is not found is told to stop for good.
  EXPECT_NE(early->error().code, ec::not_found);
  EXPECT_EQ(line->subscriptions()->all_streams().error().code,
            ec::store_unavailable);
  EXPECT_TRUE(open(2, start_point::after(0)));
  auto all = default_streams();
  all.push_back({.name = "mine"});
  catalogue->replace(std::move(all));
  auto later = open_mine();
  ASSERT_TRUE(later);
  EXPECT_TRUE(*later);
  EXPECT_EQ(line->subscriptions()->all_streams()->size(), 9u);
}

TEST_F(bridge_test, a_store_that_keeps_no_streams_says_so) {
  start();
  auto& port = *line->subscriptions();
  std::vector<error> answers;
  const auto note = [&answers](const auto& x) {
    ASSERT_FALSE(x);
    answers.push_back(x.error());
  };
  port.create_stream({.name = "mine"}, note);
  port.delete_stream("mine", note);
  port.list_subscriptions("all_events", note);
  port.create_subscription({}, note);
  port.deliveries("all_events", {}, {}, 10, note);
  ASSERT_EQ(answers.size(), 5u);
  for (const auto& e : answers) {
    EXPECT_EQ(e.code, ec::not_found);
    EXPECT_EQ(e.message, "this store keeps no streams and no subscriptions");
  }
  std::optional<expected<stream_definition>> found;
  port.find_stream("all_events", [&](auto x) { found = std::move(x); });
  ASSERT_TRUE(found && *found);
  port.find_stream("mine", [&](auto x) { found = std::move(x); });
  EXPECT_EQ(found->error().code, ec::not_found);
}

TEST_F(bridge_test, a_reader_s_start_is_told_where_it_is_a_seq) {
  start();
  send(1);
  run();
  EXPECT_EQ(open(1, start_point::after(5))->start(), 5);
  EXPECT_EQ(open(2)->start(), 1);
  EXPECT_LT(open(3, start_point::at(time->now()))->start(), 0);
}

TEST_F(bridge_test, reader_is_served_until_it_lets_go) {
  start();
  auto control = open(1, start_point::after(0));
  ASSERT_TRUE(control);
  control->next(0, -1);
  run();
  send(1);
  run();
  EXPECT_EQ(lane->readers[1].seen, (seqs{1}));
  control.reset();
  run();
  send(2);
  run();
  EXPECT_EQ(lane->readers[1].seen, (seqs{1}));
  EXPECT_TRUE(lane->readers[1].ends.empty());
}

TEST_F(bridge_test, what_is_acknowledged_after_the_opening_is_seen) {
  start();
  send(1);
  run();
  auto control = open(1);
  ASSERT_TRUE(control);
  auto a = send(2);
  run();
  EXPECT_TRUE(a->acknowledged());
  control->next(0, -1);
  run();
  EXPECT_EQ(lane->readers[1].seen, (seqs{2}));
}

TEST_F(bridge_test, reader_is_let_in_while_the_end_of_the_log_is_unknown) {
  log->set_down(error{ec::store_unavailable, "no route"});
  start();
  auto answered = std::make_shared<std::shared_ptr<reader_control>>();
  lane->readers[1];
  line->open_reader({1, lane, "all_events", {}, {}, {}},
                    [answered](expected<std::shared_ptr<reader_control>> c) {
                      ASSERT_TRUE(c);
                      *answered = *c;
                    });
  advance(std::chrono::milliseconds{1'900});
  EXPECT_FALSE(*answered) << "the store may come back";
  advance(std::chrono::milliseconds{200});
  ASSERT_TRUE(*answered);
  (*answered)->next(0, -1);
  log->set_down(std::nullopt);
  advance(std::chrono::milliseconds{6'000});
  send(1);
  run();
  EXPECT_EQ(lane->readers[1].seen, (seqs{1}));
}

/// "ENG-42" has a thread, hidden from those who see a platform only.
class one_thread final : public net::threads_port {
 public:
  static constexpr const char* id = "0190c8a5-0000-7000-8000-000000000042";

  void read(std::string, seq_t, size_t,
            net::reply_to<std::optional<thread_story>> reply) override {
    reply(std::nullopt);
  }
  void recent(thread_query,
              net::reply_to<std::vector<thread_summary>> reply) override {
    reply(std::vector<thread_summary>{});
  }
  void resolve(std::vector<std::string> which, filter visible,
               net::reply_to<std::vector<std::optional<uuid>>> reply) override {
    std::vector<std::optional<uuid>> out;
    for (const auto& one : which)
      if (one == "ENG-42")
        out.push_back(visible.platforms.empty() ? uuid::parse(id) : uuid{});
      else
        out.push_back(std::nullopt);
    reply(std::move(out));
  }
};

TEST_F(bridge_test, keys_in_a_readers_filter_become_their_threads) {
  options.threads = std::make_shared<one_thread>();
  start();
  const auto present = [this](std::vector<std::string> ids,
                              const filter& forced = {}) {
    std::optional<expected<filter>> out;
    filter wanted;
    wanted.platforms = {"github"};
    wanted.correlation_ids = std::move(ids);
    line->present_filter(std::move(wanted), forced,
                         [&out](expected<filter> f) { out = std::move(f); });
    return *out;
  };
  const std::string other = "0190c8a5-0000-7000-8000-000000000001";
  const auto found = present({"ENG-42", other});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->correlation_ids,
            (std::vector<std::string>{one_thread::id, other}));
  EXPECT_EQ(found->platforms, std::vector<std::string>{"github"});
  const auto none = present({"ENG-43"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ec::unprocessable);
  // Whether there is a key is nothing to those who see a part only.
  filter tenant;
  tenant.source_names = {"octo/*"};
  const auto silent = present({"ENG-42", "ENG-43"}, tenant);
  ASSERT_TRUE(silent);
  EXPECT_EQ(silent->correlation_ids,
            (std::vector<std::string>{one_thread::id, "ENG-43"}));
  filter elsewhere;
  elsewhere.platforms = {"slack"};
  const auto hidden = present({"ENG-42", "ENG-43"}, elsewhere);
  ASSERT_TRUE(hidden);
  EXPECT_EQ(hidden->correlation_ids,
            (std::vector<std::string>{to_string(uuid{}), "ENG-43"}));
  filter key;
  key.correlation_ids = {"ENG-43"};
  EXPECT_FALSE(open(1, start_point::after(0), key));
  key.correlation_ids = {"ENG-42"};
  EXPECT_TRUE(open(1, start_point::after(0), key));
}

TEST_F(bridge_test, control_may_outlive_the_end) {
  start();
  auto control = open(1);
  control->next(0, -1);
  run();
  line->end_subscriptions();
  run();
  control->next(1, 5);
  control.reset();
  run();
}

} // namespace

} // namespace eventweft
