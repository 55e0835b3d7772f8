// SPDX-License-Identifier: Apache-2.0
#include "config/units.hpp"

#include <gtest/gtest.h>

namespace eventweft::config {
namespace {

using namespace std::chrono_literals;

TEST(Units, ReadsSizes) {
  EXPECT_EQ(parse_bytes("0"), 0u);
  EXPECT_EQ(parse_bytes("1024"), 1024u);
  EXPECT_EQ(parse_bytes("25 MiB"), 25u << 20);
  EXPECT_EQ(parse_bytes("25MiB"), 25u << 20);
  EXPECT_EQ(parse_bytes(" 2 GiB "), 2ull << 30);
  EXPECT_EQ(parse_bytes("7 B"), 7u);
  for (std::string_view bad :
       {"", "MiB", "-1", "1.5 MiB", "1 MB", "1 mib", "1 MiB x",
        "99999999999999999999", "18446744073709551615 KiB"})
    EXPECT_EQ(parse_bytes(bad), std::nullopt) << bad;
}

TEST(Units, WritesSizesSoThatTheyReadBack) {
  for (uint64_t n : {0ull, 1ull, 1023ull, 1024ull, 1536ull, 25ull << 20,
                     (25ull << 20) + 1, 1ull << 40})
    EXPECT_EQ(parse_bytes(bytes_text(n)), n);
  EXPECT_EQ(bytes_text(25u << 20), "25 MiB");
  EXPECT_EQ(bytes_text(0), "0");
}

TEST(Units, WritesSecondsShortly) {
  EXPECT_EQ(seconds_text(0ms), "0");
  EXPECT_EQ(seconds_text(50ms), "0.05");
  EXPECT_EQ(seconds_text(2'500ms), "2.5");
  EXPECT_EQ(seconds_text(75s), "75");
  EXPECT_EQ(seconds_text(1'001ms), "1.001");
}

} // namespace
} // namespace eventweft::config
