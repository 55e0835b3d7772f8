// SPDX-License-Identifier: Apache-2.0
#include "codec/filter.hpp"
#include "codec/filter_explain.hpp"
#include "tests/unit/codec/support.hpp"

#include <gmock/gmock.h>

namespace eventweft::codec {
namespace {

using ::testing::HasSubstr;

filter_explanation explained(std::string_view json) {
  const auto f = parse_filter(json);
  EXPECT_TRUE(f) << json;
  if (!f)
    return {};
  auto told = explain(*f, full_event());
  EXPECT_EQ(told.matched, compiled_filter{*f}.matches(full_event())) << json;
  return told;
}

/// Why the only member does not match.
std::string why(std::string_view json) {
  const auto told = explained(json);
  EXPECT_EQ(told.members.size(), 1u) << json;
  EXPECT_FALSE(told.matched) << json;
  return told.members.empty() ? std::string{} : told.members.front().why;
}

TEST(FilterExplain, TellsOfEachMemberThatIsGiven) {
  const auto told = explained(R"({"platforms":["github"],"min_priority":"low",
    "event_types":["issues"],"custom_filters":{"payload.n":12}})");
  ASSERT_EQ(told.members.size(), 4u);
  EXPECT_FALSE(told.matched);
  const std::pair<std::string, bool> expected[] = {{"platforms", true},
                                                   {"event_types", false},
                                                   {"min_priority", true},
                                                   {"payload.n", true}};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(told.members[i].member, expected[i].first);
    EXPECT_EQ(told.members[i].matched, expected[i].second);
    EXPECT_EQ(told.members[i].why.empty(), expected[i].second);
  }
  EXPECT_TRUE(explained("{}").matched);
}

TEST(FilterExplain, SaysWhyNot) {
  EXPECT_EQ(why(R"({"source_names":["octo/else","x/*"]})"),
            "the event's is \"octo/repo\", which is none of these");
  EXPECT_EQ(why(R"({"min_priority":"critical"})"),
            "the event's is \"high\", which is below it");
  EXPECT_EQ(why(R"({"custom_filters":{"payload.nothing.here":1}})"),
            "there is nothing at this path");
  EXPECT_EQ(why(R"({"custom_filters":{"payload.n":13}})"), "there is 12");
  EXPECT_EQ(why(R"({"custom_filters":{"payload.n":"12"}})"),
            "there is 12, which is another type");
}

TEST(FilterExplain, AsJson) {
  EXPECT_EQ(explanation_json(explained(R"({"platforms":["github"]})")),
            R"({"matched":true,"members":[{"member":"platforms",)"
            R"("matched":true,"wanted":["github"],"found":"github",)"
            R"("why":null}]})");
  EXPECT_THAT(
      explanation_json(explained(R"({"custom_filters":{"payload.x":"é"}})")),
      HasSubstr(R"("wanted":"é","found":null,"why":"there is nothing)"));
}

} // namespace
} // namespace eventweft::codec
