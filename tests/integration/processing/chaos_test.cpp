// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/processing/hub.hpp"
#include "tests/support/postgres_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>

namespace eventweft::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// Two handlers, so many at a time: one that always works and says what it saw,
/// and one that aborts, fails or hangs every now and then before it does.
std::string handlers(int at_once) {
  const auto number = std::to_string(at_once);
  return R"(
[event]
max_workers = )" +
         std::to_string(2 * at_once) + R"(
[processors.steady]
command = ["sh", "-c", "echo $EVENTWEFT_IDEMPOTENCY_KEY >> steady"]
concurrency = )" +
         number + R"(
[processors.moody]
command = ["sh", "-c", '''
case $(($(od -An -N1 -tu1 /dev/urandom) % 10)) in
  0) kill -ABRT $$ ;;
  1) exit 7 ;;
  2) sleep 30 ;;
esac
echo $EVENTWEFT_IDEMPOTENCY_KEY >> moody''']
concurrency = )" +
         number + R"(
max_retries = 50
retry_delay = 0.02
max_retry_delay = 0.2
timeout = 1.5
)";
}

int number_from(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text ? std::atoi(text) : otherwise;
}

class chaos_test : public ::testing::TestWithParam<std::string_view> {
 protected:
  void make(const std::string& config) {
    std::string url = "sqlite:hub.db";
    if (GetParam() == "postgres") {
      server = std::make_unique<postgres_server>();
      url = server->create_database();
    }
    hub = std::make_unique<hub_process>(url, config);
  }

  // How often each key is in the file.
  std::map<std::string, int> seen(const std::string& file) const {
    std::map<std::string, int> out;
    for (const auto& line : hub->lines(file))
      ++out[line];
    return out;
  }

  std::unique_ptr<postgres_server> server;
  std::unique_ptr<hub_process> hub;
};

TEST_P(chaos_test, KilledAtRandomEveryProcessorSeesEveryEvent) {
  const int events = number_from("EVENTWEFT_CHAOS_EVENTS", 60);
  const int kills = number_from("EVENTWEFT_CHAOS_KILLS", 3);
  // Two programs are started for each.
  const auto patience = 60s + std::chrono::seconds{events / 20};
  make(handlers(std::clamp(events / 300, 2, 64)));
  hub->start();
  std::atomic<bool> down = false;
  std::atomic<int> sent = 0;
  std::jthread sender{[&](const std::stop_token& stop) {
    for (int i = 0; i < events && !stop.stop_requested();) {
      if (!down && hub->send("e" + std::to_string(i))) {
        ++i;
        ++sent;
      } else {
        std::this_thread::sleep_for(20ms);
      }
    }
  }};
  std::mt19937 random{std::random_device{}()};
  for (int i = 0; i < kills; ++i) {
    const auto enough = (i + 1) * events / (kills + 1);
    ASSERT_TRUE(eventually([&] { return sent >= enough; }, patience));
    std::this_thread::sleep_for(std::chrono::milliseconds{random() % 400});
    down = true;
    hub->kill();
    // The sender may still have the old address in hand.
    hub->start();
    down = false;
  }
  ASSERT_TRUE(eventually([&] { return sent == events; }, patience));
  const auto all = static_cast<size_t>(events);
  EXPECT_TRUE(
      eventually([&] { return seen("steady").size() == all; }, patience))
      << seen("steady").size() << '\n'
      << hub->log();
  EXPECT_TRUE(eventually([&] { return seen("moody").size() == all; }, patience))
      << seen("moody").size() << '\n'
      << hub->log();
  // A crash repeats what was done and not written, no more than that.
  size_t repeated = 0;
  for (const auto& [key, times] : seen("steady"))
    repeated += static_cast<size_t>(times - 1);
  EXPECT_LE(repeated, static_cast<size_t>(kills) * 100);
  RecordProperty("repeated", static_cast<int>(repeated));
  // Nothing is left over: no dead letters, and nothing comes twice later on.
  const auto letters =
      hub->ask({"GET", "/api/v1/dead-letters?origin=processor", {}, {}});
  ASSERT_TRUE(letters);
  EXPECT_THAT(letters->body, HasSubstr(R"("dead_letters":[])"));
  std::this_thread::sleep_for(1'500ms);
  const auto before = hub->lines("steady").size();
  EXPECT_EQ(hub->stop(), 0);
  hub->start();
  std::this_thread::sleep_for(1'000ms);
  EXPECT_EQ(hub->lines("steady").size(), before);
}

TEST_P(chaos_test, WithoutACrashEachIsSeenOnce) {
  make(handlers(2));
  hub->start();
  for (int i = 0; i < 30; ++i)
    ASSERT_TRUE(hub->send("e" + std::to_string(i)));
  EXPECT_TRUE(eventually([&] { return seen("moody").size() == 30; }));
  EXPECT_TRUE(eventually([&] { return seen("steady").size() == 30; }));
  // Another one of the same id is no other event.
  ASSERT_TRUE(hub->send("e0"));
  std::this_thread::sleep_for(1'500ms);
  EXPECT_EQ(hub->lines("steady").size(), 30u);
  const auto first = hub->ask({"GET", "/api/v1/events?order=asc&limit=1"});
  ASSERT_TRUE(first);
  EXPECT_THAT(first->body, ::testing::Not(HasSubstr(R"("processed_at":null)")));
  EXPECT_EQ(hub->stop(), 0);
}

TEST_P(chaos_test, AStopRepeatsNothingAndLosesNothing) {
  make(handlers(2));
  hub->start();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 10; ++i)
      ASSERT_TRUE(hub->send("e" + std::to_string(10 * round + i)));
    EXPECT_EQ(hub->stop(), 0) << hub->log();
    hub->start();
  }
  EXPECT_TRUE(eventually([&] { return seen("steady").size() == 30; }))
      << hub->log();
  std::this_thread::sleep_for(1'000ms);
  EXPECT_EQ(hub->lines("steady").size(), 30u);
  // However long it took to start: what came in meanwhile was new to it.
  EXPECT_THAT(hub->log(), HasSubstr("processor steady starts after event 0"));
}

TEST_P(chaos_test, WhatIsGivenUpCanBeTriedAgain) {
  make(R"(
[processors.gate]
command = ["sh", "-c", "test -e open && echo $EVENTWEFT_IDEMPOTENCY_KEY >> gate"]
max_retries = 1
retry_delay = 0.01
)");
  hub->start();
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(hub->send("e" + std::to_string(i)));
  const auto letters = [&] {
    const auto answer =
        hub->ask({"GET", "/api/v1/dead-letters?origin=processor:gate", {}, {}});
    size_t count = 0;
    if (answer)
      for (size_t at = 0;
           (at = answer->body.find("\"origin\"", at)) != std::string::npos;
           ++at)
        ++count;
    return count;
  };
  ASSERT_TRUE(eventually([&] { return letters() == 5; })) << hub->log();
  std::ofstream{hub->directory() / "open"} << "yes";
  const auto begun = hub->ask(
      {"POST", "/api/v1/dead-letters/retry?origin=processor:gate", {}, {}});
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->status, 202);
  EXPECT_TRUE(eventually([&] { return seen("gate").size() == 5; }));
  EXPECT_TRUE(eventually([&] { return letters() == 0; }));
}

TEST_P(chaos_test, AHandlerAnswersTheWebhook) {
  make(R"(
[processors.reply]
command = ["sh", "-c", "echo '{\"message\":\"seen\"}'"]
answers = true
)");
  hub->start();
  const auto post = [&](const std::string& id) {
    return hub->ask({"POST",
                     "/events",
                     {{"content-type", "application/json"}},
                     R"({"platform":"custom","event_id":")" + id +
                         R"(","event_type":"t","payload":{}})"});
  };
  // A slow machine may take longer than an answer waits to get started; the
  // plain answer is right then.
  int n = 0;
  ASSERT_TRUE(eventually([&] {
    const auto answer = post("e" + std::to_string(++n));
    return answer && answer->status == 200 &&
           answer->body == "{\"message\":\"seen\"}\n";
  })) << hub->log();
  // It was durable first; a redelivery gets the plain answer.
  const auto again = post("e" + std::to_string(n));
  ASSERT_TRUE(again);
  EXPECT_THAT(again->body, HasSubstr(R"("duplicate":true)"));
}

// As some service managers and scripting languages start what they start.
TEST_P(chaos_test, ProgramsRunOnceThoughSigchldWasIgnored) {
  make(R"(
[processors.once]
command = ["sh", "-c", "echo $EVENTWEFT_IDEMPOTENCY_KEY >> once"]
retry_delay = 0.02
max_retry_delay = 0.02
)");
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  hub->start();
  std::signal(SIGCHLD, before);
  ASSERT_TRUE(hub->send("e1"));
  ASSERT_TRUE(eventually([&] { return !hub->lines("once").empty(); }))
      << hub->log();
  // A clean end waits for what is to come of it.
  EXPECT_EQ(hub->stop(), 0);
  EXPECT_THAT(hub->log(), Not(HasSubstr("attempt 1 failed")));
  EXPECT_EQ(hub->lines("once").size(), 1u);
}

TEST_P(chaos_test, ABatchKeepsItsResultsBesideReplies) {
  make(R"(
[processors.reply]
command = ["sh", "-c", "echo dep"]
event_types = ["answered"]
answers = true
)");
  hub->start();
  const auto item_of = [](const std::string& key, const char* type) {
    return R"({"event_id":")" + key + R"(","event_type":")" + type + R"("})";
  };
  // As above, a slow machine may not answer in time at first.
  int n = 0;
  ASSERT_TRUE(eventually([&] {
    const auto key = "b" + std::to_string(++n);
    const auto answer =
        hub->ask({"POST",
                  "/events",
                  {{"content-type", "application/json"}},
                  "[" + item_of(key + "-1", "answered") + "," +
                      item_of(key + "-2", "plain") + R"(,{"bad":1},)" +
                      item_of(key + "-3", "answered") + "]"});
    if (!answer)
      return false;
    EXPECT_EQ(answer->status, 200);
    EXPECT_THAT(answer->content_type, HasSubstr("application/json"));
    EXPECT_THAT(answer->body, HasSubstr(R"("detail":"item 2: /bad)"));
    constexpr std::string_view reply =
        R"("reply":{"status":200,"content_type":"text/plain; charset=utf-8",)"
        R"("body":"dep\n"})";
    const auto first = answer->body.find(reply);
    return first != std::string::npos &&
           answer->body.find(reply, first + 1) != std::string::npos;
  })) << hub->log();
}

INSTANTIATE_TEST_SUITE_P(
    Engines, chaos_test, ::testing::Values("sqlite", "postgres"),
    [](const ::testing::TestParamInfo<std::string_view>& which) {
      return std::string{which.param};
    });

} // namespace
} // namespace eventweft::testing
