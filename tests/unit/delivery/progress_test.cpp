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

TEST(progress, does_not_take_up_what_is_open_already) {
  progress p{{10, {{12, 1, at_us(1), at_us(1)}}, {12}}, 100};
  EXPECT_TRUE(p.take_up(11, at_us(2)));
  EXPECT_FALSE(p.take_up(12, at_us(2)));
  EXPECT_EQ(p.cursor(), 12);
  EXPECT_EQ(p.find(12)->attempts, 1u);
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

TEST(mark_json, has_what_failed_and_what_is_done_beyond_the_cursor) {
  progress_mark mark{9, {{3, 2, at_us(50), at_us(40)}, {8, 0, {}, {}}}};
  mark.open[0].history = {{at_us(1), "HTTP 503"}, {at_us(2), "a \"b\""}};
  mark.floors = {0, 12, 9, 0};
  const auto text = mark_json(mark);
  EXPECT_EQ(text,
            R"({"cursor":9,"open":[[3,2,50,40],[8,0,0,0]],)"
            R"("failed":[[3,1,"HTTP 503",2,"a \"b\""]],"floors":[0,12,9,0]})");
  EXPECT_EQ(parse_mark(text), mark);
  // Taken up by another feed, which had read further.
  mark.open[1].seq = 12;
  EXPECT_EQ(parse_mark(mark_json(mark)), mark);
  mark.open[1].seq = 13;
  EXPECT_FALSE(parse_mark(mark_json(mark)));
}

TEST(mark_json, has_how_many_were_cut_off_together) {
  progress_mark mark{9, {{3, 2, {}, at_us(40)}, {8, 1, {}, at_us(40)}}};
  mark.open[1].company = 125;
  EXPECT_EQ(parse_mark(mark_json(mark)), mark);
  mark.open[0].company = 1;
  const auto text = mark_json(mark);
  EXPECT_EQ(
      text,
      R"({"cursor":9,"open":[[3,2,0,40],[8,1,0,40]],"company":[[3,1],[8,125]]})");
  EXPECT_EQ(parse_mark(text), mark);
}

TEST(mark_json, is_bounded_whatever_handlers_say) {
  progress_mark mark{1'000, {}};
  for (seq_t seq = 1; seq <= 1'000; ++seq)
    mark.open.push_back(
        {seq, 5, {}, {}, {}, {5, {at_us(1), std::string(10'000, 'x') + '\0'}}});
  const auto text = mark_json(mark);
  EXPECT_LT(text.size(), 512u << 10);
  const auto read = parse_mark(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->open.size(), 1'000u);
  EXPECT_EQ(read->open.front().history.size(), 5u);
  EXPECT_EQ(read->open.front().history.front().error, std::string(300, 'x'));
  EXPECT_TRUE(read->open.back().history.empty());
  mark.open = {{1, 1, {}, {}, {}, {{at_us(1), std::string{"a\0b", 3}}}}};
  EXPECT_EQ(mark_json(mark).find("\\u0000"), std::string::npos);
}

TEST(mark_json, tells_what_is_held_against_the_endpoint) {
  const progress_mark paused{
      9,
      {{3, 2, at_us(50), at_us(40)}},
      {7, at_us(60), at_us(70), std::chrono::microseconds{5}}};
  EXPECT_EQ(mark_json(paused),
            R"({"cursor":9,"open":[[3,2,50,40]],"endpoint":[7,60,70,5]})");
  EXPECT_EQ(parse_mark(mark_json(paused)), paused);
}

TEST(parse_mark, refuses_what_was_not_written_by_it) {
  for (const char* text :
       {"", "{}", "[]", R"({"cursor":1})", R"({"cursor":-1,"open":[]})",
        R"({"cursor":"1","open":[]})", R"({"cursor":1,"open":{}})",
        R"({"cursor":1,"open":[1]})", R"({"cursor":9,"open":[[1,2,3]]})",
        R"({"cursor":9,"open":[[1,2,3,4]],"company":[[2,1]]})",
        R"({"cursor":9,"open":[[1,2,3,4]],"company":[[1,0]]})",
        R"({"cursor":9,"open":[[1,2,3,4]],"company":[1]})",
        R"({"cursor":9,"open":[[1,2,3,4,5,6]]})",
        R"({"cursor":9,"open":[[0,2,3,4]]})",
        R"({"cursor":9,"open":[[1,-1,3,4]]})",
        R"({"cursor":9,"open":[[1,5000000000,3,4]]})",
        R"({"cursor":9,"open":[[1,1,"3",4]]})",
        // beyond the cursor, out of order, twice
        R"({"cursor":1,"open":[[2,0,0,0]]})",
        R"({"cursor":9,"open":[[2,0,0,0],[1,0,0,0]]})",
        R"({"cursor":9,"open":[[2,0,0,0],[2,0,0,0]]})",
        R"({"cursor":9,"open":[[2,0,0,0]})",
        R"({"cursor":9,"open":[[2,1,0,0]],"failed":{}})",
        R"({"cursor":9,"open":[[2,1,0,0]],"failed":[[2]]})",
        R"({"cursor":9,"open":[[2,1,0,0]],"failed":[[2,1]]})",
        R"({"cursor":9,"open":[[2,1,0,0]],"failed":[[2,"no",1]]})",
        R"({"cursor":9,"open":[[2,1,0,0]],"failed":[[3,1,"no"]]})",
        R"({"cursor":9,"open":[],"floors":[-1]})",
        R"({"cursor":9,"open":[],"floors":1})",
        R"({"cursor":9,"open":[],"endpoint":[1,2,3]})",
        R"({"cursor":9,"open":[],"endpoint":[1,2,3,4,5]})",
        R"({"cursor":9,"open":[],"endpoint":[1,2,3,-4]})",
        R"({"cursor":9,"open":[],"endpoint":"1"})"}) {
    const auto read = parse_mark(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ec::corrupt);
  }
}

} // namespace
} // namespace eventweft::delivery
