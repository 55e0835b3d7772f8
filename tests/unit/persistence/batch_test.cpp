// SPDX-License-Identifier: Apache-2.0
#include "persistence/batch.hpp"
#include "persistence/thread_batch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventweft {
namespace {

/// Event whose `event_id` tells what a store makes of it.
event_ptr item(std::string what) {
  event e;
  e.event_id = std::move(what);
  e.platform = "github";
  return event_ptr{std::move(e)};
}

/// Refuses every batch with a "bad" in it, fails for one with "down", stores
/// the others.
struct fake_log {
  std::vector<std::string> stored;
  int calls = 0;

  expected<append_results> operator()(std::span<const event_ptr> events) {
    ++calls;
    for (const auto& e : events)
      if (e->event_id == "down")
        return fail(ec::store_unavailable, "down");
    for (const auto& e : events)
      if (e->event_id == "bad")
        return fail(ec::row_refused, "bad row");
    append_results results;
    for (const auto& e : events) {
      stored.push_back(e->event_id);
      append_result one;
      one.outcome = {e->id, static_cast<seq_t>(stored.size()), false};
      results.items.push_back(one);
      results.threads.facts.emplace_back(e->event_id, "");
    }
    return results;
  }
};

TEST(append_isolating, AGoodBatchTakesOneCall) {
  fake_log log;
  std::vector<event_ptr> events{item("a"), item("b")};
  auto results = append_isolating(events, std::ref(log));
  ASSERT_TRUE(results);
  EXPECT_EQ(log.calls, 1);
  EXPECT_EQ(results->items.at(1).outcome.seq, 2);
}

TEST(append_isolating, BadRowsFailAloneAndOrderIsKept) {
  fake_log log;
  std::vector<event_ptr> events;
  for (auto* what : {"bad", "a", "b", "c", "bad", "d", "bad"})
    events.push_back(item(what));
  auto results = append_isolating(events, std::ref(log));
  ASSERT_TRUE(results);
  ASSERT_EQ(results->items.size(), events.size());
  EXPECT_THAT(log.stored, ::testing::ElementsAre("a", "b", "c", "d"));
  for (size_t i = 0; i < events.size(); ++i)
    EXPECT_EQ(results->items.at(i).refused.has_value(),
              events[i]->event_id == "bad");
  EXPECT_EQ(results->items.at(0).refused->message, "bad row");
  EXPECT_EQ(results->threads.facts.size(), 4u);
}

TEST(append_isolating, AStoreThatGoesAwayInBetweenIsAnError) {
  fake_log log;
  std::vector<event_ptr> events{item("bad"), item("a"), item("down")};
  auto calls = 0;
  auto results = append_isolating(events, [&](auto part) {
    // It breaks only once the halves are tried.
    if (++calls == 1)
      return expected<append_results>{fail(ec::row_refused, "bad row")};
    return log(part);
  });
  ASSERT_FALSE(results);
  EXPECT_EQ(results.error().code, ec::store_unavailable);
}

TEST(storable_text, KeepsTextAndReplacesWhatIsNone) {
  EXPECT_EQ(storable_text("plain \xC3\xA9 \xF0\x9F\x98\x80"),
            "plain \xC3\xA9 \xF0\x9F\x98\x80");
  EXPECT_EQ(storable_text(std::string_view{"a\0b", 3}), "a\xEF\xBF\xBD"
                                                        "b");
  EXPECT_EQ(storable_text("\xC3"), "\xEF\xBF\xBD");
}

// Of too many that waited for a fact some are left when it comes.
TEST(not_linked_yet, WhatWaitsForNothingAnyMoreIsStillToBeLinked) {
  thread_link evidence;
  evidence.key = "linear:issue:ENG-1";
  evidence.state = "pending";
  correlation_key key;
  key.key = evidence.key;
  key.type = {correlation_noun::pr, correlation_noun::issue};
  key.needs = "linear:team:ENG";
  const auto left = [&] {
    return thread_batch::not_linked_yet({key}, std::span{&evidence, 1}).size();
  };
  EXPECT_EQ(left(), 0u);
  key.needs.clear();
  EXPECT_EQ(left(), 1u);
  evidence.state = "linked";
  EXPECT_EQ(left(), 0u);
}

TEST(make_storable, KeepsOneLinkOfAnEventAndKeyTheOneThatLinks) {
  using correlation::not_linked;
  const auto link = [](uint8_t event, std::string key, not_linked why) {
    correlation::link_row row;
    row.event.bytes[15] = event;
    row.key.key = std::move(key);
    row.key.field = to_string(why);
    row.why = why;
    return row;
  };
  const std::string zero{"a\0b", 3};
  const std::string lengthy(60, 'k');
  correlation::thread_changes changes;
  changes.links = {link(1, "k", not_linked::unsure),
                   link(1, lengthy, not_linked::unsure),
                   link(2, "k", not_linked::pending),
                   link(1, zero, not_linked::hot_key),
                   link(1, "k", not_linked::none),
                   link(1, lengthy, not_linked::none),
                   link(1, lengthy, not_linked::hot_key),
                   link(1,
                        "a\xFF"
                        "b",
                        not_linked::none),
                   link(2, "k", not_linked::unsure)};
  thread_batch::make_storable(changes);
  std::vector<std::string> kept;
  for (const auto& l : changes.links)
    kept.push_back(std::to_string(l.event.bytes[15]) + " " + l.key.key + " " +
                   l.key.field);
  EXPECT_THAT(kept, testing::ElementsAre(
                        "1 k linked", "1 " + lengthy + " linked", "2 k pending",
                        "1 a\xEF\xBF\xBD"
                        "b linked"));
}

} // namespace
} // namespace eventweft
