// SPDX-License-Identifier: Apache-2.0
#include "config/value.hpp"
#include "tests/unit/config/support.hpp"

#include <gtest/gtest.h>

namespace eventweft::config {
namespace {

using namespace std::chrono_literals;

TEST(Value, ReadsFractionsOfSeconds) {
  const auto e = from_text("[store]\nretry_min = 0.0015\nretry_max = 7\n");
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_EQ(e->values.store.retry_min, 2ms);
  EXPECT_EQ(e->values.store.retry_max, 7s);
  for (std::string_view bad :
       {"-1", "nan", "inf", "1e300", "\"1 s\"", "\"1\"", "[1]", "3601"})
    EXPECT_FALSE(from_text("[store]\nretry_min = " + std::string{bad} +
                           "\nretry_max = 3600\n"))
        << bad;
  // Not zero, so it must not become "none at all".
  const auto small = from_text("[event]\nqueue_wait = 0.00001\n");
  ASSERT_TRUE(small);
  EXPECT_EQ(small->values.event.queue_wait, 1ms);
}

} // namespace
} // namespace eventweft::config
