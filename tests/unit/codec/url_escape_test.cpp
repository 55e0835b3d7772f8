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

TEST(UrlUnescape, GivesBackWhatWasEscaped) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte)
    all += static_cast<char>(byte);
  const auto plain = url_unescaped(url_escaped(all));
  EXPECT_EQ(plain.text, all);
  EXPECT_FALSE(plain.stray_percent);
  EXPECT_EQ(url_unescaped("%c3%BC").text, "\xc3\xbc");
}

TEST(UrlUnescape, APlusIsABlankWhereItIsSaid) {
  EXPECT_EQ(url_unescaped("a+b%2B").text, "a+b+");
  EXPECT_EQ(url_unescaped("a+b%2B", plus_sign::is_blank).text, "a b+");
}

TEST(UrlUnescape, AStrayPercentStaysAndIsTold) {
  for (const auto* text : {"ab%", "ab%4", "ab%4g", "ab%g4", "ab%%41"}) {
    const auto plain = url_unescaped(text);
    EXPECT_EQ(plain.stray_percent, 2u) << text;
    EXPECT_EQ(plain.text, std::string_view{text} == "ab%%41" ? "ab%A" : text);
  }
  // The first one counts.
  const auto plain = url_unescaped("%20%x%");
  EXPECT_EQ(plain.text, " %x%");
  EXPECT_EQ(plain.stray_percent, 3u);
}

} // namespace
} // namespace eventweft
