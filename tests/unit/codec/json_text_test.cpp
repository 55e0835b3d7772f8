// SPDX-License-Identifier: Apache-2.0
#include "codec/json_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <random>

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

TEST(ReadableJson, FindsAnExponentWhereverItStands) {
  const std::string most = "1.7976931348623157e+308";
  const std::pair<std::string, std::string> numbers[] = {
      {"1e131072", most}, {"1E+131072", most}, {"1e-99999", "0"}};
  for (const auto& [number, near] : numbers)
    for (const auto& behind :
         {std::string{"]"}, std::string{",1]"}, std::string{"\t]"},
          std::string{"\r]"}, std::string{"\n]"}, std::string(600, ' ') + "]"})
      for (size_t blanks = 0; blanks < 600; ++blanks) {
        const auto before = "[" + std::string(blanks, ' ');
        EXPECT_EQ(readable_json(before + number + behind),
                  before + near + behind)
            << blanks;
      }
  EXPECT_EQ(readable_json(R"({"n":1e131072})"), R"({"n":)" + most + "}");
}

// Numbers of all lengths around the limits, in numbers' places and within
// strings, so that they stand in all places of what is looked at in one go.
class number_texts {
 public:
  explicit number_texts(uint32_t seed) : random_(seed) {}

  /// The beginning of a list: "[1,\"2e3\"".
  std::string make() {
    std::string out = "[0";
    for (size_t n = below(12); n > 0; --n) {
      out += below(8) == 0 ? ", \t" : ",";
      const bool quoted = below(3) == 0;
      out += quoted ? "\"" + some("abef019-, ", 300) : "";
      out += number();
      out += quoted ? some("abef019-, ", 300) + "\"" : "";
    }
    return out;
  }

 private:
  size_t below(size_t n) { return random_() % n; }

  std::string some(std::string_view letters, size_t most) {
    std::string out;
    for (size_t n = below(most); n > 0; --n)
      out += letters[below(letters.size())];
    return out;
  }

  std::string digits() {
    switch (below(12)) {
    case 0:
      return some("0123456789", 140'000);
    case 1:
      return some("0123456789", 20'000);
    case 2:
      return some("0", 20'000);
    case 3:
      return some("0123456789", 400);
    default:
      return some("0123456789", 9);
    }
  }

  std::string number() {
    std::string out = below(4) == 0 ? "-" : "";
    out += below(3) == 0 ? "0" : "1" + digits();
    if (below(2) == 0)
      out += ".0" + digits();
    if (below(4) == 0)
      return out;
    out += below(2) == 0 ? "e" : "E";
    constexpr std::string_view signs[] = {"", "+", "-"};
    out += signs[below(3)];
    out += some("0", 4);
    return out + "1" + some("0123456789", 7);
  }

  std::mt19937 random_;
};

TEST(ReadableJson, OverlooksNoNumberOutOfReach) {
  // With a number out of reach, every other is looked at closely.
  constexpr std::string_view far = ",1e999999]";
  const auto near = *readable_json(far);
  number_texts texts{7};
  size_t mended = 0;
  for (int i = 0; i < 600; ++i) {
    const auto text = texts.make();
    const auto closely = readable_json(text + std::string{far});
    ASSERT_TRUE(closely && closely->ends_with(near));
    const auto expected =
        closely->substr(0, closely->size() - near.size()) + "]";
    const auto found = readable_json(text + "]");
    EXPECT_EQ(found.value_or(text + "]"), expected) << text.substr(0, 400);
    EXPECT_EQ(found.has_value(), expected != text + "]");
    mended += found ? 1 : 0;
  }
  EXPECT_GT(mended, 100u);
  EXPECT_LT(mended, 500u);
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
