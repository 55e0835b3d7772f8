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

// web-platform-tests, eventsource/format-*: each stream as it stands there, and
// what a browser's `onmessage` makes of it. `\0` is U+0000.
TEST(SseParser, ReadsWhatTheWebPlatformTestsSend) {
  using namespace std::string_literals;
  const std::string pad(2048, 'x');
  struct sample {
    const char* name;
    std::string stream;
    std::vector<std::string> data;
  };
  const sample samples[] = {
      {"format-bom",
       "\xEF\xBB\xBF"
       "data:1\n\n\xEF\xBB\xBF"
       "data:2\n\ndata:3\n\n",
       {"1", "3"}},
      {"format-bom-2",
       "\xEF\xBB\xBF\xEF\xBB\xBF"
       "data:1\n\ndata:2\n\ndata:3\n\n",
       {"2", "3"}},
      {"format-comments",
       "data:1\r:\0\n:\r\ndata:2\n:"s + pad + "\rdata:3\n:data:fail\r:" + pad +
           "\ndata:4\n\n",
       {"1\n2\n3\n4"}},
      {"format-data-before-final-empty-line",
       "retry:1000\ndata:test1\n\nid:test\ndata:test2",
       {"test1"}},
      {"format-field-data",
       "data:\n\ndata\ndata\n\ndata:test\n\n",
       {"", "\n", "test"}},
      {"format-field-parsing",
       "data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\r"
       "data_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n"s,
       {"\0\n 2\n1\n3\n\n4"s}},
      {"format-field-unknown",
       "data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\n"
       "data:test\n\n",
       {"test\n\ntest"}},
      {"format-leading-space",
       "data:\ttest\rdata: \ndata:test\n\n",
       {"\ttest\n\ntest"}},
      {"format-newlines",
       "data:test\r\ndata\ndata:test\r\n\r\n",
       {"test\n\ntest"}},
      {"format-null-character", "data:\0\n\n\n\n"s, {"\0"s}},
      {"format-utf-8", "data:ok\xE2\x80\xA6\n\n", {"ok\xE2\x80\xA6"}},
  };
  for (const auto& s : samples) {
    // Cut at every place for the short ones.
    const auto result =
        s.stream.size() < 200 ? parse(s.stream) : parse(s.stream, 7);
    EXPECT_EQ(result.data, s.data) << s.name;
  }
}

TEST(SseParser, TakesIdsAsTheWebPlatformTestsDo) {
  using namespace std::string_literals;
  // format-field-id-null: an id with U+0000 anywhere is no id.
  for (const auto& bad : {"\0\0"s, "x\0"s, "\0x"s, "x\0x"s, " \0"s})
    EXPECT_EQ(parse("id:ok\n\nid:" + bad + "\ndata:hello\n\n").last_id, "ok");
  // format-data-before-final-empty-line: not without its end.
  EXPECT_EQ(parse("data:test1\n\nid:test\ndata:test2").last_id, "");
  // format-field-id-2, -3: it stays until another one comes, empty or not.
  EXPECT_EQ(parse("id: 1\ndata:1\n\ndata:2\n\n").last_id, "1");
  EXPECT_EQ(parse("id: 1\ndata:1\n\nid:\ndata:2\n\n").last_id, "");
  EXPECT_EQ(parse("id: \xE2\x80\xA6\ndata:1\n\n").last_id, "\xE2\x80\xA6");
}

TEST(SseParser, TakesTypesAsTheWebPlatformTestsDo) {
  // format-field-event, format-field-event-empty.
  EXPECT_THAT(parse("event:test\ndata:x\n\ndata:x\n\n").types,
              ElementsAre("test", "message"));
  EXPECT_THAT(parse("event: \ndata:data\n\n").types, ElementsAre("message"));
}

TEST(SseParser, TakesRetryAsTheWebPlatformTestsDo) {
  const auto retry = [](std::string_view text) {
    sse_parser parser;
    parser.feed(text, [](const auto&) { return true; });
    return parser.retry();
  };
  // format-field-retry, -bogus, -empty.
  EXPECT_EQ(retry("retry:03000\ndata:x\n\n"), 3000u);
  EXPECT_EQ(retry("retry:3000\nretry:1000x\ndata:x\n\n"), 3000u);
  EXPECT_EQ(retry("retry:3000\nretry\ndata:test\n\n"), 3000u);
  for (const auto* bogus : {"-1", "+1", "1.5", " 1", "0x10", "99999999999"})
    EXPECT_EQ(retry("retry: " + std::string{bogus} + "\n"), std::nullopt)
        << bogus;
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
