// SPDX-License-Identifier: Apache-2.0
#include "persistence/correlation_rules.hpp"
#include "tests/integration/persistence/store_fixture.hpp"

namespace eventweft::testing {
namespace {

using correlation::declarative_rule;

class correlation_rules_contract : public store_contract {
 protected:
  correlation_rules_contract() : rules_(store_->open_correlation_rules()) {}

  static declarative_rule full(std::string name) {
    declarative_rule r;
    r.name = std::move(name);
    r.match.platforms = {"events"};
    r.match.custom_filters.emplace("payload.kind", "\"it's\"");
    r.key = "zendesk:{ticket}";
    r.field = "payload.text";
    r.pattern = R"(ZD-(?P<ticket>\d+) "\p{L}" 'ä')";
    r.confidence = 0.9F;
    r.window = 4'000'000'000;
    return r;
  }

  static declarative_rule bare(std::string name) {
    declarative_rule r;
    r.name = std::move(name);
    r.key = "order:{payload.order}";
    return r;
  }

  std::unique_ptr<correlation_rule_store> rules_;
};

TEST_P(correlation_rules_contract, RulesComeBackAsTheyWereByName) {
  EXPECT_TRUE(must(rules_->rules()).empty());
  EXPECT_TRUE(must(rules_->set_rule(full("b"))));
  EXPECT_TRUE(must(rules_->set_rule(bare("a_1"))));
  EXPECT_TRUE(must(rules_->set_rule(bare("a.1"))));
  EXPECT_TRUE(must(rules_->set_rule(bare("B"))));
  const std::vector want{bare("B"), bare("a.1"), bare("a_1"), full("b")};
  EXPECT_EQ(must(rules_->rules()), want);
  // Another session sees them too.
  EXPECT_EQ(must(store_->open_correlation_rules()->rules()), want);
}

TEST_P(correlation_rules_contract, SettingReplaces) {
  EXPECT_TRUE(must(rules_->set_rule(full("a"))));
  EXPECT_FALSE(must(rules_->set_rule(bare("a"))));
  EXPECT_EQ(must(rules_->rules()), std::vector{bare("a")});
  EXPECT_FALSE(must(rules_->set_rule(full("a"))));
  EXPECT_EQ(must(rules_->rules()), std::vector{full("a")});
}

TEST_P(correlation_rules_contract, DropsOnce) {
  must(rules_->set_rule(full("a")));
  must(rules_->set_rule(full("b")));
  EXPECT_TRUE(must(rules_->drop_rule("a")));
  EXPECT_FALSE(must(rules_->drop_rule("a")));
  EXPECT_FALSE(must(rules_->drop_rule("' OR name = 'b")));
  EXPECT_EQ(must(rules_->rules()), std::vector{full("b")});
}

INSTANTIATE_TEST_SUITE_P(Engines, correlation_rules_contract, all_engines,
                         engine_name);

/// By hand, or by a newer program.
using correlation_rules_by_hand = correlation_rules_contract;

TEST_P(correlation_rules_by_hand, WhatCannotBeReadIsNamed) {
  must(rules_->set_rule(bare("good")));
  run_sql("INSERT INTO correlation_rules (name, match, key) VALUES "
          "('later', '{\"moon_phase\":[\"full\"]}', 'k:{payload.a}')");
  const auto all = rules_->rules();
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code, ec::corrupt);
  EXPECT_NE(all.error().message.find("\"later\""), std::string::npos);
  // The session goes on.
  EXPECT_TRUE(must(rules_->drop_rule("later")));
  EXPECT_EQ(must(rules_->rules()), std::vector{bare("good")});
}

INSTANTIATE_TEST_SUITE_P(Engines, correlation_rules_by_hand, both_engines,
                         engine_name);

} // namespace
} // namespace eventweft::testing
