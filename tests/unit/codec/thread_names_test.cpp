// SPDX-License-Identifier: Apache-2.0
#include "codec/filter_index.hpp"
#include "codec/thread_names.hpp"
#include "tests/unit/codec/support.hpp"

#include <gmock/gmock.h>

#include <array>

namespace eventweft::codec {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

uuid thread_number(uint8_t n) {
  uuid id;
  id.bytes[0] = 0xee;
  id.bytes[15] = n;
  return id;
}

const auto a = thread_number(1);
const auto b = thread_number(2);
const auto c = thread_number(3);
const auto d = thread_number(4);

compiled_filter asks_for(std::initializer_list<uuid> ids) {
  filter f;
  for (const auto& id : ids)
    f.correlation_ids.push_back(to_string(id));
  return compiled_filter{f};
}

event in_thread(const uuid& id) {
  auto ev = full_event();
  ev.correlation_id = id;
  return ev;
}

event merge_of(const uuid& from, const uuid& into) {
  auto ev = in_thread(into);
  ev.platform = "eventweft";
  ev.event_type = "correlation:merged";
  ev.payload = shared_text{R"({"from":")" + to_string(from) + R"("})"};
  return ev;
}

TEST(ThreadNames, KnowsWhatIsWatchedAndNothingElse) {
  thread_names names;
  EXPECT_EQ(names.watch({}), nullptr);
  auto first = names.watch({a, a, b});
  auto second = names.watch({a});
  EXPECT_THAT(names.watched(), UnorderedElementsAre(a, b));
  names.merged(a, c);
  names.merged(d, b);
  EXPECT_THAT(names.leading_to(c), ElementsAre(a));
  EXPECT_THAT(names.leading_to(b), IsEmpty());
  first.reset();
  EXPECT_THAT(names.watched(), ElementsAre(a));
  EXPECT_THAT(names.leading_to(c), ElementsAre(a));
  second.reset();
  EXPECT_THAT(names.watched(), IsEmpty());
  EXPECT_THAT(names.leading_to(c), IsEmpty());
}

TEST(ThreadNames, GoesFromMergeToMerge) {
  thread_names names;
  const auto hold = names.watch({a, b});
  names.merged(a, b);
  names.merged(b, c);
  names.merged(c, d);
  EXPECT_THAT(names.leading_to(d), UnorderedElementsAre(a, b));
  // What was read meanwhile may have an id in between.
  EXPECT_THAT(names.leading_to(c), UnorderedElementsAre(a, b));
  EXPECT_THAT(names.leading_to(b), ElementsAre(a));
  EXPECT_THAT(names.leading_to(a), IsEmpty());
}

TEST(ThreadNames, WhatTheStoreSaysMayBeOlderThanAMerge) {
  thread_names names;
  const auto hold = names.watch({a});
  names.merged(b, c);
  EXPECT_EQ(names.news(), 0u);
  names.found(std::array{a}, std::array{b});
  EXPECT_EQ(names.news(), 1u);
  EXPECT_THAT(names.leading_to(c), ElementsAre(a));
  names.found(std::array{a}, std::array{c});
  names.found(std::array{a}, std::array{a});
  names.found(std::array{d}, std::array{c});
  EXPECT_EQ(names.news(), 1u);
  // Nor does it matter who comes first.
  const auto late = names.watch({b});
  EXPECT_THAT(names.leading_to(c), UnorderedElementsAre(a, b));
}

TEST(ThreadNames, ReadsMergesOutOfEvents) {
  EXPECT_THAT(merge_told_by(merge_of(a, b)), Optional(Pair(a, b)));
  EXPECT_EQ(merge_told_by(in_thread(b)), std::nullopt);
  auto ev = merge_of(a, b);
  ev.payload = shared_text{"[]"};
  EXPECT_EQ(merge_told_by(ev), std::nullopt);
  ev = merge_of(a, b);
  ev.platform = "github";
  EXPECT_EQ(merge_told_by(ev), std::nullopt);
}

TEST(ThreadNames, FiltersGoOnWithTheThread) {
  const auto former = asks_for({a});
  const auto both = asks_for({a, b});
  filter_index index;
  index.insert(1, former);
  index.insert(2, both);
  index.insert(3, asks_for({b}));
  index.insert(4, asks_for({c}));
  const auto finds = [&](const event& ev) {
    std::vector<uint64_t> out;
    index.match(ev, out);
    return out;
  };
  EXPECT_FALSE(former.matches(in_thread(b)));
  EXPECT_THAT(finds(in_thread(b)), UnorderedElementsAre(2, 3));
  // Each once, whatever it asks for.
  EXPECT_THAT(finds(merge_of(a, b)), UnorderedElementsAre(1, 2, 3));
  thread_names::shared().merged(a, b);
  EXPECT_TRUE(former.matches(in_thread(b)));
  EXPECT_THAT(finds(in_thread(b)), UnorderedElementsAre(1, 2, 3));
  EXPECT_THAT(finds(merge_of(a, b)), UnorderedElementsAre(1, 2, 3));
  EXPECT_FALSE(former.matches(in_thread(c)));
}

} // namespace
} // namespace eventweft::codec
