// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/embed/support.hpp"

#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

namespace eventweft::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A child begins the test anew; it works where its parent does.
constexpr const char* place = "EVENTWEFT_TEST_DEATHS_STORE";

ProcessorOptions twice(const std::string& name) {
  ProcessorOptions options;
  options.name = name;
  options.max_retries = 1;
  options.since = Since::earliest();
  return options;
}

Config stored() {
  return Config{}
      .serve_http(false)
      .set("store.url", std::string{"sqlite:"} + std::getenv(place))
      .set("store.spool_directory", "");
}

/// The handler ends the process with one event; with another one it is cut off
/// by that each time.
void run_into_it() {
  App app{"deaths", stored()};
  app.platform("ci").on(
      "*",
      [](const Event& e) {
        if (e.event_type() == "deadly")
          std::abort();
        std::this_thread::sleep_for(60s);
      },
      twice("both"));
  app.start();
  app.wait(60s);
  std::_Exit(9);
}

TEST(EmbedAppDeathTest, AHandlerThatEndsItsHostIsGivenUpAndNoOther) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  std::unique_ptr<scratch_directory> made;
  if (std::getenv(place) == nullptr) {
    made = std::make_unique<scratch_directory>();
    ::setenv(place, (*made / "deaths.db").c_str(), 1);
    App app{"deaths", stored()};
    app.start();
    app.submit_custom_event({.platform = "ci", .event_type = "deadly"});
    app.submit_custom_event({.platform = "ci", .event_type = "harmless"});
  }
  // The first one nobody could foresee; then there are two attempts.
  EXPECT_EXIT(run_into_it(), ::testing::KilledBySignal(SIGABRT), "");
  EXPECT_EXIT(run_into_it(), ::testing::KilledBySignal(SIGABRT), "");
  EXPECT_EXIT(run_into_it(), ::testing::KilledBySignal(SIGABRT), "");
  notes lines;
  notes seen;
  App app{"deaths", stored().log_to([&](LogLevel, std::string_view text) {
            lines.add(std::string{text});
          })};
  app.platform("ci").on(
      "*", [&](const Event& e) { seen.add(std::string{e.event_type()}); },
      twice("both"));
  app.start();
  EXPECT_THAT(seen.wait_for(1), ElementsAre("harmless"));
  EXPECT_TRUE(app.stop());
  ::unsetenv(place);
  EXPECT_THAT(lines.now(),
              Contains(AllOf(HasSubstr("dead letter"), HasSubstr("both"),
                             HasSubstr("cut off: the process ended"))));
  EXPECT_THAT(lines.now(), Not(Contains(HasSubstr("not there any more"))))
      << "handlers come while the app starts";
}

} // namespace
} // namespace eventweft::testing
