// SPDX-License-Identifier: Apache-2.0
#include "codec/filter_index.hpp"
#include "tests/unit/codec/support.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <random>

namespace eventweft::codec {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

compiled_filter compile(std::string_view json) {
  const auto f = parse_filter(json);
  EXPECT_TRUE(f) << json;
  return f ? compiled_filter{*f} : compiled_filter{};
}

std::vector<uint64_t> matches(filter_index& index, const event& ev) {
  std::vector<uint64_t> out;
  index.match(ev, out);
  std::sort(out.begin(), out.end());
  return out;
}

TEST(FilterIndex, FindsByEveryKindOfMember) {
  filter_index index;
  const char* all[] = {
      "{}",
      R"({"platforms":["slack","github"]})",
      R"({"event_types":["pull_request"]})",
      R"({"event_types":["pull_request","pull_request:opened"]})",
      R"({"event_types":["pull_*"]})",
      R"({"source_ids":["186853002"]})",
      R"({"source_names":["octo/repo"]})",
      R"({"source_names":["octo/*","else"]})",
      R"({"actor_ids":["21031067"]})",
      R"({"correlation_ids":["01970000-0000-7000-8000-000000000002"]})",
      R"({"min_priority":"high"})",
      R"({"custom_filters":{"payload.action":"opened"}})",
      R"({"custom_filters":{"metadata.n":1}})",
      R"({"platforms":["slack"]})",
      R"({"event_types":["pull"]})",
      R"({"custom_filters":{"payload.action":"closed"}})",
      R"({"platforms":["github"],"actor_ids":["1"]})",
  };
  constexpr uint64_t matching = 13;
  uint64_t n = 0;
  for (const auto* json : all)
    index.insert(n++, compile(json));
  std::vector<uint64_t> expected;
  for (uint64_t i = 0; i < matching; ++i)
    expected.push_back(i);
  EXPECT_EQ(matches(index, full_event()), expected);
  for (uint64_t i = 0; i < n; i += 2)
    index.erase(i);
  std::erase_if(expected, [](uint64_t i) { return i % 2 == 0; });
  EXPECT_EQ(matches(index, full_event()), expected);
  for (uint64_t i = 0; i < n; ++i)
    index.erase(i);
  EXPECT_EQ(index.size(), 0u);
  EXPECT_THAT(matches(index, full_event()), IsEmpty());
}

TEST(FilterIndex, TakesTheStreamsFilterTogetherWithTheReaders) {
  filter_index index;
  filter stream, reader;
  stream.platforms = {"github"};
  reader.source_names = {"octo/repo"};
  index.insert(1, compiled_filter{stream, reader});
  reader.source_names = {"else"};
  index.insert(2, compiled_filter{stream, reader});
  EXPECT_THAT(matches(index, full_event()), ElementsAre(1));
}

TEST(FilterIndex, ReplacesAFilter) {
  filter_index index;
  index.insert(1, compile(R"({"platforms":["slack"]})"));
  index.insert(1, compile(R"({"platforms":["github"]})"));
  EXPECT_EQ(index.size(), 1u);
  EXPECT_THAT(matches(index, full_event()), ElementsAre(1));
}

// 10,000 filters of one kind cost an event a few evaluations, whatever the
// kind is, even if another member is the same in all of them.
TEST(FilterIndex, TriesFewOfMany) {
  constexpr uint64_t filters = 10'000;
  const std::string kinds[] = {
      R"({"platforms":["github"],"source_names":["octo/repo#"]})",
      R"({"platforms":["github"],"event_types":["pull_request:opened"],)"
      R"("custom_filters":{"payload.action":"opened#"}})",
      R"({"actor_ids":["21031067#"]})",
      R"({"event_types":["pull_request:opened#"],"min_priority":"high"})",
      R"({"custom_filters":{"metadata.source":"cli#"}})",
  };
  for (const auto& kind : kinds) {
    filter_index index;
    for (uint64_t n = 0; n < filters; ++n) {
      auto json = kind;
      json.replace(json.find('#'), 1, n == 7 ? "" : "-" + std::to_string(n));
      index.insert(n, compile(json));
    }
    EXPECT_THAT(matches(index, full_event()), ElementsAre(7)) << kind;
    EXPECT_LE(index.tried(), 2u) << kind;
  }
}

TEST(FilterIndex, PathsBeyondItsLimitAreTriedOneByOne) {
  filter_index index;
  std::string members;
  for (int n = 0; n < 200; ++n) {
    const auto name = "m" + std::to_string(n);
    index.insert(static_cast<uint64_t>(n),
                 compile(R"({"custom_filters":{"payload.)" + name + "\":1}}"));
    if (n % 50 == 49)
      members += (members.empty() ? "\"" : ",\"") + name + "\":1";
  }
  EXPECT_THAT(matches(index, event_with_payload('{' + members + '}')),
              UnorderedElementsAre(49, 99, 149, 199));
  EXPECT_THAT(matches(index, event_with_payload("no json")), IsEmpty());
}

/// Filters and events from few values, so that they meet often.
class dice {
 public:
  explicit dice(uint32_t seed) : random_(seed) {}

  filter any_filter() {
    filter f;
    pick(f.platforms, {"github", "slack"});
    pick(f.event_types, {"a", "a:b", "a:b:c", "a*", "*c", "b"});
    pick(f.source_ids, {"1", "2", ""});
    pick(f.source_names, {"x", "y", "x*"});
    pick(f.actor_ids, {"1", "2"});
    pick(f.correlation_ids, {to_string(uuid{}), "none"});
    if (roll(6) == 0)
      f.min_priority = static_cast<priority>(roll(4));
    if (roll(3) == 0)
      f.custom_filters["payload.k"] = roll(2) == 0 ? "1" : "\"1\"";
    if (roll(5) == 0)
      f.custom_filters["metadata.m.0"] = "true";
    return f;
  }

  event any_event() {
    event ev;
    ev.platform = roll(2) == 0 ? "github" : "slack";
    ev.event_type = one({"a", "a:b", "a:b:c", "b:c", "ab", ""});
    ev.source_id = one({"1", "2", ""});
    ev.source_name = one({"x", "xy", "y", ""});
    ev.actor_id = one({"1", "2", "3"});
    ev.priority = static_cast<priority>(roll(4));
    if (roll(2) == 0)
      ev.correlation_id = uuid{};
    ev.metadata = one({"{}", R"({"m":[true]})"});
    ev.payload = shared_text{
        one({"{}", R"({"k":1})", R"({"k":"1"})", R"({"k":[]})", "[]"})};
    return ev;
  }

  uint32_t roll(uint32_t sides) { return random_() % sides; }

 private:
  std::string one(std::vector<std::string> of) {
    return of[roll(static_cast<uint32_t>(of.size()))];
  }
  void pick(std::vector<std::string>& into, std::vector<std::string> of) {
    if (roll(3) != 0)
      return;
    for (auto n = roll(3) + 1; n > 0; --n)
      into.push_back(one(of));
  }

  std::mt19937 random_;
};

TEST(FilterIndex, AgreesWithTryingEach) {
  dice d{7};
  filter_index index;
  std::map<uint64_t, compiled_filter> plain;
  for (int round = 0; round < 4'000; ++round) {
    const uint64_t id = d.roll(200);
    if (d.roll(3) == 0) {
      index.erase(id);
      plain.erase(id);
    } else {
      const compiled_filter f{d.any_filter(), d.any_filter()};
      index.insert(id, f);
      plain.insert_or_assign(id, f);
    }
    const auto ev = d.any_event();
    std::vector<uint64_t> expected;
    for (const auto& [i, f] : plain)
      if (f.matches(ev))
        expected.push_back(i);
    ASSERT_EQ(matches(index, ev), expected) << "round " << round;
    ASSERT_EQ(index.size(), plain.size());
  }
}

} // namespace
} // namespace eventweft::codec
