// SPDX-License-Identifier: Apache-2.0
#include "delivery/progress.hpp"

#include <gtest/gtest.h>

namespace eventweft::delivery {
namespace {

timestamp at_us(int64_t us) {
  return timestamp{std::chrono::microseconds{us}};
}

TEST(progress, takes_up_what_lies_beyond_its_cursor) {
  progress p{{10, {}}, 100};
  EXPECT_FALSE(p.take_up(10, at_us(1)));
  EXPECT_TRUE(p.take_up(12, at_us(1)));
  EXPECT_FALSE(p.take_up(11, at_us(1)));
  EXPECT_FALSE(p.take_up(12, at_us(1)));
  p.pass_over(20);
  p.pass_over(15);
  EXPECT_EQ(p.cursor(), 20);
  EXPECT_EQ(p.mark(), (progress_mark{20, {{12, 0, at_us(1), at_us(1)}}}));
  p.finish(12);
  EXPECT_EQ(p.mark(), (progress_mark{20, {}}));
}

TEST(progress, is_bounded) {
  progress p{{}, 2};
  EXPECT_TRUE(p.take_up(1, at_us(0)));
  EXPECT_TRUE(p.take_up(2, at_us(0)));
  EXPECT_TRUE(p.full());
  EXPECT_FALSE(p.take_up(3, at_us(0)));
  EXPECT_EQ(p.cursor(), 2);
  p.finish(1);
  EXPECT_TRUE(p.take_up(3, at_us(0)));
}

TEST(mark_json, is_read_back_as_it_was) {
  for (const auto& mark :
       {progress_mark{}, progress_mark{5, {}},
        progress_mark{
            9, {{3, 2, at_us(50), at_us(-7)}, {8, 0, at_us(1), at_us(2)}}}}) {
    const auto read = parse_mark(mark_json(mark));
    ASSERT_TRUE(read) << mark_json(mark);
    EXPECT_EQ(*read, mark);
  }
  EXPECT_EQ(mark_json({9, {{3, 2, at_us(50), at_us(40)}}}),
            R"({"cursor":9,"open":[[3,2,50,40]]})");
  const progress_mark twice{9, {{3, 0, at_us(50), at_us(40), at_us(60)}}};
  EXPECT_EQ(mark_json(twice), R"({"cursor":9,"open":[[3,0,50,40,60]]})");
  EXPECT_EQ(parse_mark(mark_json(twice)), twice);
}

TEST(parse_mark, refuses_what_was_not_written_by_it) {
  for (const char* text :
       {"", "{}", "[]", R"({"cursor":1})", R"({"cursor":-1,"open":[]})",
        R"({"cursor":"1","open":[]})", R"({"cursor":1,"open":{}})",
        R"({"cursor":1,"open":[1]})", R"({"cursor":9,"open":[[1,2,3]]})",
        R"({"cursor":9,"open":[[1,2,3,4,5,6]]})",
        R"({"cursor":9,"open":[[0,2,3,4]]})",
        R"({"cursor":9,"open":[[1,-1,3,4]]})",
        R"({"cursor":9,"open":[[1,5000000000,3,4]]})",
        R"({"cursor":9,"open":[[1,1,"3",4]]})",
        // beyond the cursor, out of order, twice
        R"({"cursor":1,"open":[[2,0,0,0]]})",
        R"({"cursor":9,"open":[[2,0,0,0],[1,0,0,0]]})",
        R"({"cursor":9,"open":[[2,0,0,0],[2,0,0,0]]})",
        R"({"cursor":9,"open":[[2,0,0,0]})"}) {
    const auto read = parse_mark(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ec::corrupt);
  }
}

} // namespace
} // namespace eventweft::delivery
