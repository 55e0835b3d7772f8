// SPDX-License-Identifier: Apache-2.0
#include "codec/payload.hpp"
#include "telemetry/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace eventweft {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class log_test : public ::testing::Test {
 protected:
  log_test() {
    auto name =
        (std::filesystem::temp_directory_path() / "log-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~log_test() override { std::filesystem::remove_all(directory_); }

  logger_ptr make(const std::string& format, const std::string& level) {
    file_ = (directory_ / "log").string();
    return make_logger({level, format, file_}).value();
  }

  std::vector<std::string> lines() {
    std::vector<std::string> out;
    std::ifstream in{file_};
    for (std::string line; std::getline(in, line);)
      out.push_back(line);
    return out;
  }

  std::filesystem::path directory_;
  std::string file_;
  uuid id_ = *uuid::parse("01970000-0000-7000-8000-000000000001");
};

TEST_F(log_test, JsonHasComponentEventAndMessage) {
  component_logs logs{make("json", "debug")};
  const auto log = logs.get("stream_hub");
  log_event(*log, id_, "seq {} and \"quotes\"", 7);
  log->info("event=no id, just text");
  log->flush();
  const auto all = lines();
  ASSERT_EQ(all.size(), 2u);
  codec::payload_reader reader;
  auto root = reader.parse(all[0]);
  ASSERT_TRUE(root) << all[0];
  EXPECT_EQ(codec::string_at(*root, "/event"), to_string(id_));
  EXPECT_EQ(codec::string_at(*root, "/component"), "stream_hub");
  EXPECT_EQ(codec::string_at(*root, "/level"), "debug");
  EXPECT_EQ(codec::string_at(*root, "/message"), "seq 7 and \"quotes\"");
  root = reader.parse(all[1]);
  ASSERT_TRUE(root) << all[1];
  EXPECT_EQ(codec::string_at(*root, "/event"), "");
  EXPECT_EQ(codec::string_at(*root, "/message"), "event=no id, just text");
}

TEST_F(log_test, WhatFailsOfAnEventNamesItToo) {
  component_logs logs{make("json", "warn")};
  const auto log = logs.get("processing_engine");
  log_event(*log, id_, "not seen");
  log_event(*log, spdlog::level::warn, id_, "attempt {} failed", 2);
  log->flush();
  const auto all = lines();
  ASSERT_EQ(all.size(), 1u);
  codec::payload_reader reader;
  const auto root = reader.parse(all[0]);
  ASSERT_TRUE(root) << all[0];
  EXPECT_EQ(codec::string_at(*root, "/event"), to_string(id_));
  EXPECT_EQ(codec::string_at(*root, "/level"), "warn");
  EXPECT_EQ(codec::string_at(*root, "/message"), "attempt 2 failed");
}

TEST_F(log_test, TextNamesThem) {
  component_logs logs{make("text", "debug")};
  log_event(*logs.get("storage_writer"), id_, "committed");
  logs.get("storage_writer")->flush();
  EXPECT_THAT(lines(), ElementsAre(HasSubstr("[storage_writer] event=" +
                                             to_string(id_) + " committed")));
}

// A program's standard error, say.
TEST_F(log_test, TextOfOthersForgesNoLineAndSteersNoTerminal) {
  component_logs logs{make("text", "info")};
  const auto log = logs.get("processing_engine");
  using namespace std::string_view_literals;
  log->warn("exit code 1: {}", "a\r\n2026-01-31T12:00:00.000Z error [x] b\n\tc"
                               "\x1b[2J\0\x7f \xc2\x9b \xc3\xbc \xc2\xa0"sv);
  log->warn("{}", "\xc2");
  log->warn("{}", "no \xff\xfe\xc3( \xed\xa0\x80 \xe2\x82\xac");
  log->flush();
  EXPECT_THAT(
      lines(),
      ElementsAre(::testing::EndsWith(
                      "exit code 1: a\\r\\n2026-01-31T12:00:00.000Z error [x] "
                      "b\\n\\tc\\x1b[2J\\x00\\x7f \\u009b \xc3\xbc \xc2\xa0"),
                  ::testing::EndsWith("\\xc2"),
                  ::testing::EndsWith("no \\xff\\xfe\\xc3( \\xed\\xa0\\x80 "
                                      "\xe2\x82\xac")));
}

TEST_F(log_test, EachPartHasALevelOfItsOwn) {
  component_logs logs{make("text", "info")};
  const auto hub = logs.get("stream_hub");
  const auto writer = logs.get("storage_writer");
  EXPECT_EQ(logs.get("stream_hub"), hub);
  ASSERT_TRUE(logs.set_level("stream_hub", "debug"));
  hub->debug("seen");
  writer->debug("not seen");
  hub->flush();
  EXPECT_THAT(lines(), ElementsAre(HasSubstr("seen")));
  EXPECT_THAT(logs.levels(),
              ElementsAre(Pair("*", "info"), Pair("storage_writer", "info"),
                          Pair("stream_hub", "debug")));
  ASSERT_TRUE(logs.set_level("*", "warn"));
  EXPECT_FALSE(hub->should_log(spdlog::level::info));
  EXPECT_EQ(logs.get("later")->level(), spdlog::level::warn);
  EXPECT_THAT(logs.levels().front(), Pair("*", "warn"));
}

TEST_F(log_test, RefusesWhatItDoesNotKnow) {
  component_logs logs{make("text", "info")};
  EXPECT_EQ(logs.set_level("nobody", "debug").error().code, ec::not_found);
  EXPECT_EQ(logs.set_level("*", "loud").error().code, ec::unprocessable);
  EXPECT_TRUE(logs.set_level("*", "off"));
}

} // namespace
} // namespace eventweft
