// SPDX-License-Identifier: Apache-2.0
#include "codec/filter.hpp"

#include <gmock/gmock.h>

namespace eventweft::codec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

error refusal(std::string_view json) {
  const auto f = parse_filter(json);
  if (f) {
    ADD_FAILURE() << "accepted: " << json;
    return {ec::none, ""};
  }
  return f.error();
}

TEST(FilterText, ReadsEveryMember) {
  const auto f = parse_filter(
      R"({"platforms":["github","slack"],"event_types":["Issue","push*"],
        "source_ids":["1"],"source_names":["octo/*"],"actor_ids":["7"],
        "correlation_ids":["01970000-0000-7000-8000-000000000002"],
        "min_priority":"high",
        "custom_filters":{"payload.base.ref":"main","payload.n":12,
                          "metadata.ok":true,"payload.none":null}})");
  ASSERT_TRUE(f) << f.error().message;
  EXPECT_THAT(f->platforms, ElementsAre("github", "slack"));
  EXPECT_THAT(f->event_types, ElementsAre("Issue", "push*"));
  EXPECT_THAT(f->source_ids, ElementsAre("1"));
  EXPECT_THAT(f->source_names, ElementsAre("octo/*"));
  EXPECT_THAT(f->actor_ids, ElementsAre("7"));
  EXPECT_THAT(f->correlation_ids,
              ElementsAre("01970000-0000-7000-8000-000000000002"));
  EXPECT_EQ(f->min_priority, priority::high);
  EXPECT_EQ(f->custom_filters.at("payload.base.ref"), R"("main")");
  EXPECT_EQ(f->custom_filters.at("payload.n"), "12");
  EXPECT_EQ(f->custom_filters.at("metadata.ok"), "true");
  EXPECT_EQ(f->custom_filters.at("payload.none"), "null");
}

TEST(FilterText, AnEmptyObjectAndEmptyListsMatchEverything) {
  for (std::string_view text :
       {"{}", " { } ", R"({"platforms":[]})", R"({"min_priority":null})",
        R"({"custom_filters":{}})"}) {
    const auto f = parse_filter(text);
    ASSERT_TRUE(f) << text << f.error().message;
    EXPECT_TRUE(f->empty()) << text;
  }
}

TEST(FilterText, ThatIsForcedHasNoEmptyMember) {
  const auto good = parse_forced_filter(
      R"({"platforms":["github"],"min_priority":null,"source_names":["a"]})");
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_THAT(good->source_names, ElementsAre("a"));
  for (const auto& [json, name] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"{}", "names nothing"},
           {R"({"min_priority":null})", "names nothing"},
           {R"({"source_names":[]})", "source_names"},
           {R"({"platforms":["github"],"source_names":[]})", "source_names"},
           {R"({"platforms":["github"],"custom_filters":{}})",
            "custom_filters"},
           {R"({"correlation_ids":["ENG-42"]})", "ENG-42"}}) {
    const auto f = parse_forced_filter(json);
    ASSERT_FALSE(f) << json;
    EXPECT_EQ(f.error().code, ec::unprocessable) << json;
    EXPECT_THAT(f.error().message, HasSubstr(std::string{name})) << json;
  }
  EXPECT_EQ(parse_forced_filter("{").error().code, ec::malformed);
}

TEST(FilterText, NamesAnUnknownKey) {
  const auto e = refusal(R"({"platform":["github"]})");
  EXPECT_EQ(e.code, ec::unprocessable);
  EXPECT_THAT(e.message, HasSubstr("unknown key \"platform\""));
}

TEST(FilterText, NamesTheMemberOfAWrongType) {
  for (const auto& [json, name] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {R"({"platforms":"github"})", "platforms"},
           {R"({"platforms":["github",1]})", "platforms[1]"},
           {R"({"event_types":{}})", "event_types"},
           {R"({"source_names":[null]})", "source_names[0]"},
           {R"({"min_priority":"urgent"})", "min_priority"},
           {R"({"min_priority":2})", "min_priority"},
           {R"({"custom_filters":[]})", "custom_filters"},
           {R"({"custom_filters":{"payload.a":[1]}})", "payload.a"},
           {R"({"custom_filters":{"payload.a":{}}})", "payload.a"},
           {R"({"custom_filters":{"a.b":1}})", "\"a.b\""},
           {R"({"custom_filters":{"payload":1}})", "\"payload\""},
           {R"({"custom_filters":{"payload.":1}})", "\"payload.\""},
           {R"({"custom_filters":{"payload.a..b":1}})", "\"payload.a..b\""},
           {R"([])", "object"},
           {R"("x")", "object"}}) {
    const auto e = refusal(json);
    EXPECT_EQ(e.code, ec::unprocessable) << json;
    EXPECT_THAT(e.message, HasSubstr(std::string{name})) << json;
  }
}

TEST(FilterText, NamesAMemberThatIsGivenTwice) {
  for (const auto& [json, name] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {R"({"platforms":["github"],"platforms":["slack"]})", "platforms"},
           {R"({"min_priority":null,"min_priority":"low"})", "min_priority"},
           {R"({"custom_filters":{},"custom_filters":{"payload.a":1}})",
            "custom_filters"},
           {R"({"custom_filters":{"payload.a":1,"payload.a":2}})",
            "payload.a"}}) {
    const auto e = refusal(json);
    EXPECT_EQ(e.code, ec::malformed) << json;
    EXPECT_THAT(e.message, HasSubstr(std::string{name})) << json;
    EXPECT_THAT(e.message, HasSubstr("twice")) << json;
  }
}

TEST(FilterText, RefusesWhatNoEventCanHave) {
  for (const auto& [json, name] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {R"({"event_types":[""]})", "event_types[0]"},
           {R"({"platforms":["github",""]})", "platforms[1]"}}) {
    const auto e = refusal(json);
    EXPECT_EQ(e.code, ec::unprocessable) << json;
    EXPECT_THAT(e.message, HasSubstr(std::string{name})) << json;
  }
  // What an event may be without.
  EXPECT_TRUE(parse_filter(R"({"source_names":[""],"actor_ids":[""]})"));
}

TEST(FilterText, TextThatIsNotJsonIsMalformed) {
  for (std::string_view text :
       {"", "{", "{]", "nonsense", "{}x", "{\"platforms\":[\"\xff\"]}"})
    EXPECT_EQ(refusal(text).code, ec::malformed) << text;
}

TEST(FilterText, NoTextAtAllIsNoBody) {
  EXPECT_EQ(refusal("").message, "filter: expected a JSON object");
}

TEST(FilterText, RefusesWhatNoStoreCanHold) {
  for (std::string_view text : {R"({"platforms":["a\u0000"]})",
                                R"({"custom_filters":{"payload.a":"\ud800"}})",
                                R"({"custom_filters":{"payload.\u0000":1}})"}) {
    const auto e = refusal(text);
    EXPECT_EQ(e.code, ec::unprocessable) << text;
    EXPECT_THAT(e.message, HasSubstr("U+0000")) << text;
  }
  EXPECT_TRUE(parse_filter(R"({"platforms":["\\u0000","\ud83e\uddf5"]})"));
}

TEST(FilterText, TakesWhatIsBeyondADoubleForTheLargestOne) {
  const auto f = parse_filter(
      R"({"custom_filters":{"payload.a":1e400,"payload.b":-1e400}})");
  ASSERT_TRUE(f) << f.error().message;
  EXPECT_EQ(f->custom_filters.at("payload.a"), "1.7976931348623157e+308");
  EXPECT_EQ(f->custom_filters.at("payload.b"), "-1.7976931348623157e+308");
}

TEST(FilterText, LimitsWhatOneFilterMayHold) {
  std::string many = R"({"platforms":["x")";
  for (int i = 0; i < 1'000; ++i)
    many += ",\"x\"";
  EXPECT_THAT(refusal(many + "]}").message, HasSubstr("platforms"));
  std::string paths = R"({"custom_filters":{"payload.x":1)";
  for (int i = 0; i < 32; ++i)
    paths += ",\"payload.p" + std::to_string(i) + "\":1";
  EXPECT_THAT(refusal(paths + "}}").message, HasSubstr("custom_filters"));
  EXPECT_EQ(refusal(R"({"custom_filters":{"payload.)" + std::string(300, 'a') +
                    R"(":1}})")
                .code,
            ec::unprocessable);
}

TEST(FilterText, IsCanonical) {
  const auto a = parse_filter(
      R"({"min_priority":"low","event_types":["b","a","b"],"platforms":["z"]})");
  const auto b = parse_filter(
      R"({ "platforms":["z","z"], "event_types":["a","b"],"min_priority":"low"})");
  ASSERT_TRUE(a && b);
  EXPECT_EQ(filter_json(*a), filter_json(*b));
  EXPECT_EQ(filter_json(*a), R"({"platforms":["z"],"event_types":["a","b"],)"
                             R"("min_priority":"low"})");
  EXPECT_EQ(filter_json(filter{}), "{}");
}

TEST(FilterText, RoundTrips) {
  filter f;
  f.platforms = {"github"};
  f.event_types = {"a\"b\\c", "\xC3\xBC*"};
  f.source_ids = {"1"};
  f.source_names = {"octo/*"};
  f.actor_ids = {"2"};
  f.correlation_ids = {"01970000-0000-7000-8000-000000000002"};
  f.min_priority = priority::critical;
  f.custom_filters = {{"payload.a", "\"x\\\"y\""},
                      {"payload.b", "12"},
                      {"payload.c", "1.5"},
                      {"metadata.d", "false"}};
  const auto again = parse_filter(filter_json(f));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, f);
}

} // namespace
} // namespace eventweft::codec
