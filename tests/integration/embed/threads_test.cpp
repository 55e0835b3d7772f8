// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/embed/support.hpp"

#include <future>
#include <memory>
#include <thread>
#include <utility>

namespace eventweft::testing {
namespace {

using ::testing::ElementsAre;

/// Whether `f` returns on a thread of its own. If not, the thread is left
/// behind with all that it holds, so that the test fails instead of hanging.
template <class F>
bool returns(F f) {
  std::promise<void> done;
  auto over = done.get_future();
  std::thread{[f = std::move(f), done = std::move(done)]() mutable {
    f();
    done.set_value();
  }}.detach();
  return over.wait_for(30s) == std::future_status::ready;
}

auto shared_app(const char* name) {
  return std::make_shared<App>(name, bare());
}

TEST(EmbedAppThreads, StopsOnAnotherOneThanItWasStartedOn) {
  auto app = shared_app("started-here");
  app->start();
  ASSERT_TRUE(returns([app] { EXPECT_TRUE(app->stop()); }));
  EXPECT_FALSE(app->running());
}

TEST(EmbedAppThreads, GoesAwayOnAnotherOneThanItWasStartedOn) {
  auto app = std::make_unique<App>("passed-on", bare());
  app->start();
  EXPECT_TRUE(returns([app = std::move(app)]() mutable { app.reset(); }));
}

TEST(EmbedAppThreads, CleansUpOnAnotherOneThanItWasStartedOn) {
  auto app = shared_app("cleaned-there");
  app->start();
  ASSERT_TRUE(returns([app] { app->cleanup(); }));
  EXPECT_FALSE(app->running());
}

TEST(EmbedAppThreads, StopsWhileOneThatSubscribedLives) {
  auto app = shared_app("subscribed-here");
  auto seen = std::make_shared<notes>();
  ASSERT_TRUE(returns([app] { app->start(); }));
  const auto note = [seen](const Event& e) {
    seen->add(std::string{e.event_type()});
  };
  app->subscribe_to_events("all_events", note);
  app->streaming().subscribe_internal("all_events", note);
  app->submit_custom_event({.event_type = "x"});
  EXPECT_THAT(seen->wait_for(2), ElementsAre("x", "x"));
  EXPECT_TRUE(returns([app] { EXPECT_TRUE(app->stop()); }));
}

TEST(EmbedAppThreads, StopsAfterAHandlerSubscribed) {
  auto app = shared_app("subscribed-there");
  auto seen = std::make_shared<notes>();
  app->platform("ci").on("build", [seen, a = app.get()](const Event&) {
    const auto id = a->subscribe_to_events("all_events", [](const Event&) {});
    a->unsubscribe_from_events(id);
    a->subscribe_to_events("all_events", [](const Event&) {});
    seen->add("subscribed");
  });
  ASSERT_TRUE(returns([app] { app->start(); }));
  app->submit_custom_event({.platform = "ci", .event_type = "build"});
  EXPECT_THAT(seen->wait_for(1), ElementsAre("subscribed"));
  EXPECT_TRUE(returns([app] { EXPECT_TRUE(app->stop()); }));
}

} // namespace
} // namespace eventweft::testing
