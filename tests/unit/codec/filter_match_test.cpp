// SPDX-License-Identifier: Apache-2.0
#include "codec/filter.hpp"
#include "tests/unit/codec/support.hpp"

#include <gtest/gtest.h>

namespace eventweft::codec {
namespace {

bool matches(std::string_view json, const event& ev) {
  const auto f = parse_filter(json);
  if (!f) {
    ADD_FAILURE() << f.error().message;
    return false;
  }
  return compiled_filter{*f}.matches(ev);
}

bool matches(std::string_view json) {
  return matches(json, full_event());
}

TEST(FilterMatch, TheEmptyFilterMatchesEverything) {
  EXPECT_TRUE(matches("{}"));
  EXPECT_TRUE(compiled_filter{}.matches(full_event()));
  EXPECT_TRUE(compiled_filter{}.matches(event{}));
}

TEST(FilterMatch, WhoReadsAThreadHearsOfItsMerge) {
  auto ev = full_event();
  ev.platform = "eventweft";
  ev.event_type = "correlation:merged";
  ev.payload = shared_text{
      R"({"from":"01970000-0000-7000-8000-000000000003","into":"x"})"};
  constexpr std::string_view former =
      R"({"correlation_ids":["01970000-0000-7000-8000-000000000003"]})";
  EXPECT_TRUE(matches(former, ev));
  ev.platform = "github";
  EXPECT_FALSE(matches(former, ev));
}

TEST(FilterMatch, NumbersAreComparedAsNumbers) {
  auto ev = full_event();
  const auto stands = [&](std::string_view number, std::string_view wanted) {
    ev.payload = shared_text{R"({"n":)" + std::string{number} + "}"};
    return matches(
        R"({"custom_filters":{"payload.n":)" + std::string{wanted} + "}}", ev);
  };
  for (const auto& [a, b] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"12", "12.0"},
           {"12", "1.2e1"},
           {"-7", "-7.0"},
           {"0", "-0.0"},
           {"0.5", "5e-1"},
           {"9007199254740993", "9007199254740993"},
           {"18446744073709551615", "18446744073709551615"},
           {"1e300", "10e299"},
           {"100000000000000000000", "1e20"}}) {
    EXPECT_TRUE(stands(a, b)) << a << ' ' << b;
    EXPECT_TRUE(stands(b, a)) << b << ' ' << a;
  }
  EXPECT_FALSE(stands("12", "12.5"));
  EXPECT_FALSE(stands("12", "\"12\""));
  EXPECT_FALSE(stands("9007199254740993", "9007199254740992"));
  EXPECT_FALSE(stands("9007199254740993", "9007199254740992.0"));
}

TEST(FilterMatch, EachMemberDecides) {
  for (const auto& [yes, no] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {R"({"platforms":["slack","github"]})",
            R"({"platforms":["slack"]})"},
           {R"({"event_types":["pull_request:opened"]})",
            R"({"event_types":["pull_request:closed"]})"},
           {R"({"source_ids":["186853002"]})",
            R"({"source_ids":["18685300"]})"},
           {R"({"source_names":["octo/repo"]})",
            R"({"source_names":["octo/rep"]})"},
           {R"({"actor_ids":["21031067"]})", R"({"actor_ids":["codertocat"]})"},
           {R"({"correlation_ids":["01970000-0000-7000-8000-000000000002"]})",
            R"({"correlation_ids":["01970000-0000-7000-8000-000000000003"]})"},
           {R"({"min_priority":"high"})", R"({"min_priority":"critical"})"},
           {R"({"custom_filters":{"payload.action":"opened"}})",
            R"({"custom_filters":{"payload.action":"closed"}})"}}) {
    EXPECT_TRUE(matches(yes)) << yes;
    EXPECT_FALSE(matches(no)) << no;
  }
}

TEST(FilterMatch, AllMembersMustMatch) {
  EXPECT_TRUE(matches(R"({"platforms":["github"],"min_priority":"high",
    "custom_filters":{"payload.action":"opened","metadata.source":"cli"}})"));
  EXPECT_FALSE(matches(R"({"platforms":["github"],"actor_ids":["1"]})"));
  EXPECT_FALSE(matches(R"({"custom_filters":{"payload.action":"opened",
    "metadata.source":"web"}})"));
}

TEST(FilterMatch, AnEventWithoutAThreadIsInNone) {
  event ev = full_event();
  ev.correlation_id.reset();
  EXPECT_FALSE(matches(
      R"({"correlation_ids":["01970000-0000-7000-8000-000000000002"]})", ev));
}

TEST(FilterMatch, AThreadsIdMayBeInUpperCase) {
  event ev = full_event();
  ev.correlation_id = uuid::parse("01970000-0000-7000-8000-00000000abcd");
  EXPECT_TRUE(matches(
      R"({"correlation_ids":["01970000-0000-7000-8000-00000000ABCD"]})", ev));
}

TEST(FilterMatch, ATypeAlsoMatchesItsActions) {
  event ev = full_event();
  ev.event_type = "Issue:create";
  EXPECT_TRUE(matches(R"({"event_types":["Issue"]})", ev));
  EXPECT_TRUE(matches(R"({"event_types":["Issue:create"]})", ev));
  EXPECT_TRUE(matches(R"({"event_types":["Issue:*"]})", ev));
  EXPECT_TRUE(matches(R"({"event_types":["*:create"]})", ev));
  EXPECT_FALSE(matches(R"({"event_types":["Iss"]})", ev));
  EXPECT_FALSE(matches(R"({"event_types":["Issue:"]})", ev));
  EXPECT_FALSE(matches(R"({"event_types":["issue"]})", ev));
  ev.event_type = "IssueLabel:create";
  EXPECT_FALSE(matches(R"({"event_types":["Issue"]})", ev));
  ev.event_type = "Issue";
  EXPECT_TRUE(matches(R"({"event_types":["Issue"]})", ev));
  EXPECT_FALSE(matches(R"({"event_types":["Issue:create"]})", ev));
}

TEST(FilterMatch, SourceNamesTakeWildcards) {
  EXPECT_TRUE(matches(R"({"source_names":["octo/*"]})"));
  EXPECT_TRUE(matches(R"({"source_names":["*/repo"]})"));
  EXPECT_FALSE(matches(R"({"source_names":["acme/*"]})"));
  // Only the two members that say so.
  EXPECT_FALSE(matches(R"({"platforms":["git*"]})"));
  EXPECT_FALSE(matches(R"({"actor_ids":["*"]})"));
}

TEST(FilterMatch, CustomFiltersReachAnyScalar) {
  const auto ev = event_with_payload(
      R"({"s":"main","n":12,"f":1.50,"t":true,"z":null,"deep":{"a":[{"b":"x"}]},
        "dotted.name":{"k":1},"u":"\u00fc","big":18446744073709551615})");
  for (std::string_view yes :
       {R"({"payload.s":"main"})", R"({"payload.n":12})",
        R"({"payload.f":1.5})", R"({"payload.t":true})",
        R"({"payload.z":null})", R"({"payload.deep.a.0.b":"x"})",
        R"({"payload.dotted.name.k":1})", R"({"payload.u":"ü"})",
        R"({"payload.big":18446744073709551615})"})
    EXPECT_TRUE(matches(R"({"custom_filters":)" + std::string{yes} + "}", ev))
        << yes;
  for (std::string_view no :
       {R"({"payload.s":"Main"})", R"({"payload.n":"12"})",
        R"({"payload.n":13})", R"({"payload.t":"true"})",
        R"({"payload.missing":null})", R"({"payload.s.x":"main"})",
        R"({"payload.deep":1})", R"({"payload.deep.a.1.b":"x"})",
        R"({"payload.deep.a.00x.b":"x"})", R"({"metadata.s":"main"})"})
    EXPECT_FALSE(matches(R"({"custom_filters":)" + std::string{no} + "}", ev))
        << no;
}

TEST(FilterMatch, OfARepeatedMemberTheLastCounts) {
  const auto ev = event_with_payload(
      R"({"a":1,"a":2,"b":{"c":1,"d":1},"b":{"c":2},"e.f":1,"e.f":2})");
  const auto stands = [&](std::string_view condition) {
    return matches(R"({"custom_filters":{)" + std::string{condition} + "}}",
                   ev);
  };
  EXPECT_TRUE(stands(R"("payload.a":2)"));
  EXPECT_FALSE(stands(R"("payload.a":1)"));
  EXPECT_TRUE(stands(R"("payload.b.c":2)"));
  EXPECT_TRUE(stands(R"("payload.b.d":1)"));
  EXPECT_TRUE(stands(R"("payload.e.f":2)"));
}

TEST(FilterMatch, CustomFiltersReadEachEventAnew) {
  const auto f = parse_filter(R"({"custom_filters":{"payload.a":1}})");
  ASSERT_TRUE(f);
  const compiled_filter compiled{*f};
  EXPECT_TRUE(compiled.matches(event_with_payload(R"({"a":1})")));
  EXPECT_FALSE(compiled.matches(event_with_payload(R"({"a":2})")));
  EXPECT_TRUE(compiled.matches(event_with_payload(R"({"b":0,"a":1})")));
  EXPECT_FALSE(compiled.matches(event_with_payload("not json")));
  EXPECT_FALSE(compiled.matches(event_with_payload("")));
  EXPECT_FALSE(compiled.matches(event_with_payload("[1]")));
}

TEST(FilterMatch, AStreamsAndAReadersFilterMustBothMatch) {
  filter stream;
  stream.platforms = {"github"};
  filter reader;
  reader.min_priority = priority::critical;
  event ev = full_event();
  const compiled_filter both{stream, reader};
  EXPECT_FALSE(both.matches(ev));
  ev.priority = priority::critical;
  EXPECT_TRUE(both.matches(ev));
  ev.platform = "slack";
  EXPECT_FALSE(both.matches(ev));
}

TEST(FilterMatch, EqualFiltersShareOneKey) {
  filter a;
  a.platforms = {"github", "slack"};
  filter b;
  b.platforms = {"slack", "github", "slack"};
  EXPECT_EQ(compiled_filter{a}.key(), compiled_filter{b}.key());
  filter c;
  c.platforms = {"slack"};
  EXPECT_NE(compiled_filter{a}.key(), compiled_filter{c}.key());
  // A stream without a filter and a reader with one, and the other way round.
  EXPECT_EQ((compiled_filter{a, filter{}}.key()),
            (compiled_filter{filter{}, b}.key()));
  // "all_events, filtered by X" is "the stream X, unfiltered".
  EXPECT_EQ((compiled_filter{a, a}.key()), compiled_filter{a}.key());
  filter d;
  d.min_priority = priority::high;
  EXPECT_NE((compiled_filter{a, d}.key()), compiled_filter{a}.key());
  EXPECT_EQ(compiled_filter{}.key(), compiled_filter{filter{}}.key());
}

TEST(Wildcard, StandsForAnyRun) {
  EXPECT_TRUE(wildcard_match("", ""));
  EXPECT_TRUE(wildcard_match("*", ""));
  EXPECT_TRUE(wildcard_match("**", "abc"));
  EXPECT_TRUE(wildcard_match("a*c", "ac"));
  EXPECT_TRUE(wildcard_match("a*c", "abbbc"));
  EXPECT_TRUE(wildcard_match("*b*", "abc"));
  EXPECT_TRUE(wildcard_match("a*b*c", "axbxbxc"));
  EXPECT_FALSE(wildcard_match("", "a"));
  EXPECT_FALSE(wildcard_match("a", ""));
  EXPECT_FALSE(wildcard_match("a*c", "abd"));
  EXPECT_FALSE(wildcard_match("a*c", "bac"));
  EXPECT_FALSE(wildcard_match("*a", "ab"));
  // Nothing else is special.
  EXPECT_FALSE(wildcard_match("a?c", "abc"));
  EXPECT_TRUE(wildcard_match("a.[c", "a.[c"));
}

TEST(Wildcard, ManyStarsDoNotExplode) {
  std::string pattern;
  for (int i = 0; i < 200; ++i)
    pattern += "*a";
  // Exponential backtracking would not end before the test's time limit.
  EXPECT_FALSE(wildcard_match(pattern + "b", std::string(5'000, 'a')));
  EXPECT_TRUE(wildcard_match(pattern, std::string(5'000, 'a')));
}

} // namespace
} // namespace eventweft::codec
