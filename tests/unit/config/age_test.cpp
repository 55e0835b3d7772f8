// SPDX-License-Identifier: Apache-2.0
#include "config/age.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace eventweft::config {
namespace {

using namespace std::chrono_literals;

TEST(Age, IsANumberAndAUnit) {
  EXPECT_EQ(**parse_age("90d"), 90 * 24h);
  EXPECT_EQ(**parse_age("12h"), 12h);
  EXPECT_EQ(**parse_age("30m"), 30min);
  EXPECT_EQ(**parse_age("45s"), 45s);
}

TEST(Age, NothingMeansForEver) {
  const auto none = parse_age("");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->has_value());
}

TEST(Age, RefusesWhatCouldBeMistaken) {
  for (std::string_view text : {"90", "d", "0d", "-1d", "1.5d", "90 d", "90dd",
                                "1w", "99999999999999999999d", "36526d"}) {
    const auto age = parse_age(text);
    ASSERT_FALSE(age) << text;
    EXPECT_EQ(age.error().code, ec::bad_configuration);
    EXPECT_NE(age.error().message.find(text), std::string::npos);
  }
}

} // namespace
} // namespace eventweft::config
