// SPDX-License-Identifier: Apache-2.0
#include "auth/tickets.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

namespace eventweft::auth {
namespace {

using namespace std::chrono_literals;

class tickets : public testing::Test {
 protected:
  static principal reader(std::string id = "key-1") {
    principal out;
    out.how = principal::kind::api_key;
    out.id = std::move(id);
    out.scopes = *parse_scopes("read ingest");
    return out;
  }

  manual_clock time{timestamp{1'000h}};
  seeded_random random{1};
  ticket_office office{{30s, 5, 3}, time, random};
};

TEST_F(tickets, open_one_stream_once) {
  auto who = reader();
  who.forced = filter{};
  who.forced->platforms = {"github"};
  const auto ticket = office.issue(who, "pr_events");
  ASSERT_TRUE(ticket);
  EXPECT_EQ(ticket->size(), 4u + 64);
  EXPECT_TRUE(ticket->starts_with("ewt_"));
  const auto bearer = office.redeem(*ticket, "pr_events");
  ASSERT_TRUE(bearer);
  EXPECT_EQ(bearer->how, principal::kind::ticket);
  EXPECT_EQ(bearer->id, "key-1");
  EXPECT_EQ(bearer->forced, who.forced);
  EXPECT_EQ(to_string(bearer->scopes), "stream:pr_events");
  EXPECT_FALSE(decide(*bearer, permission::stream, "all", time.now()).allowed);
  EXPECT_FALSE(decide(*bearer, permission::ingest, "", time.now()).allowed);
  EXPECT_EQ(office.redeem(*ticket, "pr_events").error().code, ec::unauthorized);
}

TEST_F(tickets, for_another_stream_are_gone_all_the_same) {
  const auto ticket = office.issue(reader(), "pr_events");
  EXPECT_FALSE(office.redeem(*ticket, "all_events"));
  EXPECT_FALSE(office.redeem(*ticket, "pr_events"));
}

TEST_F(tickets, do_not_last) {
  const auto a = office.issue(reader(), "x");
  time.advance(29'999'999us);
  const auto b = office.issue(reader(), "x");
  EXPECT_TRUE(office.redeem(*b, "x"));
  time.advance(1us);
  EXPECT_FALSE(office.redeem(*a, "x"));
  EXPECT_EQ(office.outstanding(), 0u);
}

TEST_F(tickets, end_with_the_credentials_they_came_from) {
  auto who = reader();
  who.expires = time.now() + 10s;
  const auto a = office.issue(who, "x");
  const auto b = office.issue(who, "x");
  const auto bearer = office.redeem(*a, "x");
  ASSERT_TRUE(bearer);
  EXPECT_EQ(bearer->expires, who.expires);
  time.advance(10s);
  EXPECT_FALSE(office.redeem(*b, "x"));
  EXPECT_EQ(office.issue(who, "x").error().code, ec::unauthorized);
}

TEST_F(tickets, are_for_streams_that_one_may_follow) {
  auto who = reader();
  who.scopes = *parse_scopes("stream:pr_* manage");
  EXPECT_TRUE(office.issue(who, "pr_events"));
  EXPECT_EQ(office.issue(who, "all_events").error().code, ec::forbidden);
}

TEST_F(tickets, do_not_breed) {
  const auto ticket = office.issue(reader(), "x");
  auto bearer = office.redeem(*ticket, "x");
  ASSERT_TRUE(bearer);
  const auto again = office.issue(*bearer, "x");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ec::forbidden);
}

TEST_F(tickets, are_bounded_for_one_and_for_all) {
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(office.issue(reader("a"), "x"));
  EXPECT_EQ(office.issue(reader("a"), "x").error().code, ec::too_many_requests);
  ASSERT_TRUE(office.issue(reader("b"), "x"));
  const auto last = office.issue(reader("b"), "x");
  ASSERT_TRUE(last);
  EXPECT_EQ(office.issue(reader("b"), "x").error().code, ec::overloaded);
  EXPECT_EQ(office.outstanding(), 5u);
  ASSERT_TRUE(office.redeem(*last, "x"));
  EXPECT_TRUE(office.issue(reader("b"), "x"));
  time.advance(30s);
  EXPECT_TRUE(office.issue(reader("a"), "x"));
  EXPECT_EQ(office.outstanding(), 1u);
}

TEST_F(tickets, that_are_none_open_nothing) {
  ASSERT_TRUE(office.issue(reader(), "x"));
  for (const auto& text :
       {std::string{}, std::string{"ewt_"}, "ewt_" + std::string(64, '0'),
        std::string(100'000, 'x')})
    EXPECT_FALSE(office.redeem(text, "x"));
  EXPECT_EQ(office.outstanding(), 1u);
}

TEST_F(tickets, are_taken_by_one_of_many_who_try_at_once) {
  for (int round = 0; round < 50; ++round) {
    const auto ticket = office.issue(reader(), "x");
    ASSERT_TRUE(ticket);
    std::atomic<int> winners = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        if (office.redeem(*ticket, "x"))
          ++winners;
      });
    for (auto& t : threads)
      t.join();
    EXPECT_EQ(winners, 1);
  }
}

} // namespace
} // namespace eventweft::auth
