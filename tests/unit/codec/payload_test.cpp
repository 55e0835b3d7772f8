// SPDX-License-Identifier: Apache-2.0
#include "codec/payload.hpp"

#include <gmock/gmock.h>

namespace eventweft::codec {
namespace {

using ::testing::HasSubstr;

std::string fault(std::string_view text) {
  payload_reader reader;
  const auto root = reader.parse(text);
  if (root)
    return "accepted";
  EXPECT_EQ(root.error().code, ec::malformed) << text;
  return root.error().message;
}

TEST(PayloadReader, ReadsMembersByPointer) {
  payload_reader reader;
  const auto root = reader.parse(
      R"({"a":{"b/c":[10,{"d":"x"}]},"n":-1.50,"t":true,"z":null,"~":"y"})");
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(string_at(*root, "/a/b~1c/1/d"), "x");
  EXPECT_EQ(string_at(*root, "/a/b~1c/0"), "10");
  EXPECT_EQ(string_at(*root, "/n"), "-1.5");
  EXPECT_EQ(string_at(*root, "/t"), "true");
  EXPECT_EQ(string_at(*root, "/~0"), "y");
  std::string scratch;
  for (std::string_view none :
       {"/z", "/a", "/a/b~1c", "/missing", "/a/b~1c/2", "/n/x", "no-slash", ""})
    EXPECT_EQ(text_at(*root, none, scratch), std::nullopt) << none;
}

TEST(PayloadReader, WholeNumbersAreReadDigitByDigit) {
  payload_reader reader;
  const std::string_view sent =
      R"({"id" : 98765432109876543210 ,"list":[-98765432109876543211],)"
      R"("half":0.50,"big":1e30,"*":12345678901234567890123,"s":"1"})";
  const auto root = reader.parse(sent);
  ASSERT_TRUE(root) << root.error().message;
  std::string scratch;
  const auto at = [&](std::string_view pointer) {
    return std::string{text_at(*root, sent, pointer, scratch).value_or("")};
  };
  EXPECT_EQ(at("/id"), "98765432109876543210");
  EXPECT_EQ(at("/list/0"), "-98765432109876543211");
  EXPECT_EQ(at("/half"), "0.5");
  EXPECT_EQ(at("/s"), "1");
  EXPECT_EQ(at("/none"), "");
  // As a double is read.
  EXPECT_EQ(at("/big"), string_at(*root, "/big"));
  EXPECT_EQ(at("/*"), string_at(*root, "/*"));
}

TEST(PayloadReader, NamesTheFaultAndItsPlace) {
  EXPECT_THAT(fault(""), HasSubstr("empty"));
  EXPECT_THAT(fault(R"({"a":1,})"), HasSubstr("byte 7"));
  EXPECT_THAT(fault(R"({"a" 1})"), HasSubstr("byte 5"));
  EXPECT_THAT(fault(R"({"a":1)"), HasSubstr("ends too early"));
  EXPECT_THAT(fault(R"({"a":"x)"), HasSubstr("ends too early"));
  EXPECT_THAT(fault("   "), HasSubstr("ends too early"));
  EXPECT_THAT(fault("{} x"), HasSubstr("after the JSON value"));
  EXPECT_THAT(fault("{\"a\":\"\xFF\"}"), HasSubstr("UTF-8, at byte 6"));
  // A character that is cut off; what is mended before it does not count.
  EXPECT_THAT(fault("{\"\xC3\xA4\":[1e999999,\"\xE2\x82\"]}"),
              HasSubstr("UTF-8, at byte 17"));
  EXPECT_THAT(fault(std::string(2'000, '[') + std::string(2'000, ']')),
              HasSubstr("nested deeper"));
}

TEST(PayloadReader, RefusesWhatOnlyLooksLikeJson) {
  for (std::string_view bad :
       {"{'a':1}", "{a:1}", "[01]", "[1.]", "[.5]", "[+1]", "[NaN]",
        "[Infinity]", "[1,]", "[\"\t\"]", "[\"\\x\"]", "[\"\\u12\"]", "tru",
        "[1e]", "// c\n1", "\xEF\xBB\xBF{}x", "{\"a\":1 \"b\":2}"})
    EXPECT_NE(fault(bad), "accepted") << bad;
}

TEST(PayloadReader, AcceptsWhatRfc8259Allows) {
  for (std::string_view good :
       {"1", "\"x\"", "null", "[]", " \r\n\t{} ", R"({"a":1,"a":2})", "[1e400]",
        "[-1e400]", "[18446744073709551616]",
        "[123456789012345678901234567890.5e-3]", "[0.1e-400]", R"(["\ud800"])",
        R"(["\u0000"])", R"({"\ud800":1e999})"}) {
    payload_reader reader;
    const auto root = reader.parse(good);
    EXPECT_TRUE(root) << good << ": " << (root ? "" : root.error().message);
  }
}

TEST(PayloadReader, NumbersBeyond64BitsReadAsDoubles) {
  payload_reader reader;
  const auto root = reader.parse(R"({"n":18446744073709551616,"s":"keep"})");
  ASSERT_TRUE(root) << root.error().message;
  double n = 0;
  ASSERT_FALSE((*root)["n"].get(n));
  EXPECT_DOUBLE_EQ(n, 18446744073709551616.0);
  EXPECT_EQ(string_at(*root, "/s"), "keep");
}

TEST(PayloadReader, TellsWhatSqlCannotRead) {
  payload_reader reader;
  auto root = reader.parse(R"({"a":"x\u0000y","b":"\ud800"})");
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(string_at(*root, "/a"), "x\xEF\xBF\xBDy");
  EXPECT_EQ(string_at(*root, "/b"), "\xEF\xBF\xBD");
  EXPECT_EQ(reader.readable().view(), R"({"a":"x\ufffdy","b":"\ufffd"})");
  root = reader.parse(R"({"n":1e999999})");
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(reader.readable().view(), R"({"n":1.7976931348623157e+308})");
  // The next text starts afresh.
  root = reader.parse(R"({"a":1})");
  ASSERT_TRUE(root);
  EXPECT_TRUE(reader.readable().empty());
}

TEST(PayloadReader, GoesOnAfterAFault) {
  payload_reader reader;
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(reader.parse("{"));
    const auto root = reader.parse(R"({"a":"b"})");
    ASSERT_TRUE(root);
    EXPECT_EQ(string_at(*root, "/a"), "b");
  }
}

TEST(PayloadReader, NeedsNoPaddingBehindTheText) {
  // Exactly as long as its buffer: under ASan a read beyond it would show.
  const std::string exact = R"({"a":"b"})";
  const auto buffer = std::make_unique<char[]>(exact.size());
  std::copy(exact.begin(), exact.end(), buffer.get());
  payload_reader reader;
  const auto root = reader.parse(std::string_view{buffer.get(), exact.size()});
  ASSERT_TRUE(root);
  EXPECT_EQ(string_at(*root, "/a"), "b");
}

TEST(PayloadReader, TheLastTextIsNotReadAgain) {
  payload_reader reader;
  const shared_text text{R"({"a":"\ud800"})"};
  ASSERT_TRUE(reader.parse(text));
  // Made by each reading; held, so that another one is elsewhere.
  const auto first = reader.readable();
  const auto was_read = [&] {
    EXPECT_EQ(reader.readable().view(), R"({"a":"\ufffd"})");
    return reader.readable().view().data() != first.view().data();
  };
  const auto again = reader.parse(text);
  ASSERT_TRUE(again);
  EXPECT_FALSE(was_read());
  EXPECT_EQ(string_at(*again, "/a"), "\uFFFD");
  // The same words elsewhere, and the same after another.
  ASSERT_TRUE(reader.parse(shared_text{std::string{text.view()}}));
  EXPECT_TRUE(was_read());
  ASSERT_TRUE(reader.parse(text));
  EXPECT_TRUE(was_read());
  ASSERT_TRUE(reader.parse("[1]"));
  const auto back = reader.parse(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(string_at(*back, "/a"), "\uFFFD");
  // Nor is a fault remembered as something else.
  EXPECT_FALSE(reader.parse(shared_text{"{"}));
  EXPECT_TRUE(reader.parse(text));
}

} // namespace
} // namespace eventweft::codec
