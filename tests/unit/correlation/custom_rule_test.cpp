// SPDX-License-Identifier: Apache-2.0
#include "correlation/custom_rule.hpp"
#include "tests/unit/correlation/support.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <stdexcept>
#include <thread>

namespace eventweft::correlation {
namespace {

using testing::make_event;

event deployment() {
  return make_event("deployments", "deployment:success",
                    R"({"pull_request":{"number":12},"note":"for T-7 and T-8",
                        "null":null})");
}

std::set<std::string> keys_of(const declarative_rule& definition,
                              const event& ev) {
  auto r = make_declarative_rule(definition);
  EXPECT_TRUE(r) << r.error().message;
  testing::bench b;
  EXPECT_TRUE(b.rules.add(*r));
  std::set<std::string> out;
  for (const auto& k : b.all(ev))
    if (k.rule == definition.name)
      out.insert(k.key);
  return out;
}

using key_set = std::set<std::string>;

TEST(custom_rule, builds_a_key_from_the_payload) {
  declarative_rule r{.name = "d",
                     .key = "deployment_pr_{payload.pull_request.number}"};
  EXPECT_EQ(keys_of(r, deployment()), key_set{"deployment_pr_12"});
  r.key = "deployment_pr_{/pull_request/number}";
  EXPECT_EQ(keys_of(r, deployment()), key_set{"deployment_pr_12"});
  r.key = "{{{platform}}}-{payload.pull_request.number}";
  EXPECT_EQ(keys_of(r, deployment()), key_set{"{deployments}-12"});
}

TEST(custom_rule, large_numbers_keep_their_digits) {
  const declarative_rule r{.name = "o", .key = "order:{payload.id}"};
  const auto of = [&](const std::string& id) {
    return keys_of(r,
                   make_event("custom", "x", R"({"id":)" + id + R"(,"y":1})"));
  };
  EXPECT_EQ(of("98765432109876543210"), key_set{"order:98765432109876543210"});
  EXPECT_EQ(of("98765432109876543211"), key_set{"order:98765432109876543211"});
}

TEST(custom_rule, evidence_says_where_the_values_were) {
  const auto field_of = [](const declarative_rule& r) {
    engine rules{std::make_shared<vocabulary>(), {}};
    EXPECT_TRUE(rules.add(*make_declarative_rule(r)));
    codec::payload_reader reader;
    for (const auto& k : rules.keys(deployment(), reader))
      if (k.rule == r.name)
        return k.field;
    return std::string{"no key"};
  };
  EXPECT_EQ(field_of({.name = "d",
                      .key = "{platform}/{payload.pull_request.number}"}),
            "platform, payload.pull_request.number");
  EXPECT_EQ(field_of({.name = "d",
                      .key = "t:{1}",
                      .field = "payload.note",
                      .pattern = R"(T-(\d+))"}),
            "payload.note");
}

TEST(custom_rule, has_no_key_where_a_value_is_missing) {
  for (std::string_view key :
       {"x-{payload.nothing}", "x-{payload.null}", "x-{payload.pull_request}",
        "x-{metadata.region}", "x-{actor_name}"}) {
    declarative_rule r{.name = "d", .key = std::string{key}};
    EXPECT_EQ(keys_of(r, deployment()), key_set{}) << key;
  }
}

TEST(custom_rule, takes_each_match_of_a_pattern) {
  declarative_rule r{.name = "d",
                     .key = "ticket:{n}",
                     .field = "payload.note",
                     .pattern = R"(T-(?P<n>\d+))"};
  EXPECT_EQ(keys_of(r, deployment()), (key_set{"ticket:7", "ticket:8"}));
  r.key = "ticket:{1}";
  EXPECT_EQ(keys_of(r, deployment()), (key_set{"ticket:7", "ticket:8"}));
}

TEST(custom_rule, respects_its_filter) {
  declarative_rule r{.name = "d", .key = "x-{payload.pull_request.number}"};
  r.match.event_types = {"deployment:failure"};
  EXPECT_EQ(keys_of(r, deployment()), key_set{});
}

TEST(custom_rule, canonical_families_are_normalised) {
  declarative_rule r{
      .name = "d", .key = "github:pr:Octo/Repo#{payload.pull_request.number}"};
  EXPECT_EQ(keys_of(r, deployment()), key_set{"github:pr:octo/repo#12"});
}

TEST(custom_rule, faults_are_named) {
  const auto fault = [](declarative_rule r) {
    r.name = "d";
    const auto made = make_declarative_rule(r);
    EXPECT_FALSE(made);
    EXPECT_EQ(made ? ec::none : made.error().code, ec::bad_configuration);
    return made ? std::string{} : made.error().message;
  };
  EXPECT_NE(fault({.key = "all"}).find("one thread"), std::string::npos);
  EXPECT_NE(fault({.key = "x{oops}"}).find("oops"), std::string::npos);
  EXPECT_NE(fault({.key = "x{"}).find("character 2"), std::string::npos);
  EXPECT_NE(fault({.key = "x{1}", .field = "payload.a", .pattern = "("})
                .find("pattern"),
            std::string::npos);
  EXPECT_NE(fault({.key = "x{3}", .field = "payload.a", .pattern = "(a)"})
                .find("{3}"),
            std::string::npos);
  EXPECT_NE(fault({.key = "x{platform}", .pattern = "a"}).find("belong"),
            std::string::npos);
}

TEST(custom_rule, no_pattern_can_hang) {
  declarative_rule r{.name = "d",
                     .key = "x-{0}",
                     .field = "payload.t",
                     .pattern = "(a+)+(a+)+(a+)+$"};
  const auto ev = make_event("events", "x",
                             R"({"t":")" + std::string(20'000, 'a') + "b\"}");
  EXPECT_EQ(keys_of(r, ev), key_set{});
}

TEST(custom_rule, lambdas_of_every_form) {
  const auto ev = deployment();
  const auto run = [&](rule_ptr r) {
    testing::bench b;
    EXPECT_TRUE(b.rules.add(r));
    key_set out;
    for (const auto& k : b.all(ev))
      if (k.rule == r->name())
        out.insert(k.key);
    return out;
  };
  EXPECT_EQ(
      run(make_lambda_rule("one", [](const event& e) { return e.platform; })),
      key_set{"deployments"});
  EXPECT_EQ(run(make_lambda_rule("c", [](const event&) { return "abc"; })),
            key_set{"abc"});
  EXPECT_EQ(
      run(make_lambda_rule("none", [](const event&) { return std::string{}; })),
      key_set{});
  EXPECT_EQ(
      run(make_lambda_rule(
          "maybe", [](const event&) { return std::optional<std::string>{}; })),
      key_set{});
  EXPECT_EQ(run(make_lambda_rule("more",
                                 [](const event&) {
                                   return std::vector<std::string>{"a", "b"};
                                 })),
            (key_set{"a", "b"}));
  EXPECT_EQ(run(make_lambda_rule("full",
                                 [](const event&) {
                                   return correlation_key{.key = "k",
                                                          .confidence = 0.5F};
                                 })),
            key_set{"k"});
}

TEST(custom_rule, a_short_sha_waits_for_its_other_digits) {
  const auto ev = make_event("deployments", "d", R"({"sha7":"3CD9748C"})");
  testing::bench b;
  ASSERT_TRUE(b.rules.add(*make_declarative_rule(
      {.name = "sha", .key = "git:sha:{payload.sha7}"})));
  const auto keys = b.all(ev);
  const auto* key = testing::find(keys, "git:sha:3cd9748c");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->needs, "git:sha7:3cd9748");
  EXPECT_LT(key->confidence, 0.7F);
  // So does a permalink for its team.
  const auto r = make_lambda_rule("link", [](const event&) {
    return "https://acme.slack.com/archives/C1/p1712000001000100";
  });
  ASSERT_TRUE(b.rules.add(r));
  const auto again = b.all(ev);
  const auto* thread =
      testing::find(again, "slack:thread::C1:1712000001.000100");
  ASSERT_TRUE(thread);
  EXPECT_EQ(thread->needs, "slack:channel:C1");
}

TEST(custom_rule, other_rules_have_another_fingerprint) {
  const auto known = std::make_shared<vocabulary>();
  const auto print = [&](std::vector<declarative_rule> rules,
                         engine_options options = {}) {
    engine e{known, std::move(options)};
    for (const auto& r : rules)
      EXPECT_TRUE(e.add(*make_declarative_rule(r)));
    return e.fingerprint();
  };
  const declarative_rule one{.name = "a", .key = "k:{payload.k}"};
  auto other = one;
  other.key = "k:{payload.l}";
  EXPECT_EQ(print({one}), print({one}));
  EXPECT_NE(print({}), print({one}));
  EXPECT_NE(print({one}), print({other}));
  other = one;
  other.match.platforms = {"github"};
  EXPECT_NE(print({one}), print({other}));
  EXPECT_NE(print({one}), print({one}, {.threshold = 0.8F}));
}

TEST(custom_rule, one_that_throws_is_skipped_counted_and_disabled) {
  const auto known = std::make_shared<vocabulary>();
  std::vector<std::pair<std::string, bool>> told;
  engine_options options;
  options.max_failures = 3;
  options.on_failure = [&](std::string_view, std::string_view what,
                           bool disabled) {
    told.emplace_back(what, disabled);
  };
  engine rules{known, options};
  ASSERT_TRUE(
      rules.add(make_lambda_rule("bad", [](const event&) -> std::string {
        throw std::runtime_error{"boom"};
      })));
  codec::payload_reader reader;
  for (int i = 0; i < 5; ++i)
    EXPECT_FALSE(testing::find(rules.keys(deployment(), reader), "boom"));
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0], (std::pair<std::string, bool>{"boom", false}));
  EXPECT_EQ(told[2], (std::pair<std::string, bool>{"boom", true}));
  const auto state = rules.rules().back();
  EXPECT_EQ(state.failures, 3u);
  EXPECT_FALSE(state.enabled);
  EXPECT_FALSE(rules.add(
      make_lambda_rule("bad", [](const event&) { return std::string{}; })));
}

// -- rules of the store -------------------------------------------------------

rule_ptr stored(std::string name, std::string key) {
  return *make_declarative_rule(
      {.name = std::move(name), .key = std::move(key)});
}

std::set<std::string> custom_keys_of(const engine& rules) {
  codec::payload_reader reader;
  std::set<std::string> out;
  for (const auto& k : rules.keys(deployment(), reader))
    if (k.rule == "a" || k.rule == "b" || k.rule == "mine")
      out.insert(k.key);
  return out;
}

TEST(stored_rules, AreReplacedAsAWhole) {
  engine rules{std::make_shared<vocabulary>(), {}};
  const auto without = rules.fingerprint();
  auto changes = rules.replace_stored(
      {stored("a", "a_{/pull_request/number}"), stored("b", "b_{platform}")});
  EXPECT_EQ(changes.set, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(changes.gone.empty());
  EXPECT_EQ(custom_keys_of(rules), (key_set{"a_12", "b_deployments"}));
  const auto with = rules.fingerprint();
  EXPECT_NE(with, without);
  changes = rules.replace_stored({stored("a", "other_{platform}")});
  EXPECT_EQ(changes.set, std::vector<std::string>{"a"});
  EXPECT_EQ(changes.gone, std::vector<std::string>{"b"});
  EXPECT_EQ(custom_keys_of(rules), key_set{"other_deployments"});
  EXPECT_NE(rules.fingerprint(), with);
  changes = rules.replace_stored({});
  EXPECT_EQ(changes.gone, std::vector<std::string>{"a"});
  EXPECT_EQ(rules.fingerprint(), without);
}

TEST(stored_rules, LeaveOthersAlone) {
  engine rules{std::make_shared<vocabulary>(), {}};
  ASSERT_TRUE(
      rules.add(stored("mine", "mine_{platform}"), rule_origin::configuration));
  const auto builtin = rules.rules().front();
  EXPECT_EQ(builtin.origin, rule_origin::built_in);
  EXPECT_FALSE(builtin.definition);
  const auto changes = rules.replace_stored(
      {stored("mine", "theirs_{platform}"),
       stored(builtin.name, "x_{platform}"), stored("a", "a_{platform}")});
  EXPECT_EQ(changes.set, std::vector<std::string>{"a"});
  EXPECT_EQ(changes.hidden, (std::vector<std::string>{"mine", builtin.name}));
  EXPECT_EQ(custom_keys_of(rules),
            (key_set{"a_deployments", "mine_deployments"}));
  const auto last = rules.rules().back();
  EXPECT_EQ(last.origin, rule_origin::store);
  ASSERT_TRUE(last.definition);
  EXPECT_EQ(last.definition->key, "a_{platform}");
  EXPECT_FALSE(rules.add(stored("a", "again_{platform}")));
}

TEST(stored_rules, WhatStaysKeepsItsFigures) {
  engine rules{std::make_shared<vocabulary>(), {}};
  rules.replace_stored({stored("a", "a_{platform}")});
  EXPECT_EQ(custom_keys_of(rules), key_set{"a_deployments"});
  const auto changes = rules.replace_stored(
      {stored("a", "a_{platform}"), stored("b", "b_{platform}")});
  EXPECT_EQ(changes.set, std::vector<std::string>{"b"});
  for (const auto& r : rules.rules()) {
    if (r.name == "a") {
      EXPECT_EQ(r.applied, 1u);
    }
  }
}

// No store takes such a key, nor the event that it comes with.
TEST(lambda_rule, a_confidence_that_is_none_fails_the_rule_and_not_the_event) {
  for (const float wrong : {std::numeric_limits<float>::quiet_NaN(), -0.1F,
                            1.5F, std::numeric_limits<float>::infinity()}) {
    testing::bench b;
    EXPECT_TRUE(b.rules.add(make_lambda_rule("scored", [wrong](const event&) {
      correlation_key key;
      key.key = "order:17";
      key.confidence = wrong;
      return key;
    })));
    EXPECT_EQ(testing::find(b.all(deployment()), "order:17"), nullptr) << wrong;
    EXPECT_EQ(b.rules.rules().back().failures, 1u) << wrong;
  }
}

TEST(stored_rules, AreReplacedUnderWorkers) {
  engine rules{std::make_shared<vocabulary>(), {}};
  std::atomic<bool> done{false};
  std::vector<std::jthread> workers;
  std::atomic<size_t> odd{0};
  for (int i = 0; i < 3; ++i)
    workers.emplace_back([&] {
      while (!done) {
        const auto found = custom_keys_of(rules);
        // All of one set or all of the other.
        odd += found != key_set{} &&
               found != key_set{"a_1_deployments", "b_1_deployments"} &&
               found != key_set{"a_2_deployments", "b_2_deployments"};
      }
    });
  for (int i = 0; i < 200; ++i) {
    const auto n = std::to_string(i % 2 + 1);
    rules.replace_stored({stored("a", "a_" + n + "_{platform}"),
                          stored("b", "b_" + n + "_{platform}")});
  }
  done = true;
  workers.clear();
  EXPECT_EQ(odd, 0u);
}

} // namespace
} // namespace eventweft::correlation
