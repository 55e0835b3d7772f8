// SPDX-License-Identifier: Apache-2.0
#include "codec/event_json.hpp"
#include "tests/unit/codec/support.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <limits>
#include <thread>

namespace eventweft::codec {
namespace {

std::string native(const event& ev) {
  std::string out;
  append_native(out, ev);
  return out;
}

TEST(NativeJson, IsTheWireFormatToTheByte) {
  EXPECT_EQ(native(full_event()),
            R"({"id":"01970000-0000-7000-8000-000000000001","seq":1042,)"
            R"("event_id":"72d3162e-cc78-11e3-81ab-4c9367dc0958",)"
            R"("platform":"github","event_type":"pull_request:opened",)"
            R"("source_id":"186853002","source_name":"octo/repo",)"
            R"("actor_id":"21031067","actor_name":"codertocat",)"
            R"("priority":"high",)"
            R"("correlation_id":"01970000-0000-7000-8000-000000000002",)"
            R"("parent_event_id":"01970000-0000-7000-8000-000000000003",)"
            R"("metadata":{"source":"cli","n":1},)"
            R"("created_at":"2026-01-31T12:00:00.123456Z",)"
            R"("processed_at":"2026-01-31T12:00:01.000000Z",)"
            R"("processing_duration":0.250000,)"
            R"("payload":{"action":"opened","n":12}})");
}

TEST(NativeJson, WhatIsNotKnownIsNull) {
  event ev = full_event();
  ev.correlation_id.reset();
  ev.parent_event_id.reset();
  ev.processed_at.reset();
  ev.processing_duration.reset();
  const auto json = boost::json::parse(native(ev));
  for (const char* name : {"correlation_id", "parent_event_id", "processed_at",
                           "processing_duration"})
    EXPECT_TRUE(json.at(name).is_null()) << name;
}

TEST(NativeJson, StaysJsonWhateverADurationIs) {
  event ev = full_event();
  for (double odd : {std::numeric_limits<double>::quiet_NaN(),
                     std::numeric_limits<double>::infinity(), 1e300, 0.0}) {
    ev.processing_duration = odd;
    boost::json::error_code fault;
    boost::json::parse(native(ev), fault);
    EXPECT_FALSE(fault) << odd;
  }
}

TEST(NativeJson, EscapesMembers) {
  event ev = full_event();
  ev.source_name = "a\"b\\c\n";
  ev.actor_name = "bad \xFF";
  const auto json = boost::json::parse(native(ev));
  EXPECT_EQ(json.at("source_name").as_string(), "a\"b\\c\n");
  EXPECT_EQ(json.at("actor_name").as_string(), "bad \xEF\xBF\xBD");
}

TEST(NativeJson, RoundTrips) {
  event ev = full_event();
  auto again = parse_native(native(ev));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, ev);
  ev.correlation_id.reset();
  ev.parent_event_id.reset();
  ev.processed_at.reset();
  ev.processing_duration.reset();
  ev.priority = priority::low;
  ev.seq = 0;
  ev.source_id = ev.actor_id = ev.actor_name = "";
  ev.source_name = "quote \" slash \\ \xF0\x9F\xA7\xB5";
  again = parse_native(native(ev));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, ev);
}

TEST(NativeJson, KeepsThePayloadsBytes) {
  for (std::string_view payload :
       {R"({"b":1,"a":2,  "a" : 3})", "{\n  \"x\": [ 1,\r\n 2 ]\n}", "[]",
        "\"text\"", "12", "-0.0", "1e400", "true", "null",
        R"({"payload":{"payload":"}"}})", R"({"s":"\u00fc\/"})",
        " {\"white\" : \"space\"} \n"}) {
    const auto ev = event_with_payload(std::string{payload});
    const auto json = native(ev);
    EXPECT_NE(json.find(payload), std::string::npos) << payload;
    const auto again = parse_native(json);
    ASSERT_TRUE(again) << payload << ": " << again.error().message;
    EXPECT_EQ(again->payload.view(), payload);
  }
}

TEST(NativeJson, FindsAgainWhatSqlCannotRead) {
  event ev = event_with_payload(R"({"a":"\u0000"})");
  ev.payload_readable = shared_text{R"({"a":"\ufffd"})"};
  const auto again = parse_native(native(ev));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->payload.view(), R"({"a":"\u0000"})");
  EXPECT_EQ(again->payload_readable.view(), R"({"a":"\ufffd"})");
  // Streams get the original.
  EXPECT_NE(native(ev).find(R"(\u0000)"), std::string::npos);
}

TEST(NativeJson, ReadsMembersInAnyOrderAndIgnoresUnknownOnes) {
  const auto ev = parse_native(
      R"({"payload": {"a": [1, 2]} , "future":{"x":[{}]},"event_type":"t",
        "more":null,"event_id":"e","platform":"p"})");
  ASSERT_TRUE(ev) << ev.error().message;
  EXPECT_EQ(ev->platform, "p");
  EXPECT_EQ(ev->event_id, "e");
  EXPECT_EQ(ev->event_type, "t");
  EXPECT_EQ(ev->payload.view(), R"({"a": [1, 2]})");
  EXPECT_EQ(ev->metadata, "{}");
}

TEST(NativeJson, RefusesWhatIsNoEvent) {
  const std::string good = R"("platform":"p","event_id":"e","event_type":"t")";
  for (const std::string& bad : std::initializer_list<std::string>{
           std::string{}, std::string{"{"}, std::string{"[]"}, std::string{"1"},
           std::string{"{}"}, R"({"platform":"p","event_id":"e"})",
           "{" + good + R"(,"id":"nope"})", "{" + good + R"(,"seq":"1"})",
           "{" + good + R"(,"created_at":"yesterday"})",
           "{" + good + R"(,"metadata":[]})", "{" + good + R"(,"payload":)",
           "{" + good + R"(,"payload":{"a":1})", "{" + good + "",
           "{" + good + R"(,"source_name":1})",
           "{" + good + ",\"source_name\":\"\xFF\"}",
           "{" + good + R"(,"payload":1}})",
           "{" + good + R"(,"payload":1} x})"}) {
    const auto ev = parse_native(bad);
    ASSERT_FALSE(ev) << bad;
    EXPECT_EQ(ev.error().code, ec::malformed) << bad;
  }
}

TEST(WireText, IsRenderedOnceForAll) {
  const event_ptr ev{full_event()};
  const auto copy = ev;
  const auto first = wire_text(ev, wire_format::native);
  EXPECT_EQ(first, native(*ev));
  EXPECT_EQ(wire_text(copy, wire_format::native).data(), first.data());
  EXPECT_NE(wire_text(ev, wire_format::cloudevents), first);
}

TEST(WireText, IsSafeAmongThreads) {
  const event_ptr ev{full_event()};
  std::vector<std::string_view> seen(8);
  {
    std::vector<std::jthread> threads;
    for (auto& text : seen)
      threads.emplace_back(
          [&text, &ev] { text = wire_text(ev, wire_format::native); });
  }
  for (const auto& text : seen) {
    EXPECT_EQ(text.data(), seen.front().data());
    EXPECT_EQ(text, native(*ev));
  }
}

TEST(CloudEvent, HasTheRequiredAttributes) {
  std::string text;
  append_cloudevent(text, full_event());
  const auto json = boost::json::parse(text).as_object();
  EXPECT_EQ(json.at("specversion").as_string(), "1.0");
  EXPECT_EQ(json.at("id").as_string(), "01970000-0000-7000-8000-000000000001");
  EXPECT_EQ(json.at("source").as_string(), "/github/octo/repo");
  EXPECT_TRUE(json.at("type").as_string().starts_with("github.pull_request"));
  EXPECT_EQ(json.at("time").as_string(), "2026-01-31T12:00:00.123456Z");
  EXPECT_EQ(json.at("datacontenttype").as_string(), "application/json");
  EXPECT_EQ(boost::json::serialize(json.at("data")),
            R"({"action":"opened","n":12})");
}

TEST(CloudEvent, AttributeNamesAndTypesAreTheSpecs) {
  std::string text;
  append_cloudevent(text, full_event());
  const auto json = boost::json::parse(text);
  for (const auto& [name, value] : json.as_object()) {
    const std::string_view key{name.data(), name.size()};
    EXPECT_EQ(key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789"),
              std::string_view::npos)
        << key;
    if (key == "data")
      continue;
    EXPECT_TRUE(value.is_string() && !value.as_string().empty()) << key;
  }
}

TEST(CloudEvent, SourceIsAUriReference) {
  event ev = full_event();
  ev.source_name = "a b\xC3\xBC#?%";
  std::string text;
  append_cloudevent(text, ev);
  EXPECT_EQ(boost::json::parse(text).at("source").as_string(),
            "/github/a%20b%C3%BC%23%3F%25");
}

TEST(PageJson, HoldsEventsAndCursor) {
  event_page page;
  EXPECT_EQ(page_json(page), R"({"events":[],"next_cursor":null})");
  page.events = {event_ptr{full_event()}, event_ptr{full_event()}};
  page.next_cursor = 41;
  EXPECT_EQ(page_json(page), R"({"events":[)" + native(full_event()) + "," +
                                 native(full_event()) +
                                 R"(],"next_cursor":"41"})");
}

TEST(OutcomeJson, TellsWhatBecameOfAnEvent) {
  append_outcome outcome;
  outcome.id = *uuid::parse("01970000-0000-7000-8000-000000000001");
  outcome.seq = 7;
  const std::string head =
      R"({"id":"01970000-0000-7000-8000-000000000001","seq":)";
  EXPECT_EQ(outcome_json(outcome), head + R"(7,"duplicate":false})");
  outcome.duplicate = true;
  EXPECT_EQ(outcome_json(outcome), head + R"(7,"duplicate":true})");
  outcome = {outcome.id, 0, false, true};
  EXPECT_EQ(outcome_json(outcome),
            head + R"(null,"duplicate":false,"spooled":true})");
}

} // namespace
} // namespace eventweft::codec
