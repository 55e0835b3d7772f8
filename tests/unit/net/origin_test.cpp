// SPDX-License-Identifier: Apache-2.0
#include "net/origin.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace eventweft::net {
namespace {

const std::vector<std::string> none;
const std::vector<std::string> app{"https://app.example.org"};
const std::vector<std::string> any{"*"};

TEST(origin, ProgramsSendNone) {
  EXPECT_EQ(judge_origin(none, "", "hub.example.org"), origin_kind::none);
  EXPECT_EQ(judge_origin(any, "", ""), origin_kind::none);
}

TEST(origin, ThePagesOfTheServerItselfMay) {
  for (const auto* o :
       {"http://hub.example.org:8080", "HTTP://Hub.example.org:8080",
        "https://hub.example.org:8080"})
    EXPECT_EQ(judge_origin(none, o, "hub.example.org:8080"), origin_kind::own)
        << o;
  EXPECT_EQ(
      judge_origin(none, "https://hub.example.org", "hub.example.org:443"),
      origin_kind::own);
  EXPECT_EQ(judge_origin(none, "http://[::1]:8080", "[::1]:8080"),
            origin_kind::own);
}

TEST(origin, ThoseOfOthersMayNot) {
  for (const auto* o :
       {"https://evil.example", "http://hub.example.org:81",
        "http://hub.example.org.evil.example", "http://evilhub.example.org",
        "null", "hub.example.org", "://", "http://"}) {
    EXPECT_EQ(judge_origin(none, o, "hub.example.org"), origin_kind::foreign)
        << o;
    EXPECT_EQ(judge_origin(app, o, "hub.example.org"), origin_kind::foreign)
        << o;
  }
  EXPECT_EQ(judge_origin(none, "http://", ""), origin_kind::foreign);
}

TEST(origin, ThoseThatAreListedMay) {
  EXPECT_EQ(judge_origin(app, "https://APP.example.org", "hub"),
            origin_kind::listed);
  EXPECT_EQ(judge_origin(app, "https://app.example.org:8443", "hub"),
            origin_kind::foreign);
  EXPECT_EQ(judge_origin(any, "https://evil.example", "hub"),
            origin_kind::listed);
  // A sandboxed page is anybody's; it takes more than the asterisk.
  EXPECT_EQ(judge_origin(any, "null", "hub"), origin_kind::foreign);
  EXPECT_EQ(judge_origin(std::vector<std::string>{"null"}, "null", "hub"),
            origin_kind::listed);
}

TEST(origin, SomeHostsAreNoPagesOwn) {
  const std::string listen = "hub.internal:8080";
  for (const auto* host :
       {"127.0.0.1", "127.0.0.1:8080", "10.1.2.3:80", "[::1]:8080", "[fe80::1]",
        "localhost", "LocalHost:8080", "localhost.:8080", "hub.localhost:8080",
        "HUB.internal", "app.example.org:444"})
    EXPECT_TRUE(is_known_host(app, listen, host)) << host;
  for (const auto* host :
       {"", ":8080", "evil.example", "evil.example:8080", "127.0.0.1.nip.io",
        "127.1", "localhost.evil.example", "evillocalhost", ".localhost",
        "internal", "example.org", "[evil.example]"})
    EXPECT_FALSE(is_known_host(app, listen, host)) << host;
  EXPECT_TRUE(is_known_host(any, listen, "evil.example"));
}

} // namespace
} // namespace eventweft::net
