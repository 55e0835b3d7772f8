// SPDX-License-Identifier: Apache-2.0
#include "net/api_processing.hpp"
#include "net/event_query.hpp"
#include "net/stream_query.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace eventweft::net {
namespace {

TEST(percent_decoding, UndoesEscapesAndRefusesBadOnes) {
  EXPECT_EQ(percent_decode("a%20b+c", plus_sign::is_blank), "a b c");
  EXPECT_EQ(percent_decode("a+b", plus_sign::is_itself), "a+b");
  EXPECT_EQ(percent_decode("%c3%A4", plus_sign::is_blank), "\xc3\xa4");
  EXPECT_FALSE(percent_decode("%", plus_sign::is_blank));
  EXPECT_FALSE(percent_decode("%2", plus_sign::is_blank));
  EXPECT_FALSE(percent_decode("%g0", plus_sign::is_blank));
  EXPECT_FALSE(percent_decode("%ff", plus_sign::is_blank));
  EXPECT_FALSE(percent_decode("%c0%80", plus_sign::is_blank));
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

TEST(query, HasNoNulInAnyParameter) {
  const auto value = parse_query("limit=1&actor_name=a%00b");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ec::malformed);
  EXPECT_EQ(value.error().message,
            "query parameter \"actor_name\" holds a NUL");
  const auto name = parse_query("payload.a%00=1");
  ASSERT_FALSE(name);
  EXPECT_EQ(name.error().code, ec::malformed);
}

TEST(query, AnEmptyFilterDoesNotFindEverything) {
  const auto is_empty = [](const auto& read, const std::string& name) {
    ASSERT_FALSE(read) << name;
    EXPECT_EQ(read.error().code, ec::malformed) << name;
    EXPECT_EQ(read.error().message,
              "query parameter \"" + name + "\" is empty");
  };
  for (const auto* name :
       {"event_id", "platform", "event_type", "source_id", "source_name",
        "actor", "actor_id", "actor_name", "priority"})
    for (const auto* value : {"", ",", ",,"})
      is_empty(read_event_query({{name, value}}), name);
  is_empty(read_event_query({{"platform", "a"}, {"platform", ""}}), "platform");
  for (const auto* name : {"platforms", "event_types", "source_ids",
                           "source_names", "actor_ids", "correlation_ids"})
    is_empty(read_sse_query({{name, ""}}), name);
  for (const auto* name : {"actor", "action", "target"})
    is_empty(read_audit_query({{name, ""}}), name);
  for (const auto* name : {"origin", "platform", "event_type"})
    is_empty(
        read_dead_letter_selection({{name, ""}}, endpoint::drop_dead_letters),
        name);
  // A member of the payload may well be empty.
  EXPECT_TRUE(read_event_query({{"payload.reason", ""}}));
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

TEST(query, ListsHoldCommasToo) {
  const auto q = read_event_query({{"actor", R"(Smith\, Ann,bob)"}});
  ASSERT_TRUE(q) << q.error().message;
  EXPECT_EQ(q->actors, (std::vector<std::string>{"Smith, Ann", "bob"}));
  const auto stream = read_sse_query({{"source_names", R"(a\,b)"}});
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_EQ(stream->filter.source_names, std::vector<std::string>{"a,b"});
}

TEST(query, ReadsEveryFieldOfTheEnvelope) {
  const auto* const id = "0190a1b2-0000-7000-8000-000000000001";
  const auto q =
      read_event_query({{"id", id},
                        {"event_id", "d1,d2"},
                        {"source_id", "1"},
                        {"actor_id", "2"},
                        {"actor_name", "mona"},
                        {"priority", "high,critical"},
                        {"parent_event_id", id},
                        {"processed", "false"},
                        {"processed_since", "2026-01-31T12:00:00Z"},
                        {"processed_until", "2026-01-31T13:00:01 01:00"},
                        {"min_duration", "0.5"},
                        {"max_duration", "1e3"}});
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
  EXPECT_EQ(q->processed_since, parse_rfc3339("2026-01-31T12:00:00Z"));
  EXPECT_EQ(q->processed_until, parse_rfc3339("2026-01-31T12:00:01Z"));
  EXPECT_EQ(q->min_duration, 0.5);
  EXPECT_EQ(q->max_duration, 1'000);
  EXPECT_EQ(read_event_query({{"min_priority", "high"}})->priorities,
            (std::vector<priority>{priority::high, priority::critical}));
  EXPECT_TRUE(read_event_query({{"min_priority", "low"}})->priorities.empty());
  for (const auto& [name, value] :
       query_params{{"id", "1"}, {"priority", "urgent"}, {"processed", "no"}})
    EXPECT_FALSE(read_event_query({{name, value}})) << name;
}

TEST(query, SaysWhatALimitOfProcessingHasToBe) {
  const auto refused = [](const char* name, const char* value,
                          const std::string& why) {
    const auto q = read_event_query({{name, value}});
    ASSERT_FALSE(q) << name << ' ' << value;
    EXPECT_EQ(q.error().code, ec::malformed);
    EXPECT_EQ(q.error().message,
              "query parameter \"" + std::string{name} + "\" " + why);
  };
  for (const auto* name : {"processed_since", "processed_until"})
    for (const auto* value : {"", "12", "now", "earliest", "1h", "today"})
      refused(name, value, "must be an RFC 3339 time");
  for (const auto* name : {"min_duration", "max_duration"})
    for (const auto* value : {"", "-1", "-0.5", "x", "1s", " 1", "+1", "nan",
                              "inf", "-inf", "1e400", "0x1", "1,5"})
      refused(name, value, "must be a number of seconds, 0 or more");
  EXPECT_EQ(read_event_query({{"max_duration", "0"}})->max_duration, 0);
  EXPECT_FALSE(read_event_query({{"max_duration", "0"}})->min_duration);
}

TEST(query, ReadsWhereAPageOfEventsBegins) {
  const auto since = [](const char* value) {
    return read_event_query({{"since", value}});
  };
  EXPECT_FALSE(since("earliest")->since);
  EXPECT_EQ(since("earliest")->after, 0);
  EXPECT_EQ(since("12")->after, 12);
  EXPECT_FALSE(since("12")->since);
  EXPECT_EQ(since("2026-01-31T12:00:00Z")->since,
            parse_rfc3339("2026-01-31T12:00:00Z"));
  EXPECT_FALSE(since("2026-01-31T12:00:00Z")->after);
  // No event has a larger number.
  EXPECT_EQ(since("now")->after, std::numeric_limits<seq_t>::max());
  EXPECT_FALSE(read_event_query({})->after);
  for (const auto* bad : {"", "bogus", "-1", "1.5", "1h"}) {
    const auto q = since(bad);
    ASSERT_FALSE(q) << bad;
    EXPECT_EQ(q.error().code, ec::malformed);
    for (const auto* form : {"since", "now", "earliest", "seq", "RFC 3339"})
      EXPECT_NE(q.error().message.find(form), std::string::npos) << form;
  }
  EXPECT_FALSE(read_event_query({{"until", "12"}}));
}

TEST(query, TakesNoParameterTwiceThatHasOneValue) {
  for (const auto* name : {"limit", "cursor", "since", "until", "order", "id",
                           "processed", "processed_since", "processed_until",
                           "min_duration", "max_duration", "min_priority"}) {
    const auto q = read_event_query({{name, "1"}, {name, "1"}});
    ASSERT_FALSE(q) << name;
    EXPECT_EQ(q.error().code, ec::malformed);
    EXPECT_NE(q.error().message.find("twice"), std::string::npos) << name;
  }
  EXPECT_TRUE(read_event_query({{"platform", "a"}, {"platform", "b"}}));
  EXPECT_TRUE(read_event_query({{"priority", "low"}, {"priority", "high"}}));
  const query_params two{{"limit", "1"}, {"limit", "2"}};
  EXPECT_FALSE(read_id_page(two));
  EXPECT_FALSE(read_reader_page(two));
  EXPECT_FALSE(read_audit_query(two));
  const query_params starts{{"since", "1"}, {"since", "2"}};
  EXPECT_FALSE(read_websocket_query(starts));
  EXPECT_FALSE(read_sse_query(starts));
  EXPECT_TRUE(read_sse_query({{"platforms", "a"}, {"platforms", "b"}}));
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
  EXPECT_FALSE(read_sse_query({{"credit", "1"}}));
}

TEST(query, BothKindsOfStreamsTellTheirProgress) {
  for (const auto& read : {read_websocket_query, read_sse_query}) {
    EXPECT_FALSE(read({})->progress);
    EXPECT_TRUE(read({{"progress", "true"}})->progress);
    EXPECT_FALSE(read({{"progress", "false"}})->progress);
    EXPECT_FALSE(read({{"progress", "1"}}));
  }
}

TEST(query, ATimesOffsetNeedsNoEncodingInAnyList) {
  const query_params since{{"since", "2026-01-31T13:00:00 01:00"}};
  const auto noon = parse_rfc3339("2026-01-31T12:00:00Z");
  EXPECT_EQ(read_event_query(since)->since, noon);
  EXPECT_EQ(read_audit_query(since)->since, noon);
  EXPECT_EQ(read_dead_letter_selection(since, endpoint::list_dead_letters)
                ->query.since,
            noon);
}

TEST(query, DeadLettersAreNarrowedByLists) {
  const auto drops = endpoint::drop_dead_letters;
  const auto read = read_dead_letter_selection(
      {{"platform", "github,slack"}, {"event_type", "t:*"}}, drops);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->query.platforms,
            (std::vector<std::string>{"github", "slack"}));
  EXPECT_EQ(read->query.event_types, std::vector<std::string>{"t:*"});
  EXPECT_TRUE(read->narrowed);
  EXPECT_FALSE(read_dead_letter_selection({{"platform", ""}}, drops)->narrowed);
  EXPECT_FALSE(read_dead_letter_selection({{"platform", ","}}, drops));
}

TEST(query, ReadsAFilterInParts) {
  const auto q = read_sse_query({{"platforms", "a,b"},
                                 {"source_names", "o/*"},
                                 {"min_priority", "high"}});
  ASSERT_TRUE(q);
  EXPECT_EQ(q->filter.platforms, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(q->filter.source_names, std::vector<std::string>{"o/*"});
  EXPECT_EQ(q->filter.min_priority, priority::high);
  const auto empty = read_sse_query({{"filter", ""}});
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().message,
            "query parameter \"filter\" is empty; it takes a JSON object");
  EXPECT_FALSE(read_sse_query({{"min_priority", "urgent"}}));
}

TEST(cut_page, LeavesOnePageAndTellsWhetherThereIsAnother) {
  std::vector<std::string> found{"a", "b", "c"};
  EXPECT_FALSE(cut_page(found, 3));
  EXPECT_EQ(found.size(), 3u);
  EXPECT_TRUE(cut_page(found, 2));
  EXPECT_EQ(found, (std::vector<std::string>{"a", "b"}));
  const auto itself = [](const std::string& x) { return x; };
  found = {"a", "b", "c", "d"};
  EXPECT_TRUE(cut_page(found, {"a", 2}, itself));
  EXPECT_EQ(found, (std::vector<std::string>{"b", "c"}));
  found = {"a", "b", "c"};
  EXPECT_FALSE(cut_page(found, {"b", 1}, itself));
  EXPECT_EQ(found, (std::vector<std::string>{"c"}));
}

} // namespace
} // namespace eventweft::net
