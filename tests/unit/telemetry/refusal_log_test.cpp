// SPDX-License-Identifier: Apache-2.0
#include "telemetry/refusal_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>

namespace eventweft {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class refusals : public testing::Test {
 protected:
  void refuse(std::string_view platform, std::string why) {
    log_.refused(platform, {ec::unauthorized, std::move(why)});
  }

  /// What was written since the last call.
  std::string written() {
    auto text = out_.str();
    out_.str({});
    return text;
  }

  std::ostringstream out_;
  std::shared_ptr<manual_clock> time_ =
      std::make_shared<manual_clock>(*parse_rfc3339("2026-01-31T12:00:00Z"));
  refusal_log log_{
      std::make_shared<spdlog::logger>(
          "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(out_)),
      time_};
};

TEST_F(refusals, SayWhatIsWrongAndWhereToSetItRight) {
  refuse("github", "no proof");
  const auto line = written();
  EXPECT_THAT(line, HasSubstr("[warning]"));
  EXPECT_THAT(line, HasSubstr("a webhook of github was refused: no proof;"));
  EXPECT_THAT(line, HasSubstr("[platforms.github] secrets"));
}

TEST_F(refusals, AreToldOnceAMinuteForEachReason) {
  refuse("github", "no proof");
  EXPECT_THAT(written(), HasSubstr("no proof"));
  for (int i = 0; i < 1'000; ++i)
    refuse("github", "no proof");
  EXPECT_THAT(written(), IsEmpty());
  refuse("github", "wrong");
  EXPECT_THAT(written(), HasSubstr("wrong"));
  refuse("linear", "no proof");
  EXPECT_THAT(written(), HasSubstr("linear"));
  time_->advance(60s);
  refuse("github", "no proof");
  EXPECT_THAT(written(), HasSubstr("1001 times"));
  time_->advance(60s);
  refuse("github", "no proof");
  EXPECT_THAT(written(), Not(HasSubstr("times")));
}

TEST_F(refusals, OfEndlessReasonsFillNeitherMemoryNorLog) {
  for (int i = 0; i < 10'000; ++i)
    refuse("github", "reason " + std::to_string(i));
  const auto text = written();
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 300);
}

} // namespace
} // namespace eventweft
