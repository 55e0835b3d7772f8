// SPDX-License-Identifier: Apache-2.0
#include "app/shared_tickets.hpp"

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace eventweft {
namespace {

using namespace std::chrono_literals;

/// What two nodes share.
struct ticket_table {
  std::mutex mutex;
  std::map<std::string, auth::kept_ticket, std::less<>> kept;
  bool away = false;
  /// Whoever asks waits for it.
  std::shared_future<void> gate;
  int asked = 0;
};

class scripted_tickets final : public ticket_store {
 public:
  explicit scripted_tickets(ticket_table& table) : table_(table) {}

  expected<void> add(const auth::kept_ticket& ticket,
                     const auth::ticket_options&) override {
    const std::lock_guard lock{table_.mutex};
    if (table_.away)
      return fail(ec::store_unavailable, "no connection");
    table_.kept.emplace(ticket.hash, ticket);
    return {};
  }

  expected<std::optional<auth::kept_ticket>>
  take(std::string_view hash) override {
    if (table_.gate.valid())
      table_.gate.wait();
    const std::lock_guard lock{table_.mutex};
    ++table_.asked;
    if (table_.away)
      return fail(ec::store_unavailable, "no connection");
    const auto it = table_.kept.find(hash);
    if (it == table_.kept.end())
      return std::nullopt;
    auto found = std::move(it->second);
    table_.kept.erase(it);
    return found;
  }

 private:
  ticket_table& table_;
};

class shared_tickets_test : public ::testing::Test {
 protected:
  std::unique_ptr<shared_tickets> node() {
    return std::make_unique<shared_tickets>(
        std::make_unique<scripted_tickets>(table_), auth::ticket_options{},
        time_, random_);
  }

  static auth::principal reader() {
    auth::principal out;
    out.how = auth::principal::kind::api_key;
    out.id = out.key = "key-1";
    out.scopes = *auth::parse_scopes("read");
    return out;
  }

  static expected<std::string> issued(shared_tickets& at,
                                      const auth::principal& who) {
    std::promise<expected<std::string>> answer;
    at.issue(who, "pr_events",
             net::reply_to<std::string>{[&answer](expected<std::string> x) {
               answer.set_value(std::move(x));
             }});
    return answer.get_future().get();
  }

  using answer_ptr = std::shared_ptr<std::promise<expected<auth::principal>>>;

  static answer_ptr ask(shared_tickets& at, const std::string& ticket,
                        std::string_view stream = "pr_events") {
    auto answer = std::make_shared<answer_ptr::element_type>();
    at.redeem(
        ticket, stream,
        net::reply_to<auth::principal>{[answer](expected<auth::principal> x) {
          answer->set_value(std::move(x));
        }});
    return answer;
  }

  static expected<auth::principal>
  redeemed(shared_tickets& at, const std::string& ticket,
           std::string_view stream = "pr_events") {
    return ask(at, ticket, stream)->get_future().get();
  }

  manual_clock time_{timestamp{1'000h}};
  seeded_random random_{1};
  ticket_table table_;
};

TEST_F(shared_tickets_test, OneOfAnotherNodeIsGoodOnceForItsStream) {
  const auto here = node();
  const auto there = node();
  const auto ticket = issued(*here, reader());
  ASSERT_TRUE(ticket);
  const auto bearer = redeemed(*there, *ticket);
  ASSERT_TRUE(bearer);
  EXPECT_EQ(bearer->how, auth::principal::kind::ticket);
  EXPECT_EQ(bearer->key, "key-1");
  EXPECT_EQ(to_string(bearer->scopes), "stream:pr_events");
  EXPECT_EQ(redeemed(*here, *ticket).error().code, ec::unauthorized);
  const auto other = *issued(*here, reader());
  EXPECT_EQ(redeemed(*there, other, "all_events").error().code,
            ec::unauthorized);
  EXPECT_EQ(redeemed(*there, other).error().code, ec::unauthorized);
  EXPECT_EQ(issued(*here, *bearer).error().code, ec::forbidden);
}

TEST_F(shared_tickets_test, EndWithTheCredentialsTheyCameFrom) {
  const auto here = node();
  auto who = reader();
  who.expires = time_.now() + 10s;
  const auto ticket = *issued(*here, who);
  time_.advance(10s);
  EXPECT_EQ(redeemed(*here, ticket).error().code, ec::unauthorized);
}

TEST_F(shared_tickets_test, WhatCanBeNoneIsNotLookedUp) {
  const auto here = node();
  EXPECT_EQ(redeemed(*here, std::string(100'000, 'x')).error().code,
            ec::unauthorized);
  EXPECT_EQ(table_.asked, 0);
}

TEST_F(shared_tickets_test, NobodyWaitsInLineForAStoreThatIsAway) {
  std::promise<void> open;
  table_.gate = open.get_future().share();
  table_.away = true;
  const auto here = node();
  std::vector<answer_ptr> all;
  for (int i = 0; i < 50; ++i)
    all.push_back(ask(*here, "ewt_" + std::to_string(i)));
  open.set_value();
  for (const auto& one : all)
    EXPECT_EQ(one->get_future().get().error().code, ec::store_unavailable);
  EXPECT_EQ(table_.asked, 1);
}

TEST_F(shared_tickets_test, WhoStillWaitsAtTheEndIsTold) {
  std::promise<void> open;
  table_.gate = open.get_future().share();
  auto here = node();
  const auto first = ask(*here, "ewt_1");
  const auto second = ask(*here, "ewt_2");
  std::jthread closer{[&here] { here.reset(); }};
  open.set_value();
  const auto told = first->get_future().get();
  EXPECT_FALSE(told);
  EXPECT_FALSE(second->get_future().get());
}

} // namespace
} // namespace eventweft
