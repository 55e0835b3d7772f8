// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/embed/support.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace eventweft::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* pull_request = R"({"action":"opened","number":7,
  "pull_request":{"title":"Mend it","user":{"login":"ada"}},
  "repository":{"id":1,"full_name":"octo/repo"},
  "sender":{"login":"ada","id":3}})";

TEST(EmbedApp, SubmitsWithNothingConfigured) {
  App app{"bare", bare()};
  app.start();
  EXPECT_TRUE(app.running());
  EXPECT_EQ(app.address(), "");
  const auto first = app.submit_custom_event({.platform = "internal",
                                              .event_type = "custom_action",
                                              .payload = R"({"data":"value"})",
                                              .priority = Priority::high,
                                              .event_id = "one"});
  EXPECT_EQ(first.seq, 1);
  EXPECT_FALSE(first.duplicate);
  const auto again = app.submit_custom_event({.platform = "internal",
                                              .event_type = "custom_action",
                                              .event_id = "one"});
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(again.id, first.id);

  const auto event = app.get_event(first.id);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->id(), first.id);
  EXPECT_EQ(event->seq(), 1);
  EXPECT_EQ(event->platform(), "internal");
  EXPECT_EQ(event->event_type(), "custom_action");
  EXPECT_EQ(event->event_id(), "one");
  EXPECT_EQ(event->priority(), Priority::high);
  EXPECT_EQ(event->payload(), R"({"data":"value"})");
  EXPECT_EQ(event->text("data"), "value");
  EXPECT_EQ(event->text("data.more"), std::nullopt);
  EXPECT_THAT(std::string{event->json()}, HasSubstr(first.id));
  EXPECT_TRUE(app.stop());
  EXPECT_FALSE(app.running());
}

TEST(EmbedApp, DeploymentsAreReadLikeThoseThatComeByHttp) {
  App app{"deployments", bare()};
  app.start();
  const auto id = app.submit_deployment_event({.deployment_id = "deploy-123",
                                               .environment = "production",
                                               .status = "success",
                                               .repository_name = "org/repo",
                                               .commit_sha = "abc123",
                                               .branch_name = "main"});
  const auto event = app.get_event(id.id);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->platform(), "deployments");
  EXPECT_EQ(event->event_type(), "deployment:success");
  EXPECT_EQ(event->source_name(), "org/repo");
  EXPECT_EQ(event->priority(), Priority::high);
  EXPECT_EQ(code_thrown_by([&] {
              app.submit_deployment_event({.deployment_id = "x",
                                           .environment = "production",
                                           .status = "NO STATUS"});
            }),
            Errc::unprocessable);
}

TEST(EmbedApp, SimulatesSlashCommandsAsSlackSendsThem) {
  App app{"commands", bare()};
  app.start();
  const auto one = app.simulate_event(
      "slack", "slash_command:/deploys",
      R"({"text":"a&b=\u00fc 100%","user_id":"U1","n":7,"none":null})");
  const auto event = app.get_event(one.id);
  EXPECT_EQ(event->event_type(), "slash_command:/deploys");
  EXPECT_EQ(event->actor_id(), "U1");
  const std::string payload{event->payload()};
  EXPECT_THAT(payload, HasSubstr(R"("command":"/deploys")"));
  EXPECT_THAT(payload, HasSubstr("\"text\":\"a&b=\u00fc 100%\""));
  // A form has texts only.
  EXPECT_THAT(payload, HasSubstr(R"("n":"7")"));
  EXPECT_THAT(payload, Not(HasSubstr("none")));
  // What it says itself counts, and the same once more is another one.
  const auto said = R"({"command":"/other","text":"x"})";
  const auto first = app.simulate_event("slack", "slash_command:/x", said);
  const auto second = app.simulate_event("slack", "slash_command:/x", said);
  EXPECT_EQ(app.get_event(first.id)->event_type(), "slash_command:/other");
  EXPECT_FALSE(second.duplicate);
}

TEST(EmbedApp, SimulatesWhatPlatformsSend) {
  App app{"simulated", bare()};
  app.start();
  const auto seen = [&](const Submitted& s) {
    const auto event = app.get_event(s.id);
    return std::string{event->platform()} + ' ' +
           std::string{event->event_type()} + ' ' +
           std::string{event->source_name()};
  };
  EXPECT_EQ(
      seen(app.simulate_event("github", "pull_request:opened", pull_request)),
      "github pull_request:opened octo/repo");
  EXPECT_EQ(seen(app.simulate_event("github", "issues:closed",
                                    R"( { "issue" : {"number":1} })")),
            "github issues:closed ");
  EXPECT_EQ(seen(app.simulate_event("linear", "Issue:create",
                                    R"({"data":{"id":"i","title":"t"}})")),
            "linear Issue:create ");
  EXPECT_EQ(seen(app.simulate_event(
                "slack", "app_mention",
                R"({"user":"U1","channel":"C1","text":"<@U2> hello"})")),
            "slack app_mention C1");
  EXPECT_EQ(seen(app.simulate_event(
                "slack", "slash_command:/deploys",
                R"({"command":"/deploys","text":"x","channel_id":"C2"})")),
            "slack slash_command:/deploys C2");
  EXPECT_EQ(seen(app.simulate_event(
                "deployments", "deployment:failure",
                R"({"deployment_id":"d1","environment":"staging"})")),
            "deployments deployment:failure ");
  EXPECT_EQ(code_thrown_by([&] { app.simulate_event("nowhere", "x", "{}"); }),
            Errc::not_found);
  EXPECT_EQ(
      code_thrown_by([&] { app.simulate_event("github", "push", "nothing"); }),
      Errc::malformed);
}

TEST(EmbedApp, RefusesWhatIsNoEvent) {
  App app{"refused", bare()};
  EXPECT_EQ(
      code_thrown_by([&] { app.submit_custom_event({.event_type = "x"}); }),
      Errc::not_running);
  EXPECT_EQ(code_thrown_by([&] { app.get_recent_events(); }),
            Errc::not_running);
  app.start();
  EXPECT_EQ(code_thrown_by([&] { app.submit_custom_event({}); }),
            Errc::unprocessable);
  EXPECT_EQ(code_thrown_by([&] {
              app.submit_custom_event({.event_type = "x", .payload = "{"});
            }),
            Errc::malformed);
  // Nothing beside the payload gets in through it.
  EXPECT_EQ(code_thrown_by([&] {
              app.submit_custom_event(
                  {.event_type = "x", .payload = R"(1,"event_type":"y")"});
            }),
            Errc::malformed);
  EXPECT_EQ(code_thrown_by([&] {
              app.submit_custom_event(
                  {.platform = "github", .event_type = "push"});
            }),
            Errc::unprocessable);
  EXPECT_EQ(code_thrown_by([&] { app.get_event("no id"); }), Errc::malformed);
  EXPECT_EQ(app.get_event("01970000-0000-7000-8000-000000000000"),
            std::nullopt);
  EXPECT_EQ(code_thrown_by([&] { app.start(); }), Errc::conflict);
}

TEST(EmbedApp, AsyncSubmitsAnswerThroughTheirFuture) {
  App app{"async", bare()};
  EXPECT_EQ(code_thrown_by([&] {
              app.submit_custom_event_async({.event_type = "x"}).get();
            }),
            Errc::not_running);
  app.start();
  auto refused = app.submit_custom_event_async({.payload = "{"});
  EXPECT_EQ(code_thrown_by([&] { refused.get(); }), Errc::malformed);
  refused = app.simulate_event_async("github", "push", "7");
  EXPECT_EQ(code_thrown_by([&] { refused.get(); }), Errc::unprocessable);
  std::vector<std::future<Submitted>> all;
  for (int i = 0; i < 200; ++i)
    all.push_back(app.submit_custom_event_async({.event_type = "x"}));
  std::vector<int64_t> seqs;
  for (auto& f : all)
    seqs.push_back(f.get().seq);
  std::sort(seqs.begin(), seqs.end());
  EXPECT_EQ(seqs.front(), 1);
  EXPECT_EQ(seqs.back(), 200);
}

TEST(EmbedApp, TellsFiguresAndTheLatestEvents) {
  App app{"figures", bare()};
  app.start();
  for (int i = 0; i < 5; ++i)
    app.submit_custom_event({.event_type = "n" + std::to_string(i)});
  std::vector<std::string> types;
  for (const auto& e : app.get_recent_events(3))
    types.emplace_back(e.event_type());
  EXPECT_THAT(types, ElementsAre("n4", "n3", "n2"));
  const auto figures = app.get_event_metrics();
  EXPECT_EQ(figures.events_received, 5u);
  EXPECT_EQ(figures.events_processed, 5u);
  EXPECT_EQ(figures.head_seq, 5);
  // Streams that nobody reads are there as well.
  EXPECT_THAT(figures.json,
              HasSubstr(R"("all_events":{"active_subscriptions":0)"));
  EXPECT_THAT(figures.json,
              HasSubstr(R"("pr_events":{"active_subscriptions":0)"));
}

TEST(EmbedApp, AFileAndItsFaults) {
  const scratch_directory dir;
  std::ofstream{dir / "good.toml"}
      << "[store]\nurl = \"sqlite:" << (dir / "log.db") << "\"\n"
      << "spool_directory = \"\"\n";
  std::ofstream{dir / "bad.toml"} << "[store]\nurll = \"x\"\n";
  try {
    load_config(dir / "bad.toml");
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::bad_configuration);
    EXPECT_THAT(e.what(), HasSubstr("urll"));
  }
  EXPECT_EQ(code_thrown_by([&] { load_config(dir / "none.toml"); }),
            Errc::bad_configuration);
  std::string id;
  {
    App app{"first", load_config(dir / "good.toml").serve_http(false)};
    app.start();
    id = app.submit_custom_event({.event_type = "kept"}).id;
  }
  App app{"second", load_config(dir / "good.toml").serve_http(false)};
  app.start();
  const auto event = app.get_event(id);
  ASSERT_TRUE(event) << "what was durable is gone";
  EXPECT_EQ(event->event_type(), "kept");
}

TEST(EmbedApp, AStoreInADirectoryThatIsNotThereIsNoneThatIsAway) {
  const scratch_directory dir;
  App app{"typo", bare()
                      .set("store.url", "sqlite:" + (dir / "tpyo/log.db"))
                      .set("store.spool_directory", dir / "spool")};
  EXPECT_EQ(code_thrown_by([&] { app.start(); }), Errc::bad_configuration);
  EXPECT_FALSE(app.running());
}

TEST(EmbedApp, ServesHttpWhereItIsTold) {
  App app{"http", Config{}.set("server.listen", "127.0.0.1:0")};
  app.start();
  EXPECT_THAT(app.address(), HasSubstr("127.0.0.1:"));
  App other{"other", Config{}.set("server.listen", app.address())};
  other.subscribe_to_events("all_events", [](const Event&) {});
  EXPECT_EQ(code_thrown_by([&] { other.start(); }), Errc::conflict);
  EXPECT_FALSE(other.running());
  app.stop();
  EXPECT_EQ(app.address(), "");
}

TEST(EmbedApp, TwoLiveSideBySide) {
  App one{"one", bare()};
  App two{"two", bare()};
  one.start();
  two.start();
  one.submit_custom_event({.event_type = "only.here"});
  EXPECT_EQ(one.get_recent_events().size(), 1u);
  EXPECT_THAT(two.get_recent_events(), IsEmpty());
  one.stop();
  EXPECT_EQ(two.submit_custom_event({.event_type = "x"}).seq, 1);
}

TEST(EmbedApp, StartsAgainAfterAStop) {
  App app{"again", bare()};
  for (int i = 0; i < 3; ++i) {
    app.start();
    EXPECT_EQ(app.submit_custom_event({.event_type = "x"}).seq, 1);
    EXPECT_TRUE(app.stop());
    EXPECT_TRUE(app.stop());
  }
}

TEST(EmbedApp, RunEndsWhenAsked) {
  App app{"run", bare()};
  std::jthread runner{[&] { app.run(); }};
  while (!app.running())
    std::this_thread::sleep_for(1ms);
  EXPECT_FALSE(app.wait(1ms));
  app.request_stop();
  runner.join();
  EXPECT_FALSE(app.running());
}

TEST(EmbedApp, LeavesSignalsAloneUnlessAsked) {
  struct sigaction before {};
  struct sigaction after {};
  ::sigaction(SIGTERM, nullptr, &before);
  sigset_t mask_before;
  sigset_t mask_after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_before);
  App app{"signals", Config{}.set("server.listen", "127.0.0.1:0")};
  app.start();
  ::sigaction(SIGTERM, nullptr, &after);
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
  EXPECT_EQ(sigismember(&mask_before, SIGTERM),
            sigismember(&mask_after, SIGTERM));
  struct sigaction pipe {};
  ::sigaction(SIGPIPE, nullptr, &pipe);
  EXPECT_EQ(pipe.sa_handler, SIG_DFL);
}

// In a process of its own: signals belong to all of it.
[[noreturn]] void run_until_terminated() {
  App app{"signals", bare()};
  App::RunOptions options;
  options.handle_signals = true;
  options.on_start = [] {
    ::kill(::getpid(), SIGHUP);
    ::kill(::getpid(), SIGTERM);
  };
  app.run(options);
  struct sigaction pipe {};
  ::sigaction(SIGPIPE, nullptr, &pipe);
  std::_Exit(pipe.sa_handler == SIG_DFL && !app.running() ? 7 : 8);
}

TEST(EmbedAppDeathTest, HandlesSignalsWhereItIsAskedTo) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(run_until_terminated(), ::testing::ExitedWithCode(7), "");
}

TEST(EmbedApp, LogsToItsHostOnly) {
  notes lines;
  App app{"logging", bare().log_to([&](LogLevel, std::string_view text) {
            lines.add(std::string{text});
          })};
  app.start();
  app.stop();
  EXPECT_THAT(lines.now(), ::testing::Contains(HasSubstr("memory")));
}

TEST(EmbedApp, ItsLinesForgeNoneAndSteerNoTerminal) {
  notes lines;
  App app{"hostile", bare().log_to([&](LogLevel level, std::string_view text) {
            if (level == LogLevel::warn)
              lines.add(std::string{text});
          })};
  app.subscribe_to_events("all_events", [](const Event&) {
    throw std::runtime_error{"a\nb\x1b[2J\xff" + std::string(100'000, 'x')};
  });
  app.start();
  app.submit_custom_event({.event_type = "x"});
  const auto all = lines.wait_for(1);
  app.stop();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_THAT(all[0], HasSubstr("threw: a\\nb\\x1b[2J\\xffxxx"));
  EXPECT_LT(all[0].size(), 2'500u);
}

TEST(EmbedApp, ManyThreadsAtOnce) {
  App app{"threads", bare()};
  app.start();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 100; ++i) {
          app.submit_custom_event({.event_type = "x"});
          app.get_recent_events(1);
          app.get_event_metrics();
        }
      });
  }
  EXPECT_EQ(app.get_event_metrics().head_seq, 800);
}

TEST(EmbedApp, StoppingUnderLoadHurtsNobody) {
  for (int round = 0; round < 5; ++round) {
    App app{"stopping", bare()};
    app.start();
    std::atomic<bool> end = false;
    std::atomic<int> taken = 0;
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        while (!end) {
          try {
            app.submit_custom_event({.event_type = "x"});
            ++taken;
          } catch (const Error&) {
          }
        }
      });
    while (taken < 20)
      std::this_thread::yield();
    app.stop();
    end = true;
  }
}

} // namespace
} // namespace eventweft::testing
