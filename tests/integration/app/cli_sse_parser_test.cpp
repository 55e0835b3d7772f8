// SPDX-License-Identifier: Apache-2.0
#include "app/cli/sse_parser.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace eventweft::cli {
namespace {

using ::testing::ElementsAre;

struct outcome {
  std::vector<std::string> data;
  std::vector<std::string> types;
  std::string last_id;
};

/// Feeds `text` in pieces of `size` bytes.
outcome parse(std::string_view text, size_t size) {
  sse_parser parser;
  outcome result;
  while (!text.empty()) {
    EXPECT_TRUE(parser.feed(text.substr(0, size), [&](const auto& m) {
      result.data.push_back(m.data);
      result.types.push_back(m.event);
      return true;
    }));
    text.remove_prefix(std::min(size, text.size()));
  }
  result.last_id = parser.last_event_id();
  return result;
}

/// The same in pieces of every size, which must not matter.
outcome parse(std::string_view text) {
  const auto whole = parse(text, text.size());
  for (size_t size = 1; size < text.size(); ++size) {
    const auto cut = parse(text, size);
    EXPECT_EQ(cut.data, whole.data) << size;
    EXPECT_EQ(cut.last_id, whole.last_id) << size;
  }
  return whole;
}

TEST(SseParser, ReadsTheStandardsExamples) {
  EXPECT_THAT(parse("data: YHOO\ndata: +2\ndata: 10\n\n").data,
              ElementsAre("YHOO\n+2\n10"));
  const auto four = parse(": test stream\n\ndata: first event\nid: 1\n\n"
                          "data:second event\nid\n\ndata:  third event\n\n");
  EXPECT_THAT(four.data,
              ElementsAre("first event", "second event", " third event"));
  EXPECT_EQ(four.last_id, "");
  EXPECT_THAT(parse("data\n\ndata\ndata\n\ndata:").data, ElementsAre("", "\n"));
  EXPECT_THAT(parse("data:test\n\ndata: test\n\n").data,
              ElementsAre("test", "test"));
}

TEST(SseParser, TakesEveryLineEnd) {
  EXPECT_THAT(parse("data: a\r\n\r\ndata: b\r\rdata: c\n\ndata: d\r\n\n").data,
              ElementsAre("a", "b", "c", "d"));
}

TEST(SseParser, AnIdWithoutDataMovesTheCursor) {
  const auto r = parse("id: 7\n\n: ping\nid: 9\n\n");
  EXPECT_TRUE(r.data.empty());
  EXPECT_EQ(r.last_id, "9");
}

TEST(SseParser, AnIdCountsOnlyOnceItsBlockEnds) {
  EXPECT_EQ(parse("id: 7\n\nid: 8\ndata: cut off").last_id, "7");
  EXPECT_EQ(parse({"id: 7\n\nid: a\0b\n\n", 17}).last_id, "7");
}

TEST(SseParser, KnowsTypesAndIgnoresTheRest) {
  const auto r = parse("event: add\ndata: 1\n\nunknown: x\ndata: 2\n\n"
                       "event: none\n\ndata: 3\n\n");
  EXPECT_THAT(r.types, ElementsAre("add", "message", "message"));
  EXPECT_THAT(r.data, ElementsAre("1", "2", "3"));
}

TEST(SseParser, StripsOneByteOrderMark) {
  EXPECT_THAT(parse("\xEF\xBB\xBF"
                    "data: 1\n\n\xEF\xBB\xBF"
                    "data: 2\n\n")
                  .data,
              ElementsAre("1"));
}

TEST(SseParser, ReadsRetry) {
  sse_parser parser;
  const auto nothing = [](const auto&) { return true; };
  parser.feed("retry: x\nretry: 1e3\n", nothing);
  EXPECT_EQ(parser.retry(), std::nullopt);
  parser.feed("retry: 2500\nretry:\n", nothing);
  EXPECT_EQ(parser.retry(), 2500u);
}

TEST(SseParser, StopsWhenToldTo) {
  sse_parser parser;
  int seen = 0;
  EXPECT_FALSE(parser.feed("data: 1\n\ndata: 2\n\n", [&](const auto&) {
    ++seen;
    return false;
  }));
  EXPECT_EQ(seen, 1);
  EXPECT_FALSE(parser.overflowed());
}

TEST(SseParser, HasALimit) {
  const auto nothing = [](const auto&) { return true; };
  sse_parser line{100};
  EXPECT_TRUE(line.feed(std::string(100, 'x'), nothing));
  EXPECT_FALSE(line.feed("x", nothing));
  EXPECT_TRUE(line.overflowed());
  sse_parser data{100};
  bool good = true;
  for (int i = 0; i < 100 && good; ++i)
    good = data.feed("data: 0123456789\n", nothing);
  EXPECT_FALSE(good);
  EXPECT_TRUE(data.overflowed());
}

} // namespace
} // namespace eventweft::cli
