// SPDX-License-Identifier: Apache-2.0
#include "actors/cluster/relayed_append.hpp"
#include "tests/support/memory_store.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace eventweft::link {
namespace {

event whole_event(int n) {
  auto e = testing::make_event(n);
  e.correlation_id = uuid{{1}};
  e.payload_readable = shared_text{"{}"};
  e.details.github = R"({"event":"push"})";
  correlation_key key;
  key.key = "github:pr:octo/repo#" + std::to_string(n);
  key.confidence = 1;
  key.rule = "pull_request";
  e.keys.push_back(std::move(key));
  return e;
}

TEST(relayed_append, EventsTravelWhole) {
  const std::vector<event_ptr> events{event_ptr{whole_event(1)},
                                      event_ptr{whole_event(2)}};
  const auto back = events_of(events_text(events));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, events);
  EXPECT_TRUE(events_of(events_text({}))->empty());
}

// The bytes travel: where this must change, another protocol begins.
TEST(relayed_append, BytesStayAsTheyAre) {
  event e;
  e.id = uuid{{1}};
  e.platform = "p";
  e.event_id = "i";
  e.event_type = "t";
  e.payload = shared_text{"{}"};
  const std::vector<event_ptr> events{event_ptr{std::move(e)}};
  std::string hex;
  for (const auto c : events_text(events))
    hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  EXPECT_EQ(hex, "01"
                 "01000000000000000000000000000000"
                 "0000000000000000"
                 "0169"
                 "0170"
                 "0174"
                 "00000000"
                 "01"
                 "0000"
                 "027b7d"
                 "0000000000000000"
                 "0000"
                 "027b7d"
                 "00"
                 "00000000"
                 "00");
}

TEST(relayed_append, WhatIsNoEventIsRefused) {
  const std::vector<event_ptr> events{event_ptr{whole_event(1)}};
  const auto text = events_text(events);
  for (size_t n = 0; n < text.size(); ++n)
    EXPECT_FALSE(events_of(text.substr(0, n))) << n;
  EXPECT_FALSE(events_of(text + 'x'));
  EXPECT_FALSE(events_of(std::string(9, '\xff')));
  const auto refused = [](auto change) {
    auto e = whole_event(1);
    change(e);
    const std::vector<event_ptr> one{event_ptr{std::move(e)}};
    return !events_of(events_text(one));
  };
  EXPECT_TRUE(refused([](event& e) { e.id = {}; }));
  EXPECT_TRUE(refused([](event& e) { e.seq = 1; }));
  EXPECT_TRUE(refused([](event& e) { e.platform.clear(); }));
  EXPECT_TRUE(refused([](event& e) { e.event_id.clear(); }));
  EXPECT_TRUE(refused([](event& e) { e.event_type.clear(); }));
  EXPECT_TRUE(refused([](event& e) { e.payload = {}; }));
}

TEST(relayed_append, OutcomesSayTheSameOnBothSides) {
  append_result stored;
  stored.outcome = {uuid{{1}}, 5, false, false};
  auto duplicate = stored;
  duplicate.outcome.duplicate = true;
  append_result refused;
  refused.outcome.id = uuid{{2}};
  refused.refused = error{ec::row_refused, "bad row"};
  for (const auto& one : {stored, duplicate, refused})
    EXPECT_EQ(result_of(appended_of(one)), one);
  // Whatever kept the peer from taking it, it is not the event's fault.
  refused.refused = error{ec::overloaded, "its queue is full"};
  const auto left = result_of(appended_of(refused));
  ASSERT_TRUE(left.refused);
  EXPECT_EQ(left.refused->code, ec::store_unavailable);
  EXPECT_EQ(left.refused->message, "its queue is full");
}

} // namespace
} // namespace eventweft::link
