// SPDX-License-Identifier: Apache-2.0
#include "codec/event_json.hpp"
#include "net/deflate.hpp"
#include "net/encoding.hpp"

#include <gtest/gtest.h>

namespace eventweft::net {
namespace {

std::string frame(const std::string& text) {
  std::string out;
  append_text_frame(out, text);
  return out;
}

TEST(text_frame, UsesTheShortestLength) {
  EXPECT_EQ(frame(""), std::string("\x81\x00", 2));
  EXPECT_EQ(frame("hi"), "\x81\x02hi");
  EXPECT_EQ(frame(std::string(125, 'x')).substr(0, 2), "\x81\x7d");
  EXPECT_EQ(frame(std::string(126, 'x')).substr(0, 4),
            std::string("\x81\x7e\x00\x7e", 4));
  EXPECT_EQ(frame(std::string(65535, 'x')).substr(0, 4), "\x81\x7e\xff\xff");
  EXPECT_EQ(frame(std::string(65536, 'x')).substr(0, 10),
            std::string("\x81\x7f\0\0\0\0\0\x01\0\0", 10));
  EXPECT_EQ(frame(std::string(65536, 'x')).size(), 65546u);
}

std::string sse(std::string_view text) {
  std::string out;
  append_sse_data(out, text);
  return out;
}

TEST(sse_data, SplitsAtEveryKindOfLineEnd) {
  EXPECT_EQ(sse(""), "data: \n");
  EXPECT_EQ(sse("a"), "data: a\n");
  EXPECT_EQ(sse("a\nb\rc\r\nd"), "data: a\ndata: b\ndata: c\ndata: d\n");
  EXPECT_EQ(sse("a\n"), "data: a\ndata: \n");
  EXPECT_EQ(sse("\r\r\n\n"), "data: \ndata: \ndata: \ndata: \n");
}

TEST(sse_event, HasItsIdAndEndsWithABlankLine) {
  std::string out;
  append_sse_event(out, 42, "{}");
  EXPECT_EQ(out, "id: 42\ndata: {}\n\n");
}

TEST(encoded, MarksTheEndOfEachEvent) {
  std::vector<event_ptr> events;
  for (seq_t seq = 7; seq != 9; ++seq) {
    event e;
    e.seq = seq;
    e.payload = shared_text{"{}"};
    events.emplace_back(std::move(e));
  }
  encoded_events encoded;
  packed_frames packed{6};
  encoded.assign(events, {framing::sse, wire_format::native}, packed);
  ASSERT_EQ(encoded.marks.size(), 2u);
  EXPECT_EQ(encoded.marks[1].seq, 8);
  EXPECT_EQ(encoded.marks[1].end, encoded.bytes->size());
  const auto first = encoded.bytes->substr(0, encoded.marks[0].end);
  EXPECT_EQ(first,
            "id: 7\ndata: " +
                std::string{codec::wire_text(events[0], wire_format::native)} +
                "\n\n");
}

} // namespace
} // namespace eventweft::net
