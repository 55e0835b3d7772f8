// SPDX-License-Identifier: Apache-2.0
#include "codec/filter.hpp"

#include <gmock/gmock.h>

namespace eventweft::codec {
namespace {

TEST(Since, ReadsItsFourForms) {
  EXPECT_EQ(parse_since("now"), start_point::end());
  EXPECT_EQ(parse_since(""), start_point::end());
  EXPECT_EQ(parse_since("earliest"), start_point::after(0));
  EXPECT_EQ(parse_since("0"), start_point::after(0));
  EXPECT_EQ(parse_since("1042"), start_point::after(1042));
  EXPECT_EQ(parse_since("9223372036854775807"),
            start_point::after(9223372036854775807));
  EXPECT_EQ(parse_since("2026-01-31T12:00:00Z"),
            start_point::at(*parse_rfc3339("2026-01-31T12:00:00Z")));
  EXPECT_EQ(parse_since("2026-01-31T13:00:00.5+01:00"),
            start_point::at(*parse_rfc3339("2026-01-31T12:00:00.5Z")));
}

TEST(Since, RefusesEverythingElse) {
  for (std::string_view bad :
       {"-1", "1.5", " 1", "1 ", "Now", "latest", "9223372036854775808",
        "2026-01-31", "2026-01-31T12:00:00", "0x10", "+5"}) {
    const auto result = parse_since(bad);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, ec::malformed) << bad;
    EXPECT_THAT(result.error().message, ::testing::HasSubstr("since"));
  }
}

TEST(Since, DoesNotEchoLongInput) {
  const auto result = parse_since(std::string(10'000, 'x'));
  ASSERT_FALSE(result);
  EXPECT_LT(result.error().message.size(), 500u);
}

} // namespace
} // namespace eventweft::codec
