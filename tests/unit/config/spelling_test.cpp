// SPDX-License-Identifier: Apache-2.0
#include "config/spelling.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace eventweft::config {
namespace {

TEST(Spelling, FindsTheNearest) {
  const std::vector<std::string> names{"listen", "threads", "tls"};
  EXPECT_EQ(nearest("Lisen", names, 2), "listen");
  EXPECT_EQ(nearest("thraeds", names, 2), "threads");
  EXPECT_EQ(nearest("database", names, 2), "");
  // As far away as it is long: nothing of it is left.
  EXPECT_EQ(nearest("xyz", names, 3), "");
  EXPECT_EQ(nearest(std::string(1'000, 'l'), names, 1'000), "");
}

TEST(Spelling, AddsAHintIfThereIsOne) {
  EXPECT_EQ(with_hint("unknown key", "listen"),
            "unknown key; did you mean listen?");
  EXPECT_EQ(with_hint("unknown key", ""), "unknown key");
}

} // namespace
} // namespace eventweft::config
