// SPDX-License-Identifier: Apache-2.0
#include "app/actor_host.hpp"
#include "tests/support/whole.hpp"

#include <future>

namespace eventweft {

namespace {

using std::chrono::milliseconds;

/// The same tree as in production, with real threads and the machine's time.
class actor_host_test : public ::testing::Test {
 protected:
  std::shared_ptr<testing::memory_log> log =
      std::make_shared<testing::memory_log>();
  std::shared_ptr<testing::memory_spool_content> spooled =
      std::make_shared<testing::memory_spool_content>();

  std::unique_ptr<actor_host> start() {
    actor_host_parts parts;
    parts.store = std::make_shared<testing::memory_store>(log);
    parts.open_spool = [s = spooled] {
      return std::make_unique<testing::memory_spool>(s);
    };
    parts.figures = std::make_shared<metrics>();
    parts.log = null_logger();
    parts.time = std::make_shared<system_clock>();
    parts.random = std::make_shared<system_random>();
    parts.platforms = {
        std::make_shared<testing::number_platform>(parts.random)};
    return std::make_unique<actor_host>(std::move(parts));
  }

  static std::future<expected<webhook_answer>> send(net::backend& to,
                                                    int number) {
    auto promise = std::make_shared<std::promise<expected<webhook_answer>>>();
    webhook w;
    w.platform = "github";
    w.method = "POST";
    w.body = shared_text{std::to_string(number)};
    w.received_at = system_clock{}.now();
    to.accept(std::move(w), [promise](expected<webhook_answer> a) {
      promise->set_value(std::move(a));
    });
    return promise->get_future();
  }
};

TEST_F(actor_host_test, takes_webhooks_and_stops_cleanly) {
  auto host = start();
  std::vector<std::future<expected<webhook_answer>>> all;
  for (int i = 0; i < 500; ++i)
    all.push_back(send(host->backend(), i));
  for (auto& x : all) {
    auto a = x.get();
    ASSERT_TRUE(a) << to_string(a.error());
    EXPECT_EQ(a->status, 200);
  }
  EXPECT_EQ(log->head(), 500);
  EXPECT_TRUE(host->stop(milliseconds{30'000}));
}

TEST_F(actor_host_test, what_is_in_flight_at_the_end_is_answered) {
  auto host = start();
  std::vector<std::future<expected<webhook_answer>>> all;
  for (int i = 0; i < 300; ++i)
    all.push_back(send(host->backend(), i));
  EXPECT_TRUE(host->stop(milliseconds{30'000}));
  size_t acknowledged = 0;
  for (auto& x : all)
    if (x.get())
      ++acknowledged;
  EXPECT_EQ(acknowledged, 300u);
  auto late = send(host->backend(), 1'000).get();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ec::shutting_down);
}

TEST_F(actor_host_test, goes_on_when_actors_crash) {
  auto host = start();
  for (int round = 0; round < 5; ++round) {
    if (auto h = host->peers().writer.get())
      caf::anon_send_exit(h, caf::exit_reason::kill);
    if (auto h = host->peers().hub.get())
      caf::anon_send_exit(h, caf::exit_reason::kill);
    std::vector<std::future<expected<webhook_answer>>> all;
    for (int i = 0; i < 20; ++i)
      all.push_back(send(host->backend(), round * 20 + i));
    for (auto& x : all)
      EXPECT_TRUE(x.get());
  }
  EXPECT_EQ(log->head(), 100);
}

TEST_F(actor_host_test, ends_by_itself) {
  auto host = start();
  send(host->backend(), 1).get();
  host.reset();
  EXPECT_EQ(log->head(), 1);
}

} // namespace

} // namespace eventweft
