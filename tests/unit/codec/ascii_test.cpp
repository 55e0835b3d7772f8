// SPDX-License-Identifier: Apache-2.0
#include "messages/ascii.hpp"

#include <gtest/gtest.h>

namespace eventweft {
namespace {

TEST(Ascii, TrimsWhiteSpaceAtBothEndsOnly) {
  EXPECT_EQ(trim(" \t\r\n\v\fa \t b\f\v\n\r\t "), "a \t b");
  EXPECT_EQ(trim("a"), "a");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(trim(""), "");
  // A blank of another alphabet is text.
  EXPECT_EQ(trim("\xc2\xa0"), "\xc2\xa0");
}

} // namespace
} // namespace eventweft
