// SPDX-License-Identifier: Apache-2.0
#include "codec/rule_json.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace eventweft::codec {
namespace {

using correlation::declarative_rule;

declarative_rule whole_rule() {
  declarative_rule r;
  r.name = "zendesk";
  r.match.platforms = {"events"};
  r.key = "zendesk:{1}";
  r.field = "payload.text";
  r.pattern = R"x(ZD-(\d+))x";
  r.confidence = 0.9F;
  r.window = 604'801;
  return r;
}

TEST(rule_json, ReadsAllMembers) {
  const auto r = parse_rule_request(
      "zendesk", R"x({"match":{"platforms":["events"]},"key":"zendesk:{1}",)x"
                 R"x("field":"payload.text","pattern":"ZD-(\\d+)",)x"
                 R"x("confidence":0.9,"window":604801})x");
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(*r, whole_rule());
}

TEST(rule_json, AKeyWillDo) {
  const auto r =
      parse_rule_request("a", R"({"key":"k_{platform}","match":null})");
  ASSERT_TRUE(r);
  declarative_rule want;
  want.name = "a";
  want.key = "k_{platform}";
  EXPECT_EQ(*r, want);
}

TEST(rule_json, RefusesByName) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases{
      {R"({"key":7})", "key: "},
      {R"({"match":{"colour":["red"]}})", "match: "},
      {R"({"match":[]})", "match: "},
      {R"({"match":{"platforms":["a"],"platforms":["b"]}})", "match: "},
      {R"({"confidence":1.5})", "confidence: "},
      {R"({"confidence":"high"})", "confidence: "},
      {R"({"match":{"correlation_ids":["ENG-42"]}})",
       "match: correlation_ids: "},
      {R"({"window":-1})", "window: "},
      {R"({"window":0.5})", "window: "},
      {R"({"window":5000000000})", "window: "},
      {R"({"name":"b"})", "unknown member \"name\""},
  };
  for (const auto& [body, words] : cases) {
    const auto r = parse_rule_request("a", body);
    ASSERT_FALSE(r) << body;
    EXPECT_TRUE(r.error().message.starts_with(words))
        << body << ": " << r.error().message;
  }
  EXPECT_EQ(parse_rule_request("a", "[]").error().code, ec::malformed);
  for (const auto* name : {"", ".", "..", "a b", "a/b", "\xc3\xa4"})
    EXPECT_EQ(parse_rule_request(name, "{}").error().code, ec::unprocessable)
        << name;
}

TEST(rule_json, ShowsWhatThereIs) {
  correlation::rule_state code;
  code.name = "github";
  code.origin = correlation::rule_origin::built_in;
  code.applied = 7;
  correlation::rule_state own;
  own.name = "zendesk";
  own.enabled = false;
  own.failures = 10;
  own.origin = correlation::rule_origin::store;
  own.definition = whole_rule();
  EXPECT_EQ(
      rules_json({code, own}, true),
      R"x({"correlation_rules":[{"name":"github","origin":"built-in",)x"
      R"x("disabled":false,"applied":7,"failures":0},)x"
      R"x({"name":"zendesk","origin":"store","disabled":true,"applied":0,)x"
      R"x("failures":10,"match":{"platforms":["events"]},)x"
      R"x("key":"zendesk:{1}","field":"payload.text",)x"
      R"x("pattern":"ZD-(\\d+)","confidence":0.9,"window":604801}],)x"
      R"x("next_cursor":"zendesk"})x");
  EXPECT_EQ(rules_json({}, false),
            R"({"correlation_rules":[],"next_cursor":null})");
}

} // namespace
} // namespace eventweft::codec
