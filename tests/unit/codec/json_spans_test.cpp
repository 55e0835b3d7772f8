// SPDX-License-Identifier: Apache-2.0
#include "codec/json_spans.hpp"

#include <gtest/gtest.h>

namespace eventweft::codec {
namespace {

constexpr std::string_view nothing = "(nothing)";

std::string at(std::string_view json, std::string_view path) {
  return json_text_at(json, path).value_or(std::string{nothing});
}

TEST(JsonSpans, WhatAPathLeadsToAsText) {
  constexpr std::string_view json =
      R"( {"a": {"b": [10, {"c": "x\"\u00fc\n"}, null , true]}, "": 7,)"
      R"( "n": -1.50e+3 ,"o":{ "p" : [ ] }} )";
  EXPECT_EQ(at(json, "a.b.0"), "10");
  EXPECT_EQ(at(json, "a.b.00"), "10");
  EXPECT_EQ(at(json, "a.b.1.c"), "x\"\u00fc\n");
  EXPECT_EQ(at(json, "a.b.1"), R"({"c": "x\"\u00fc\n"})");
  EXPECT_EQ(at(json, "a.b.3"), "true");
  EXPECT_EQ(at(json, "n"), "-1.50e+3");
  EXPECT_EQ(at(json, "o"), R"({ "p" : [ ] })");
  EXPECT_EQ(at(json, "o.p"), "[ ]");
  EXPECT_EQ(at(json, ""), "7");
  for (auto* none : {"a.b.2", "a.b.4", "a.b.-1", "a.b.+0", "a.b.x", "b", "a.b.",
                     "n.x", "a.b.1.c.0", "a.b.99999999999999999999"})
    EXPECT_EQ(at(json, none), nothing) << none;
  EXPECT_EQ(at("[1]", "0"), "1");
  EXPECT_EQ(at("5", "0"), nothing);
}

TEST(JsonSpans, OfARepeatedMemberTheLastCounts) {
  constexpr std::string_view json =
      R"({"a":1,"a":2,"b":{"c":1,"d":1},"b":{"c":2},"b":3,"e":1,"e":null})";
  EXPECT_EQ(at(json, "a"), "2");
  EXPECT_EQ(at(json, "b.c"), "2");
  EXPECT_EQ(at(json, "b.d"), "1");
  EXPECT_EQ(at(json, "b"), "3");
  EXPECT_EQ(at(json, "e"), nothing);
}

TEST(JsonSpans, TextThatIsNoJsonDoesNoHarm) {
  for (std::string_view broken : {"", "{", "[", R"({"a)", R"({"a":)",
                                  R"({"a":")", R"({"a":"\)", "{a:1}", "]"})
    EXPECT_EQ(at(broken, "b.0"), nothing) << broken;
}

} // namespace
} // namespace eventweft::codec
