// SPDX-License-Identifier: Apache-2.0
#include "messages/url_escape.hpp"

#include <gtest/gtest.h>

namespace eventweft {
namespace {

TEST(UrlEscape, LeavesUnreservedCharactersOnly) {
  EXPECT_EQ(url_escaped("a b&c=d/ü~"), "a%20b%26c%3Dd%2F%C3%BC~");
  EXPECT_EQ(url_escaped("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(url_escaped({"\0%+", 3}), "%00%25%2B");
}

TEST(UrlEscape, AppendsAndKeepsWhatItIsToldTo) {
  std::string out = "/x?";
  append_url_escaped(out, "a/b:c d", "/:");
  EXPECT_EQ(out, "/x?a/b:c%20d");
}

} // namespace
} // namespace eventweft
