// SPDX-License-Identifier: Apache-2.0
#include "processing/order.hpp"

#include <gtest/gtest.h>

namespace eventweft::processing {
namespace {

TEST(order_test, only_the_first_of_a_line_may_run) {
  order_lines lines;
  EXPECT_TRUE(lines.enter("a", 1));
  EXPECT_FALSE(lines.enter("a", 2));
  EXPECT_TRUE(lines.enter("b", 3)) << "of another line";
  EXPECT_EQ(lines.leave("a"), 2);
  EXPECT_EQ(lines.leave("a"), std::nullopt);
  EXPECT_TRUE(lines.enter("a", 4)) << "the line was empty";
}

TEST(order_test, the_key_is_what_the_processor_orders_by) {
  event ev;
  ev.platform = "github";
  ev.source_name = "name";
  processor p;
  p.ordering = ordering::none;
  EXPECT_EQ(order_key(p, ev), "");
  p.ordering = ordering::source;
  EXPECT_EQ(order_key(p, ev), "github\nname") << "without a source id";
  ev.source_id = "id";
  EXPECT_EQ(order_key(p, ev), "github\nid");
  p.ordering = ordering::thread;
  EXPECT_EQ(order_key(p, ev), "") << "of no thread";
  ev.correlation_id = uuid{};
  EXPECT_EQ(order_key(p, ev), to_string(uuid{}));
}

} // namespace
} // namespace eventweft::processing
