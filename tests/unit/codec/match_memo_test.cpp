// SPDX-License-Identifier: Apache-2.0
#include "codec/match_memo.hpp"
#include "tests/unit/codec/support.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace eventweft::codec {
namespace {

compiled_filter of_text(std::string_view json) {
  return compiled_filter{parse_filter(json).value()};
}

/// `n` events from `first` on, every third one of them by gitlab.
std::vector<event_ptr> some_events(seq_t first, int n) {
  std::vector<event_ptr> out;
  for (int i = 0; i < n; ++i) {
    auto ev = full_event();
    ev.seq = first + i;
    ev.id.bytes[15] = static_cast<uint8_t>(ev.seq);
    ev.id.bytes[14] = static_cast<uint8_t>(ev.seq >> 8);
    if (ev.seq % 3 == 0)
      ev.platform = "gitlab";
    out.push_back(event_ptr{std::move(ev)});
  }
  return out;
}

std::vector<seq_t> kept(match_memo& memo, const compiled_filter& f,
                        std::vector<event_ptr> events, size_t tried) {
  EXPECT_EQ(memo.keep_matching(f, events), tried);
  std::vector<seq_t> out;
  for (const auto& ev : events)
    out.push_back(ev->seq);
  return out;
}

TEST(MatchMemo, EqualFiltersTryAnEventOnce) {
  match_memo memo;
  const auto events = some_events(1, 9);
  const std::vector<seq_t> gitlabs{3, 6, 9};
  EXPECT_EQ(kept(memo, of_text(R"({"platforms":["gitlab"]})"), events, 9),
            gitlabs);
  EXPECT_EQ(kept(memo, of_text(R"({"platforms":["gitlab"]})"), events, 0),
            gitlabs);
  EXPECT_EQ(kept(memo, of_text(R"({"platforms":["github"]})"), events, 9),
            (std::vector<seq_t>{1, 2, 4, 5, 7, 8}));
  EXPECT_EQ(
      kept(memo, of_text(R"({"platforms":["gitlab"]})"), some_events(8, 5), 3),
      (std::vector<seq_t>{9, 12}));
}

TEST(MatchMemo, AgreesWithTheFilterAcrossBlocks) {
  match_memo memo{2};
  const auto f = of_text(R"({"platforms":["gitlab"]})");
  for (int round = 0; round < 3; ++round)
    for (const seq_t first : {1, 900, 2'000, 5'000}) {
      auto events = some_events(first, 300);
      auto expected = events;
      std::erase_if(expected, [&f](const auto& ev) { return !f.matches(*ev); });
      memo.keep_matching(f, events);
      EXPECT_EQ(events, expected) << first;
      EXPECT_LE(memo.blocks(), 2u);
    }
}

TEST(MatchMemo, AnotherEventWithTheSameSeqIsTriedAnew) {
  match_memo memo;
  const auto f = of_text(R"({"platforms":["gitlab"]})");
  EXPECT_EQ(kept(memo, f, some_events(1, 3), 3), (std::vector<seq_t>{3}));
  auto other = full_event();
  other.seq = 3;
  other.id.bytes[13] ^= 1;
  EXPECT_TRUE(kept(memo, f, {event_ptr{std::move(other)}}, 1).empty());
}

TEST(MatchMemo, ThreadsAreAskedForEachTime) {
  match_memo memo;
  const auto f = of_text(
      R"({"correlation_ids":["01970000-0000-7000-8000-000000000002"]})");
  EXPECT_EQ(kept(memo, f, some_events(1, 2), 2).size(), 2u);
  auto moved = full_event();
  moved.seq = 1;
  moved.correlation_id = uuid::parse("01970000-0000-7000-8000-000000000009");
  EXPECT_TRUE(kept(memo, f, {event_ptr{std::move(moved)}}, 1).empty());
}

TEST(MatchMemo, WhatLetsEverythingThroughCostsNothing) {
  match_memo memo;
  EXPECT_EQ(kept(memo, compiled_filter{}, some_events(1, 5), 0).size(), 5u);
  EXPECT_EQ(memo.blocks(), 0u);
}

} // namespace
} // namespace eventweft::codec
