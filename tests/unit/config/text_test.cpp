// SPDX-License-Identifier: Apache-2.0
#include "config/text.hpp"

#include <gtest/gtest.h>

namespace eventweft::config {
namespace {

TEST(Text, QuotesControlCharacters) {
  EXPECT_EQ(in_quotes("a\"b\\c\n\x1b"), "\"a\\\"b\\\\c\\n\\u001b\"");
}

} // namespace
} // namespace eventweft::config
