// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/embed/support.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <coroutine>
#include <future>
#include <thread>

namespace eventweft::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class embed_handlers : public ::testing::Test {
 protected:
  // Handlers write to it until the app is gone.
  notes seen;
  App app{"handlers", bare()};

  void submit(const std::string& type) {
    app.submit_custom_event({.platform = "ci", .event_type = type});
  }

  auto note() {
    return [this](const Event& e) { seen.add(std::string{e.event_type()}); };
  }
};

TEST_F(embed_handlers, RunForTheirEventsOnly) {
  app.platform("ci").on("build", note()).on("test:failed", note());
  app.start();
  submit("build:done");
  submit("builds");
  submit("test:failed");
  submit("test:passed");
  submit("build");
  EXPECT_THAT(seen.wait_for(3),
              UnorderedElementsAre("build:done", "test:failed", "build"));
  EXPECT_THAT(app.event_engine().processors(),
              ElementsAre("ci.build", "ci.test.failed"));
}

TEST_F(embed_handlers, PlatformsHaveTheirOwn) {
  app.github().on("pull_request:opened", note());
  app.linear().on("Issue", note());
  app.slack().on("app_mention", note());
  app.deployments().on("deployment:*", note());
  app.start();
  app.simulate_event("github", "pull_request:opened", "{}");
  app.simulate_event("github", "pull_request:closed", "{}");
  app.simulate_event("linear", "Issue:create", R"({"data":{"id":"1"}})");
  app.simulate_event("slack", "app_mention", R"({"user":"U","channel":"C"})");
  app.submit_deployment_event(
      {.deployment_id = "1", .environment = "staging", .status = "success"});
  EXPECT_THAT(seen.wait_for(4),
              UnorderedElementsAre("pull_request:opened", "Issue:create",
                                   "app_mention", "deployment:success"));
}

TEST_F(embed_handlers, AreTriedAgainAndKnowIt) {
  std::atomic<int> tries = 0;
  app.platform("ci").on("build",
                        [&](const Event&, const Attempt& a) {
                          seen.add(std::to_string(a.number) + '/' +
                                   std::to_string(a.max_attempts) + ' ' +
                                   a.idempotency_key);
                          if (++tries < 3)
                            throw std::runtime_error{"on purpose"};
                        },
                        {.max_retries = 4, .retry_delay = 1ms});
  app.start();
  const auto id =
      app.submit_custom_event({.platform = "ci", .event_type = "build"}).id;
  const auto key = " " + id + ":ci.build";
  EXPECT_THAT(seen.wait_for(3),
              ElementsAre("1/5" + key, "2/5" + key, "3/5" + key));
  app.stop();
}

TEST_F(embed_handlers, SeveralForOneTypeGetNamesOfTheirOwn) {
  app.platform("ci").on("build", note()).on("build", note());
  app.start();
  submit("build");
  EXPECT_EQ(seen.wait_for(2).size(), 2u);
  EXPECT_THAT(app.event_engine().processors(),
              ElementsAre("ci.build", "ci.build.2"));
  EXPECT_EQ(code_thrown_by([&] {
              app.platform("ci").on("x", note(), {.name = "ci.build"});
            }),
            Errc::conflict);
  EXPECT_EQ(code_thrown_by([&] {
              app.platform("ci").on("x", note(), {.name = "no name"});
            }),
            Errc::unprocessable);
}

TEST_F(embed_handlers, ComeAndGoWhileItRuns) {
  app.start();
  app.event_engine().register_processor(
      {.name = "late",
       .filter = {.platforms = {"ci"}},
       .handler = note(),
       .options = {.since = Since::earliest()}});
  submit("one");
  EXPECT_THAT(seen.wait_for(1), ElementsAre("one"));
  EXPECT_TRUE(app.event_engine().unregister_processor("late"));
  EXPECT_FALSE(app.event_engine().unregister_processor("late"));
  submit("two");
  app.platform("ci").on("three", note(), {.since = Since::earliest()});
  submit("three");
  EXPECT_THAT(seen.wait_for(2), ElementsAre("one", "three"));
}

// A store in memory has no room for it all, and says so.
TEST(EmbedMemory, WhatIsAcceptedReachesASlowHandler) {
  notes begun;
  notes seen;
  std::promise<void> release;
  const auto released = release.get_future().share();
  App app{"slow", bare().set("store.url", "memory:20")};
  app.platform("ci").on("build", [&](const Event& e) {
    begun.add(std::string{e.id()});
    released.wait();
    seen.add(std::string{e.id()});
  });
  app.start();
  std::vector<std::string> accepted;
  const auto submit = [&] {
    accepted.push_back(
        app.submit_custom_event({.platform = "ci", .event_type = "build"}).id);
  };
  submit();
  ASSERT_EQ(begun.wait_for(1).size(), 1u);
  EXPECT_EQ(code_thrown_by([&] {
              for (int i = 0; i < 1'000; ++i)
                submit();
            }),
            Errc::store_full);
  EXPECT_LE(accepted.size(), 20u);
  release.set_value();
  EXPECT_THAT(seen.wait_for(accepted.size()),
              ::testing::UnorderedElementsAreArray(accepted));
}

TEST_F(embed_handlers, AsynchronousOnesHoldNoWorker) {
  std::mutex mutex;
  std::vector<Completion> open;
  app.platform("ci").on("build",
                        [&](const Event& e, const Attempt&, Completion done) {
                          std::lock_guard guard{mutex};
                          open.push_back(std::move(done));
                          seen.add(std::string{e.event_type()});
                        });
  app.start();
  for (int i = 0; i < 50; ++i)
    submit("build");
  EXPECT_EQ(seen.wait_for(50).size(), 50u);
  {
    std::lock_guard guard{mutex};
    for (const auto& done : open)
      done.done();
    open.clear();
  }
  app.stop();
}

/// Goes on on a thread of its own.
struct elsewhere {
  std::vector<std::jthread>& threads;
  std::mutex& mutex;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) {
    std::lock_guard guard{mutex};
    threads.emplace_back([h] { h.resume(); });
  }
  void await_resume() const noexcept {}
};

TEST_F(embed_handlers, MayBeCoroutines) {
  std::mutex mutex;
  std::vector<std::jthread> threads;
  std::atomic<int> tries = 0;
  app.platform("ci").on("build",
                        [&, tag = std::string{"kept"}](const Event& e) -> Task {
                          co_await elsewhere{threads, mutex};
                          if (++tries == 1)
                            throw std::runtime_error{"on purpose"};
                          seen.add(tag + ' ' + std::string{e.event_type()});
                        },
                        {.retry_delay = 1ms});
  app.start();
  submit("build:done");
  EXPECT_THAT(seen.wait_for(1), ElementsAre("kept build:done"));
  app.stop();
}

/// What the app answers to a pull request's webhook, as text.
std::string answer_to_webhook(const App& app, const std::string& delivery) {
  const auto& at = app.address();
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port =
      htons(static_cast<uint16_t>(std::stoi(at.substr(at.find(':') + 1))));
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const timeval limit{30, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    ::close(fd);
    return "no connection";
  }
  const std::string body = R"({"action":"opened"})";
  const auto request = "POST /github/events HTTP/1.1\r\nHost: x\r\n"
                       "Content-Type: application/json\r\n"
                       "X-GitHub-Event: pull_request\r\n"
                       "X-GitHub-Delivery: " +
                       delivery +
                       "\r\nContent-Length: " + std::to_string(body.size()) +
                       "\r\nConnection: close\r\n\r\n" + body;
  ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
  std::string out;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
    out.append(buffer, static_cast<size_t>(n));
  ::close(fd);
  return out;
}

TEST(EmbedAnswers, ComeFromWhoeverIsMarked) {
  notes seen;
  App app{"answers", Config{}
                         .set("server.listen", "127.0.0.1:0")
                         .set("platforms.github.allow_unsigned", "true")};
  app.event_engine().register_processor(
      {.name = "later",
       .filter = {.platforms = {"github"}},
       .handler =
           [&](const Event&, const Attempt&, Completion done) {
             seen.add("later");
             done.done(Reply{{"message", "from a completion"}});
           },
       .options = {.answers = true}});
  app.event_engine().register_processor(
      {.name = "unasked",
       .filter = {.platforms = {"github"}},
       .handler =
           [&](const Event&) {
             seen.add("unasked");
             return Reply{{"message", "unasked"}};
           },
       .options = {.answers = false}});
  app.start();
  // Whoever has handled one runs, and may be waited for.
  app.simulate_event("github", "pull_request:opened", "{}");
  EXPECT_EQ(seen.wait_for(2).size(), 2u);
  EXPECT_THAT(answer_to_webhook(app, "1"),
              HasSubstr(R"({"message":"from a completion"})"));
  app.event_engine().unregister_processor("later");
  EXPECT_THAT(answer_to_webhook(app, "2"), HasSubstr(R"("duplicate":false)"));
}

TEST(EmbedRules, JoinEventsToThreads) {
  const scratch_directory dir;
  App app{"rules", bare()
                       .set("store.url", "sqlite:" + (dir / "log.db"))
                       .set("store.spool_directory", "")};
  app.event_engine().add_correlation_rule({.name = "ticket",
                                           .filter = {.platforms = {"desk"}},
                                           .key = "ticket:{payload.ticket}"});
  EXPECT_EQ(code_thrown_by([&] {
              app.event_engine().add_correlation_rule(
                  {.name = "bad", .key = "{payload.ticket"});
            }),
            Errc::bad_configuration);
  app.start();
  const auto submit = [&](const char* payload) {
    const auto id =
        app.submit_custom_event(
               {.platform = "desk", .event_type = "note", .payload = payload})
            .id;
    return std::string{app.get_event(id)->correlation_id()};
  };
  const auto first = submit(R"({"ticket":7})");
  const auto second = submit(R"({"ticket":7})");
  const auto other = submit(R"({"ticket":8})");
  EXPECT_EQ(second, first);
  EXPECT_NE(second, "");
  EXPECT_NE(other, second);
  EXPECT_EQ(code_thrown_by([&] {
              app.event_engine().add_correlation_rule(
                  {.name = "late", .key = "x:{payload.x}"});
            }),
            Errc::conflict);
}

TEST(EmbedRules, AreFunctionsToo) {
  const scratch_directory dir;
  App app{"rules", bare()
                       .set("store.url", "sqlite:" + (dir / "log.db"))
                       .set("store.spool_directory", "")};
  auto engine = app.event_engine();
  engine.add_correlation_rule("order", [](const Event& ev) {
    return ev.event_type() == "order" ? "order:" + ev.text("order").value_or("")
                                      : std::string{};
  });
  engine.add_correlation_rule(
      "parcel", [](const Event& ev) -> std::optional<CorrelationKey> {
        const auto order = ev.text("for_order");
        if (!order)
          return std::nullopt;
        return CorrelationKey{.key = "order:" + *order,
                              .type = "deployment_to_issue",
                              .confidence = 0.9F};
      });
  engine.add_correlation_rule("several", [](const Event& ev) {
    std::vector<std::string> keys;
    if (ev.event_type() == "invoice")
      for (const auto* path : {"orders.0", "orders.1"})
        if (const auto order = ev.text(path))
          keys.push_back("order:" + *order);
    return keys;
  });
  engine.add_correlation_rule("throws", [](const Event&) -> std::string {
    throw std::runtime_error{"on purpose"};
  });
  engine.add_correlation_rule("odd", [](const Event& ev) {
    std::vector<CorrelationKey> keys;
    if (ev.event_type() == "odd")
      keys.push_back({.key = "order:1", .type = "no such type"});
    return keys;
  });
  EXPECT_EQ(code_thrown_by([&] {
              engine.add_correlation_rule(
                  "", [](const Event&) { return std::string{}; });
            }),
            Errc::bad_configuration);
  app.start();
  EXPECT_EQ(code_thrown_by([&] {
              engine.add_correlation_rule(
                  "late", [](const Event&) { return std::string{}; });
            }),
            Errc::conflict);
  const auto submit = [&](const char* type, const char* payload) {
    return app
        .submit_custom_event(
            {.platform = "shop", .event_type = type, .payload = payload})
        .id;
  };
  const auto thread_of = [&](const std::string& id) {
    return std::string{app.get_event(id)->correlation_id()};
  };
  const auto one = submit("order", R"({"order":1})");
  const auto two = submit("order", R"({"order":2})");
  const auto parcel = submit("parcel", R"({"for_order":1})");
  const auto odd = submit("odd", "{}");
  EXPECT_EQ(thread_of(parcel), thread_of(one));
  EXPECT_NE(thread_of(parcel), "");
  EXPECT_NE(thread_of(two), thread_of(one));
  EXPECT_EQ(thread_of(odd), "") << "a rule that fails is skipped";
  const auto invoice = submit("invoice", R"({"orders":[1,2]})");
  for (const auto& id : {one, two, parcel})
    EXPECT_EQ(thread_of(id), thread_of(invoice));
}

TEST(EmbedReply, IsAnObjectOfTexts) {
  const Reply r{{"message", "PR \"processed\""}, {"state", "ok"}};
  EXPECT_EQ(r.body, R"({"message":"PR \"processed\"","state":"ok"})");
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ((Reply{{"message", "x"}}).body, R"({"message":"x"})");
  EXPECT_EQ(Reply::text("hi", 202).status, 202);
}

TEST_F(embed_handlers, ThatAreEmptyAreRefused) {
  const std::function<void(const Event&)> nothing;
  EXPECT_EQ(code_thrown_by([&] { app.github().on("push", nothing); }),
            Errc::unprocessable);
  void (*nowhere)(const Event&) = nullptr;
  EXPECT_EQ(code_thrown_by([&] { app.github().on("push", nowhere); }),
            Errc::unprocessable);
}

TEST(EmbedHandler, KnowsWhetherItAnswers) {
  EXPECT_TRUE(Handler([](const Event&) { return Reply{}; }).answers());
  EXPECT_FALSE(Handler([](const Event&) {}).answers());
  EXPECT_TRUE(
      Handler([](const Event&) -> ReplyTask { co_return Reply{}; }).answers());
  EXPECT_FALSE(Handler([](const Event&) -> Task { co_return; }).answers());
}

} // namespace
} // namespace eventweft::testing
