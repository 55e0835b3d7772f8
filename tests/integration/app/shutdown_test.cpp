// SPDX-License-Identifier: Apache-2.0
// The end comes in time, also where the store does not.
#include "app/actor_host.hpp"
#include "app/service.hpp"
#include "app/shutdown.hpp"
#include "net/backend.hpp"
#include "persistence/store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <thread>

namespace eventweft {
namespace {

using namespace std::chrono_literals;

TEST(shutdown_plan, LeavesEachPartSomething) {
  for (const auto whole : {15'000ms, 2'000ms, 100ms, 8ms}) {
    const shutdown_plan plan{whole};
    EXPECT_GT(plan.server, 0ms);
    EXPECT_LT(plan.server, plan.store);
    EXPECT_LT(plan.store, plan.actors);
    EXPECT_LT(plan.actors, whole);
  }
  const shutdown_plan none{1ms};
  EXPECT_LE(none.server, 1ms);
  EXPECT_LE(none.store, 1ms);
  EXPECT_LE(none.actors, 1ms);
}

TEST(alarm_clock, RingsAtItsTime) {
  std::promise<void> rung;
  const alarm_clock clock{std::chrono::steady_clock::now() + 1ms,
                          [&] { rung.set_value(); }};
  rung.get_future().wait();
}

TEST(alarm_clock, KeepsSilentOnceItIsGone) {
  std::atomic<int> rings = 0;
  {
    const alarm_clock clock{std::chrono::steady_clock::now() + 1h,
                            [&] { ++rings; }};
  }
  EXPECT_EQ(rings, 0);
}

/// A hub whose file somebody else holds, and whose own limits are so long that
/// it would wait for that for an hour.
class locked_store : public ::testing::Test {
 protected:
  locked_store() {
    auto pattern =
        (std::filesystem::temp_directory_path() / "locked-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = (directory_ / "log.db").string();
    settings_.store.url = "sqlite:" + path_;
    settings_.store.spool_directory = (directory_ / "spool").string();
    settings_.store.spool_after = 1h;
    settings_.database.lock_timeout = 1h;
    settings_.server.listen = "127.0.0.1:0";
    settings_.server.shutdown_timeout = 800ms;
    settings_.platforms["events"].allow_unsigned = true;
    auto log = std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::null_sink_mt>());
    hub_ = std::make_unique<service>(settings_, log, [](const std::string&) {});
  }

  ~locked_store() override {
    hub_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::unique_ptr<SQLite::Database> hold() const {
    auto holder = std::make_unique<SQLite::Database>(
        path_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    holder->exec("BEGIN IMMEDIATE");
    return holder;
  }

  config::settings settings_;
  std::filesystem::path directory_;
  std::string path_;
  std::unique_ptr<service> hub_;
};

TEST_F(locked_store, TheHubEndsAlthoughAnEventWaitsForIt) {
  const auto address = hub_->start();
  ASSERT_TRUE(address) << to_string(address.error());
  const auto held = hold();
  webhook w;
  w.platform = "events";
  w.method = "POST";
  w.headers.emplace_back("content-type", "application/json");
  w.body =
      shared_text{R"({"platform":"ci","event_type":"build","payload":{}})"};
  w.received_at = system_clock{}.now();
  const auto stored = std::make_shared<std::atomic<bool>>(false);
  hub_->actors().backend().accept(std::move(w),
                                  [stored](expected<webhook_answer> answer) {
                                    *stored = answer && answer->status == 200;
                                  });
  EXPECT_FALSE(hub_->stop());
  EXPECT_FALSE(*stored);
}

TEST_F(locked_store, AStartThatWaitsForItIsBrokenOff) {
  ASSERT_TRUE((*open_store({settings_.store.url}))->migrate());
  const auto held = hold();
  auto started = std::async(std::launch::async, [&] { return hub_->start(); });
  hub_->give_up();
  const auto outcome = started.get();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ec::shutting_down);
}

} // namespace
} // namespace eventweft
