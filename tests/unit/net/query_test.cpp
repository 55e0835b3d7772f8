// SPDX-License-Identifier: Apache-2.0
#include "net/query.hpp"

#include <gtest/gtest.h>

namespace eventweft::net {
namespace {

TEST(percent_decoding, UndoesEscapesAndRefusesBadOnes) {
  EXPECT_EQ(percent_decode("a%20b+c", true), "a b c");
  EXPECT_EQ(percent_decode("a+b", false), "a+b");
  EXPECT_EQ(percent_decode("%c3%A4", true), "\xc3\xa4");
  EXPECT_FALSE(percent_decode("%", true));
  EXPECT_FALSE(percent_decode("%2", true));
  EXPECT_FALSE(percent_decode("%g0", true));
  EXPECT_FALSE(percent_decode("%ff", true));
  EXPECT_FALSE(percent_decode("%c0%80", true));
}

TEST(query, KeepsOrderAndRepetitions) {
  const auto params = parse_query("a=1&b&a=2&&c=x=y&filter={\"a\":1}");
  ASSERT_TRUE(params);
  const query_params expected_params{
      {"a", "1"}, {"b", ""}, {"a", "2"}, {"c", "x=y"}, {"filter", "{\"a\":1}"}};
  EXPECT_EQ(*params, expected_params);
  EXPECT_FALSE(parse_query("a=%"));
  EXPECT_TRUE(parse_query("")->empty());
}

TEST(query, ReadsAllOfAnEventQuery) {
  const auto q = read_event_query(
      {{"platform", "a,b"},
       {"event_type", "x"},
       {"event_type", "y,,z"},
       {"source_name", "o/r"},
       {"actor", "me"},
       {"correlation_id", "0190a1b2-0000-7000-8000-000000000001"},
       {"since", "2026-01-31T12:00:00+02:00"},
       {"until", "2026-01-31T12:00:00 02:00"},
       {"cursor", "77"},
       {"limit", "1000"},
       {"order", "desc"}});
  ASSERT_TRUE(q) << q.error().message;
  EXPECT_EQ(q->event_types, (std::vector<std::string>{"x", "y", "z"}));
  EXPECT_EQ(q->since, parse_rfc3339("2026-01-31T10:00:00Z"));
  // An offset whose `+` nobody encoded.
  EXPECT_EQ(q->until, q->since);
  EXPECT_EQ(q->cursor, 77);
  EXPECT_EQ(q->limit, 1000u);
  EXPECT_FALSE(q->ascending);
  EXPECT_TRUE(q->correlation_id);
}

TEST(query, ReadsEveryFieldOfTheEnvelope) {
  const auto* const id = "0190a1b2-0000-7000-8000-000000000001";
  const auto q = read_event_query({{"id", id},
                                   {"event_id", "d1,d2"},
                                   {"source_id", "1"},
                                   {"actor_id", "2"},
                                   {"actor_name", "mona"},
                                   {"priority", "high,critical"},
                                   {"parent_event_id", id},
                                   {"processed", "false"}});
  ASSERT_TRUE(q) << q.error().message;
  EXPECT_EQ(q->id, uuid::parse(id));
  EXPECT_EQ(q->event_ids, (std::vector<std::string>{"d1", "d2"}));
  EXPECT_EQ(q->source_ids, std::vector<std::string>{"1"});
  EXPECT_EQ(q->actor_ids, std::vector<std::string>{"2"});
  EXPECT_EQ(q->actor_names, std::vector<std::string>{"mona"});
  EXPECT_EQ(q->priorities,
            (std::vector<priority>{priority::high, priority::critical}));
  EXPECT_EQ(q->parent_event_id, uuid::parse(id));
  EXPECT_EQ(q->processed, false);
  EXPECT_EQ(read_event_query({{"min_priority", "high"}})->priorities,
            (std::vector<priority>{priority::high, priority::critical}));
  EXPECT_TRUE(read_event_query({{"min_priority", "low"}})->priorities.empty());
  for (const auto& [name, value] :
       query_params{{"id", "1"}, {"priority", "urgent"}, {"processed", "no"}})
    EXPECT_FALSE(read_event_query({{name, value}})) << name;
}

TEST(query, ReadsConditionsOnThePayload) {
  const auto q = read_event_query(
      {{"payload.pull_request.base.ref", "main"}, {"metadata.a.0", "12"}});
  ASSERT_TRUE(q) << q.error().message;
  EXPECT_EQ(q->conditions, (std::map<std::string, std::string>{
                               {"payload.pull_request.base.ref", "main"},
                               {"metadata.a.0", "12"}}));
  for (const auto* path : {"payload", "payload.", "payload.a.", "payload.a..b",
                           "payload.\"a", "payload.a\\b", "body.a"})
    EXPECT_FALSE(read_event_query({{path, "x"}})) << path;
  EXPECT_FALSE(read_event_query({{"payload.a", "1"}, {"payload.a", "2"}}));
}

TEST(query, ReadsWhereAReaderStarts) {
  EXPECT_EQ(read_websocket_query({})->start, start_point::end());
  EXPECT_EQ(read_websocket_query({{"since", "earliest"}})->start,
            start_point::after(0));
  EXPECT_EQ(read_websocket_query({{"since", "12"}})->start,
            start_point::after(12));
  EXPECT_EQ(read_websocket_query({{"since", "2026-01-31T12:00:00Z"}})->start,
            start_point::at(*parse_rfc3339("2026-01-31T12:00:00Z")));
  EXPECT_FALSE(read_websocket_query({{"since", "-1"}}));
  EXPECT_FALSE(read_websocket_query({{"platforms", "a"}}));
  EXPECT_FALSE(read_sse_query({{"progress", "true"}}));
}

TEST(query, ReadsAFilterInParts) {
  const auto q = read_sse_query({{"platforms", "a,b"},
                                 {"source_names", "o/*"},
                                 {"min_priority", "high"}});
  ASSERT_TRUE(q);
  EXPECT_EQ(q->filter.platforms, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(q->filter.source_names, std::vector<std::string>{"o/*"});
  EXPECT_EQ(q->filter.min_priority, priority::high);
  EXPECT_FALSE(read_sse_query({{"min_priority", "urgent"}}));
}

} // namespace
} // namespace eventweft::net
