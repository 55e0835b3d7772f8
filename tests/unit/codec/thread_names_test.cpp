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

const auto thread_a = thread_number(1);
const auto thread_b = thread_number(2);
const auto thread_c = thread_number(3);
const auto thread_d = thread_number(4);

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
  auto first = names.watch({thread_a, thread_a, thread_b});
  auto second = names.watch({thread_a});
  EXPECT_THAT(names.watched(), UnorderedElementsAre(thread_a, thread_b));
  names.merged(thread_a, thread_c);
  names.merged(thread_d, thread_b);
  EXPECT_THAT(names.leading_to(thread_c), ElementsAre(thread_a));
  EXPECT_THAT(names.leading_to(thread_b), IsEmpty());
  first.reset();
  EXPECT_THAT(names.watched(), ElementsAre(thread_a));
  EXPECT_THAT(names.leading_to(thread_c), ElementsAre(thread_a));
  second.reset();
  EXPECT_THAT(names.watched(), IsEmpty());
  EXPECT_THAT(names.leading_to(thread_c), IsEmpty());
}

TEST(ThreadNames, GoesFromMergeToMerge) {
  thread_names names;
  const auto hold = names.watch({thread_a, thread_b});
  names.merged(thread_a, thread_b);
  names.merged(thread_b, thread_c);
  names.merged(thread_c, thread_d);
  EXPECT_THAT(names.leading_to(thread_d),
              UnorderedElementsAre(thread_a, thread_b));
  // What was read meanwhile may have an id in between.
  EXPECT_THAT(names.leading_to(thread_c),
              UnorderedElementsAre(thread_a, thread_b));
  EXPECT_THAT(names.leading_to(thread_b), ElementsAre(thread_a));
  EXPECT_THAT(names.leading_to(thread_a), IsEmpty());
}

TEST(ThreadNames, WhatTheStoreSaysMayBeOlderThanAMerge) {
  thread_names names;
  const auto hold = names.watch({thread_a});
  names.merged(thread_b, thread_c);
  EXPECT_EQ(names.news(), 0u);
  names.found(std::array{thread_a}, std::array{thread_b});
  EXPECT_EQ(names.news(), 1u);
  EXPECT_THAT(names.leading_to(thread_c), ElementsAre(thread_a));
  names.found(std::array{thread_a}, std::array{thread_c});
  names.found(std::array{thread_a}, std::array{thread_a});
  names.found(std::array{thread_d}, std::array{thread_c});
  EXPECT_EQ(names.news(), 1u);
  // Nor does it matter who comes first.
  const auto late = names.watch({thread_b});
  EXPECT_THAT(names.leading_to(thread_c),
              UnorderedElementsAre(thread_a, thread_b));
}

TEST(ThreadNames, ReadsMergesOutOfEvents) {
  EXPECT_THAT(merge_told_by(merge_of(thread_a, thread_b)),
              Optional(Pair(thread_a, thread_b)));
  EXPECT_EQ(merge_told_by(in_thread(thread_b)), std::nullopt);
  auto ev = merge_of(thread_a, thread_b);
  ev.payload = shared_text{"[]"};
  EXPECT_EQ(merge_told_by(ev), std::nullopt);
  ev = merge_of(thread_a, thread_b);
  ev.platform = "github";
  EXPECT_EQ(merge_told_by(ev), std::nullopt);
}

TEST(ThreadNames, FiltersGoOnWithTheThread) {
  const auto former = asks_for({thread_a});
  const auto both = asks_for({thread_a, thread_b});
  filter_index index;
  index.insert(1, former);
  index.insert(2, both);
  index.insert(3, asks_for({thread_b}));
  index.insert(4, asks_for({thread_c}));
  const auto finds = [&](const event& ev) {
    std::vector<uint64_t> out;
    index.match(ev, out);
    return out;
  };
  EXPECT_FALSE(former.matches(in_thread(thread_b)));
  EXPECT_THAT(finds(in_thread(thread_b)), UnorderedElementsAre(2, 3));
  // Each once, whatever it asks for.
  EXPECT_THAT(finds(merge_of(thread_a, thread_b)),
              UnorderedElementsAre(1, 2, 3));
  thread_names::shared().merged(thread_a, thread_b);
  EXPECT_TRUE(former.matches(in_thread(thread_b)));
  EXPECT_THAT(finds(in_thread(thread_b)), UnorderedElementsAre(1, 2, 3));
  EXPECT_THAT(finds(merge_of(thread_a, thread_b)),
              UnorderedElementsAre(1, 2, 3));
  EXPECT_FALSE(former.matches(in_thread(thread_c)));
}

} // namespace
} // namespace eventweft::codec
