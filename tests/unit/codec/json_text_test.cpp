// SPDX-License-Identifier: Apache-2.0
#include "codec/json_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace eventweft::codec {
namespace {

std::string quote(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

/// What another library reads out of a JSON string.
std::string read_back(const std::string& json) {
  const auto value = boost::json::parse(json);
  return std::string{value.as_string()};
}

TEST(AppendQuoted, AppendsAndQuotes) {
  std::string out = "x";
  append_quoted(out, "a");
  EXPECT_EQ(out, "x\"a\"");
  EXPECT_EQ(quote(""), "\"\"");
  EXPECT_EQ(quote("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(quote("\n\r\t"), R"("\n\r\t")");
  EXPECT_EQ(quote(std::string_view{"\0\x1f", 2}), R"("\u0000\u001f")");
}

TEST(AppendQuoted, EveryByteReadsBack) {
  for (int first = 0; first < 256; ++first)
    for (int second : {0, 0x22, 0x61, 0x80, 0xBF, 0xFF}) {
      const std::string text{static_cast<char>(first),
                             static_cast<char>(second)};
      const auto json = quote(text);
      ASSERT_TRUE(is_utf8(json)) << first << ' ' << second;
      const auto back = read_back(json);
      if (is_utf8(text)) {
        EXPECT_EQ(back, text) << first << ' ' << second;
      } else {
        EXPECT_NE(back.find("\xEF\xBF\xBD"), std::string::npos)
            << first << ' ' << second;
      }
    }
}

TEST(AppendQuoted, ReplacesOnlyWhatIsBroken) {
  EXPECT_EQ(quote("a\xFF z"), "\"a\xEF\xBF\xBD z\"");
  // Good sequences of two, three and four bytes stay.
  EXPECT_EQ(quote("\xC3\xBC\xE2\x82\xAC\xF0\x9F\xA7\xB5"),
            "\"\xC3\xBC\xE2\x82\xAC\xF0\x9F\xA7\xB5\"");
  // Overlong, surrogate, beyond U+10FFFF, cut off.
  for (std::string_view bad : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                               "\xF4\x90\x80\x80", "\xE2\x82", "\xF0\x9F\xA7"})
    EXPECT_EQ(read_back(quote(bad)).substr(0, 3), "\xEF\xBF\xBD") << bad;
}

TEST(IsUtf8, KnowsTheBorders) {
  for (std::string_view good :
       {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
        "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(is_utf8(good));
  for (std::string_view bad :
       {"\x80", "\xC0\xAF", "\xC1\xBF", "\xC2", "\xE0\x9F\xBF", "\xED\xA0\x80",
        "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80", "\xFF"})
    EXPECT_FALSE(is_utf8(bad));
}

TEST(Utf8Length, EndsBeforeTheFirstByteThatIsWrong) {
  EXPECT_EQ(utf8_length(""), 0u);
  EXPECT_EQ(utf8_length("a\xC3\xA4z"), 4u);
  EXPECT_EQ(utf8_length("ab\xFFz"), 2u);
  EXPECT_EQ(utf8_length("a\xC3\xA4\xE2\x82"), 3u);
  EXPECT_EQ(utf8_length("\x80"), 0u);
}

TEST(ReadableEscapes, LeavesGoodTextAlone) {
  for (std::string_view good :
       {R"({})", R"("\u0041\u00fc")", R"("\ud83e\uddf5")", R"("\\u0000")",
        R"("\\\\ud800")", R"("\n\"\u0001")", "", R"("a)", "\\"})
    EXPECT_EQ(readable_escapes(good), std::nullopt) << good;
}

TEST(ReadableEscapes, ReplacesNulAndLoneSurrogates) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"("\u0000")", R"("\ufffd")"},
      {R"("a\u0000b\u0000")", R"("a\ufffdb\ufffd")"},
      {R"("\\\u0000")", R"("\\\ufffd")"},
      {R"("\ud800")", R"("\ufffd")"},
      {R"("\uD800x")", R"("\ufffdx")"},
      {R"("\udc00")", R"("\ufffd")"},
      {R"("\udc00\ud800")", R"("\ufffd\ufffd")"},
      {R"("\ud800\ud83e\uddf5")", R"("\ufffd\ud83e\uddf5")"},
      {R"("\ud800\u0041")", R"("\ufffd\u0041")"},
      {R"("\ud800\n")", R"("\ufffd\n")"},
      {R"({"\u0000":"\udfff"})", R"({"\ufffd":"\ufffd"})"},
  };
  for (const auto& [text, readable] : cases)
    EXPECT_EQ(readable_escapes(text), readable) << text;
}

TEST(ReadableJson, LeavesNumbersWithinReachAlone) {
  for (const auto& good :
       {std::string{"[1e131071,-9.9e131071,0.01e131073,1e-16383,1.5e-16382]"},
        std::string{R"({"1e999999":"1e-999999","\"1e999999":[1e400]})"},
        std::string{"[0e999999,0.000e131075,123e131069,1e+000000131071]"},
        "[" + std::string(131'072, '1') + "]",
        "[0." + std::string(16'383, '0') + "]",
        "[2." + std::string(16'384, '0') + "e3]",
        "[\"" + std::string(140'000, '1') + "\"]"})
    EXPECT_EQ(readable_json(good), std::nullopt) << good.substr(0, 80);
}

TEST(ReadableJson, ReplacesNumbersOutOfReach) {
  const std::string most = "1.7976931348623157e+308";
  const std::pair<std::string, std::string> cases[] = {
      {R"({"n":1e999999})", R"({"n":)" + most + "}"},
      {"[-1E131072, 10e131071]", "[-" + most + ", " + most + "]"},
      {"[1,1e-999999 ,-10.0e-16383]", "[1,0 ,0]"},
      {"[0e99999999999]", "[0]"},
      {"1e99999999999999999999999999", most},
      {"[" + std::string(131'073, '1') + "]", "[" + most + "]"},
      {"[1." + std::string(16'384, '0') + "]", "[1]"},
      {R"({"a":"\u0000","n":1e999999,"1e999999":"x"})",
       R"({"a":"\ufffd","n":)" + most + R"(,"1e999999":"x"})"},
      // Short of both, but not together.
      {"[0." + std::string(6'385, '1') + "e-9999]", "[0]"},
  };
  for (const auto& [text, readable] : cases)
    // Wherever it stands.
    for (size_t blanks = 0; blanks < 6; ++blanks)
      EXPECT_EQ(
          readable_json(std::string(blanks, ' ') + text).value_or("as it is"),
          std::string(blanks, ' ') + readable)
          << blanks << text.substr(0, 80);
}

TEST(ReadableJson, MendsNothingThatIsNoNumber) {
  for (std::string_view bad :
       {"[01e999999]", "[1.e999999]", "[.1e999999]", "[--1e999999]",
        "[1e999999e1]", "[1e+-99999]", "[1e999999.5]"})
    EXPECT_EQ(readable_json(bad), std::nullopt) << bad;
}

TEST(Unescaped, KnowsWhereItsTextStood) {
  const unescaped u{R"(a\/\u00fc\ud83e\uddf5\n\ud800z)"};
  EXPECT_EQ(u.text(), "a/\xC3\xBC\xF0\x9F\xA7\xB5\n\xEF\xBF\xBDz");
  const std::pair<size_t, size_t> places[] = {
      {0, 0}, {1, 1}, {2, 3}, {4, 9}, {8, 21}, {9, 23}, {12, 29}, {13, 30}};
  for (const auto& [offset, source] : places)
    EXPECT_EQ(u.source(offset), source) << offset;
  for (std::string_view text : {"", "\\", "\\u12", "\\x", "a\\\\u"})
    EXPECT_EQ(unescaped{text}.source(unescaped{text}.text().size()),
              text.size())
        << text;
}

} // namespace
} // namespace eventweft::codec
