// SPDX-License-Identifier: Apache-2.0
#include "app/correlation.hpp"
#include "app/rules_bridge.hpp"
#include "codec/payload.hpp"
#include "correlation/custom_rule.hpp"
#include "persistence/store.hpp"
#include "tests/support/eventually.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <stdexcept>
#include <string_view>

namespace eventweft {
namespace {

using namespace std::chrono_literals;
using correlation::declarative_rule;
using correlation::rule_origin;

/// What a test and a node's store share.
struct link_to_store {
  std::atomic<bool> down{false};
  std::atomic<size_t> reads{0};
};

/// Rules that can be made unreadable. Thread-safe.
class failing_rules final : public correlation_rule_store {
 public:
  failing_rules(std::unique_ptr<correlation_rule_store> inner,
                std::shared_ptr<link_to_store> link)
      : inner_(std::move(inner)), link_(std::move(link)) {}

  expected<std::vector<declarative_rule>> rules() override {
    ++link_->reads;
    if (link_->down)
      return fail(ec::store_unavailable, "it is down");
    return inner_->rules();
  }
  expected<bool> set_rule(const declarative_rule& rule) override {
    return inner_->set_rule(rule);
  }
  expected<bool> drop_rule(std::string_view name) override {
    return inner_->drop_rule(name);
  }

 private:
  std::unique_ptr<correlation_rule_store> inner_;
  std::shared_ptr<link_to_store> link_;
};

bool soon(const std::function<bool()>& condition) {
  return testing::eventually(condition, 10s);
}

/// One node of several on a store.
struct node {
  node(const store_ptr& store, std::chrono::milliseconds interval,
       const config::settings& settings = {}) {
    rules = *make_rules(settings, {}, {});
    bridge = std::make_unique<rules_bridge>(rules_bridge_parts{
        std::make_unique<failing_rules>(store->open_correlation_rules(), link),
        rules, control, figures, null_logger(), interval});
  }

  expected<net::set_rule> set(declarative_rule r) {
    std::promise<expected<net::set_rule>> done;
    bridge->set(std::move(r), [&](auto x) { done.set_value(std::move(x)); });
    return done.get_future().get();
  }

  expected<bool> drop(std::string name) {
    std::promise<expected<bool>> done;
    bridge->drop(std::move(name),
                 [&](auto x) { done.set_value(std::move(x)); });
    return done.get_future().get();
  }

  /// What the rule `r` makes of an event now; empty: nothing.
  std::string key(std::string_view r) const {
    event ev;
    ev.platform = "events";
    ev.event_type = "order";
    ev.payload = shared_text{std::string{R"({"order":7})"}};
    codec::payload_reader reader;
    for (const auto& k : rules->keys(ev, reader))
      if (k.rule == r)
        return k.key;
    return {};
  }

  /// Waits until what was read began after this call, and was taken on.
  bool read_again() {
    const size_t before = link->reads;
    return soon([&] { return link->reads > before + 2; });
  }

  std::shared_ptr<link_to_store> link = std::make_shared<link_to_store>();
  std::shared_ptr<metrics> figures = std::make_shared<metrics>();
  std::shared_ptr<control_bus> control = std::make_shared<control_bus>();
  std::shared_ptr<correlation::engine> rules;
  std::unique_ptr<rules_bridge> bridge;
};

declarative_rule order_rule(std::string key = "order_{payload.order}") {
  declarative_rule r;
  r.name = "orders";
  r.match.platforms = {"events"};
  r.key = std::move(key);
  return r;
}

class rules_bridge_test : public ::testing::Test {
 protected:
  static store_ptr open() {
    store_options options;
    options.url = "memory:";
    return *open_store(options);
  }

  store_ptr store_ = open();
};

TEST_F(rules_bridge_test, AreInForceOnceTheyAreAnswered) {
  node n{store_, 1h};
  n.bridge->start();
  const auto without = n.rules->fingerprint();
  auto made = n.set(order_rule());
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(made->is_new);
  EXPECT_EQ(made->rule.origin, rule_origin::store);
  EXPECT_EQ(made->rule.definition, order_rule());
  EXPECT_EQ(n.key("orders"), "order_7");
  EXPECT_NE(n.rules->fingerprint(), without);
  made = n.set(order_rule("o:{/order}"));
  ASSERT_TRUE(made);
  EXPECT_FALSE(made->is_new);
  EXPECT_EQ(n.key("orders"), "o:7");
  EXPECT_TRUE(n.drop("orders"));
  EXPECT_EQ(n.key("orders"), "");
  EXPECT_EQ(n.rules->fingerprint(), without);
  EXPECT_EQ(n.drop("orders").error().code, ec::not_found);
  const auto text = n.figures->text();
  EXPECT_THAT(
      text, ::testing::HasSubstr("eventweft_correlation_rule_changes_total 3"));
  EXPECT_THAT(text,
              ::testing::HasSubstr("eventweft_correlation_stored_rules 0"));
}

TEST_F(rules_bridge_test, OneThatIsMendedIsOutOfUseNoMore) {
  config::settings settings;
  settings.correlation.max_failures = 2;
  node n{store_, 1h, settings};
  n.bridge->start();
  ASSERT_TRUE(n.set(order_rule()));
  n.rules->replace_stored(
      {correlation::make_lambda_rule("orders", [](const event&) -> std::string {
        throw std::runtime_error{"boom"};
      })});
  n.key("orders");
  n.key("orders");
  EXPECT_EQ(n.rules->disabled(), 1u);
  n.figures->rule_failed("orders", true);
  const auto disabled = [&n] {
    const auto text = n.figures->text();
    constexpr std::string_view name = "\neventweft_correlation_rules_disabled ";
    return text.substr(text.find(name) + name.size(), 1);
  };
  EXPECT_EQ(disabled(), "1");
  ASSERT_TRUE(n.set(order_rule("o:{/order}")));
  EXPECT_EQ(n.key("orders"), "o:7");
  EXPECT_EQ(disabled(), "0");
}

TEST_F(rules_bridge_test, OtherNodesAreTold) {
  node a{store_, 1h};
  node b{store_, 1h};
  const auto line =
      a.control->carry([&b](const control_event& e) { b.control->deliver(e); });
  a.bridge->start();
  b.bridge->start();
  ASSERT_TRUE(a.set(order_rule()));
  EXPECT_TRUE(soon([&] { return b.key("orders") == "order_7"; }));
  ASSERT_TRUE(a.drop("orders"));
  EXPECT_TRUE(soon([&] { return b.key("orders").empty(); }));
}

TEST_F(rules_bridge_test, WhoIsNotToldLooksByItself) {
  node a{store_, 1h};
  node b{store_, 10ms};
  a.bridge->start();
  b.bridge->start();
  ASSERT_TRUE(a.set(order_rule()));
  EXPECT_TRUE(soon([&] { return b.key("orders") == "order_7"; }));
}

TEST_F(rules_bridge_test, AreInForceFromTheStart) {
  {
    node a{store_, 1h};
    a.bridge->start();
    ASSERT_TRUE(a.set(order_rule()));
  }
  node b{store_, 1h};
  b.bridge->read_first();
  EXPECT_EQ(b.key("orders"), "order_7");
}

TEST_F(rules_bridge_test, NamesOfOthersAreTaken) {
  config::settings settings;
  config::correlation_rule own;
  own.name = "orders";
  own.key = "mine_{payload.order}";
  settings.correlation.rules.push_back(own);
  node n{store_, 1h, settings};
  n.bridge->start();
  EXPECT_EQ(n.set(order_rule()).error().code, ec::conflict);
  EXPECT_EQ(n.drop("orders").error().code, ec::conflict);
  EXPECT_EQ(n.key("orders"), "mine_7");
  auto builtin = order_rule();
  builtin.name = n.rules->rules().front().name;
  EXPECT_EQ(n.set(builtin).error().code, ec::conflict);
  EXPECT_EQ(n.drop(builtin.name).error().code, ec::conflict);
  // A node without it has made one of that name: it is hidden here, and may go.
  node other{store_, 1h};
  other.bridge->start();
  ASSERT_TRUE(other.set(order_rule()));
  EXPECT_EQ(n.set(order_rule()).error().code, ec::conflict);
  EXPECT_EQ(n.key("orders"), "mine_7");
  EXPECT_TRUE(n.drop("orders"));
}

TEST_F(rules_bridge_test, WhatCannotWorkIsRefusedAsInTheConfiguration) {
  node n{store_, 1h};
  n.bridge->start();
  for (const auto& [key, field, pattern] :
       {std::array{"", "", ""}, std::array{"constant", "", ""},
        std::array{"k:{1}", "", ""}, std::array{"k:{1}", "payload.a", "("},
        std::array{"k:{1}", "", "a"}}) {
    auto r = order_rule(key);
    r.field = field;
    r.pattern = pattern;
    const auto done = n.set(r);
    ASSERT_FALSE(done) << key << ' ' << pattern;
    EXPECT_EQ(done.error().code, ec::unprocessable);
    EXPECT_EQ(done.error().message,
              correlation::make_declarative_rule(r).error().message);
  }
  EXPECT_TRUE(store_->open_correlation_rules()->rules()->empty());
}

TEST_F(rules_bridge_test, WhatCannotBeReadLeavesThoseInForce) {
  node n{store_, 5ms};
  n.bridge->start();
  ASSERT_TRUE(n.set(order_rule()));
  // By another program; it can't work.
  const auto beside = store_->open_correlation_rules();
  auto bad = order_rule("no value");
  bad.name = "bad";
  ASSERT_TRUE(beside->set_rule(bad));
  ASSERT_TRUE(beside->set_rule(order_rule("other_{payload.order}")));
  ASSERT_TRUE(n.read_again());
  EXPECT_EQ(n.key("orders"), "order_7");
  // It may be dropped here.
  EXPECT_TRUE(n.drop("bad"));
  EXPECT_EQ(n.key("orders"), "other_7");
  n.link->down = true;
  ASSERT_TRUE(beside->drop_rule("orders"));
  ASSERT_TRUE(n.read_again());
  EXPECT_EQ(n.key("orders"), "other_7");
  n.link->down = false;
  EXPECT_TRUE(soon([&] { return n.key("orders").empty(); }));
}

TEST_F(rules_bridge_test, AllAreListedByName) {
  node n{store_, 1h};
  n.bridge->start();
  ASSERT_TRUE(n.set(order_rule()));
  const auto all = n.bridge->rules();
  EXPECT_TRUE(std::ranges::is_sorted(all, {}, &correlation::rule_state::name));
  const auto found = std::ranges::find(all, rule_origin::store,
                                       &correlation::rule_state::origin);
  ASSERT_NE(found, all.end());
  EXPECT_EQ(found->definition, order_rule());
  EXPECT_GT(all.size(), 1u);
}

} // namespace
} // namespace eventweft
