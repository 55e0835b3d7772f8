// SPDX-License-Identifier: Apache-2.0
#include "net/client_message.hpp"

#include <gtest/gtest.h>

namespace eventweft::net {
namespace {

TEST(client_message, KnowsItsMembers) {
  const auto all =
      parse_client_message(R"({"ack":3,"filter":{"platforms":["a"]},)"
                           R"("pause":true})");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->ack, 3);
  EXPECT_EQ(all->filter->platforms, std::vector<std::string>{"a"});
  EXPECT_TRUE(all->pause);
  EXPECT_FALSE(all->resume);
  EXPECT_TRUE(parse_client_message(R"({"resume":true})")->resume);
  EXPECT_EQ(parse_client_message(R"({"credit":0})")->credit, 0u);
  EXPECT_EQ(parse_client_message(R"({"credit":1000000000})")->credit,
            1'000'000'000u);
}

TEST(client_message, RefusesAnythingElse) {
  for (const auto* bad :
       {"", "null", "[]", "{}", "{\"ack\":-1}", "{\"ack\":1.5}",
        "{\"ack\":\"1\"}", "{\"pause\":false}", "{\"resume\":1}",
        "{\"pause\":true,\"resume\":true}", "{\"filter\":[]}",
        "{\"filter\":{\"colour\":[]}}", "{\"stop\":true}", "{\"credit\":-1}",
        "{\"filter\":{\"platforms\":[\"\\u0000\"]}}", "{\"credit\":1.5}",
        "{\"credit\":1000000001}", "{\"ack\":1,\"ack\":2}"})
    EXPECT_FALSE(parse_client_message(bad)) << bad;
  EXPECT_EQ(parse_client_message("").error().message, "the message is empty");
  const auto unknown = parse_client_message(R"({"stop":true})");
  EXPECT_NE(unknown.error().message.find("stop"), std::string::npos);
}

} // namespace
} // namespace eventweft::net
