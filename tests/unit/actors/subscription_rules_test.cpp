// SPDX-License-Identifier: Apache-2.0
#include "actors/outgoing/subscription_rules.hpp"

#include <gtest/gtest.h>

namespace eventweft {
namespace {

const std::set<subscription_type> only_webhooks{subscription_type::webhook};

new_subscription wanted_hook() {
  new_subscription n;
  n.what.stream = "all_events";
  n.what.url = "https://hooks.example/in";
  return n;
}

TEST(subscription_rules, a_webhook_gets_a_secret_that_is_shown) {
  seeded_random random{1};
  const timestamp now{std::chrono::seconds{5}};
  auto n = wanted_hook();
  n.what.disabled_reason = "of another one";
  const auto made = make_subscription(n, only_webhooks, now, random);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->new_secret.starts_with("whsec_"));
  EXPECT_EQ(made->what.secrets, std::vector<std::string>{made->new_secret});
  EXPECT_EQ(made->what.created_at, now);
  EXPECT_NE(made->what.id, uuid{});
  EXPECT_EQ(made->what.disabled_reason, "");
  EXPECT_TRUE(public_keys_of(made->what).empty());

  n.asymmetric = true;
  const auto signing = make_subscription(n, only_webhooks, now, random);
  ASSERT_TRUE(signing);
  EXPECT_TRUE(signing->new_secret.starts_with("whsk_"));
  const auto keys = public_keys_of(signing->what);
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_TRUE(keys.front().starts_with("whpk_"));
}

TEST(subscription_rules, types_and_schemes_go_together) {
  seeded_random random{1};
  auto n = wanted_hook();
  n.what.type = subscription_type::nats;
  EXPECT_EQ(make_subscription(n, only_webhooks, {}, random).error().message,
            "type: this program was built without nats");
  const std::set both{subscription_type::webhook, subscription_type::nats};
  EXPECT_EQ(make_subscription(n, both, {}, random).error().message,
            "url: the scheme does not fit the type nats");
  n.what.url = "nats://queue.example:4222/events";
  const auto made = make_subscription(n, both, {}, random);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->new_secret, "");
  n.secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  EXPECT_EQ(make_subscription(n, both, {}, random).error().message,
            "secret: only webhooks are signed");
  n.secret.clear();
  n.asymmetric = true;
  EXPECT_EQ(make_subscription(n, both, {}, random).error().message,
            "signature: only webhooks are signed");
  subscription_change c;
  c.rotate_secret = true;
  EXPECT_EQ(changed_subscription(made->what, c, random).error().message,
            "secret: only webhooks are signed");
  c = {};
  c.url = "https://hooks.example/in";
  EXPECT_FALSE(changed_subscription(made->what, c, random));
}

TEST(subscription_rules, what_a_change_does_not_name_stays) {
  seeded_random random{1};
  auto s = make_subscription(wanted_hook(), only_webhooks, {}, random)->what;
  s.ordered = true;
  s.active = false;
  s.disabled_reason = "410 Gone";
  EXPECT_EQ(changed_subscription(s, {}, random)->what, s);
  subscription_change c;
  c.active = true;
  auto expected_now = s;
  expected_now.active = true;
  expected_now.disabled_reason.clear();
  const auto changed = changed_subscription(s, c, random);
  EXPECT_EQ(changed->what, expected_now);
  EXPECT_EQ(changed->new_secret, "");
}

TEST(subscription_rules, secrets_are_few_and_the_newest_is_first) {
  seeded_random random{1};
  auto s = make_subscription(wanted_hook(), only_webhooks, {}, random)->what;
  subscription_change c;
  c.rotate_secret = true;
  for (int n = 0; n < 7; ++n) {
    const auto changed = changed_subscription(s, c, random);
    ASSERT_TRUE(changed);
    s = changed->what;
    EXPECT_EQ(s.secrets.front(), changed->new_secret);
  }
  EXPECT_EQ(s.secrets.size(), 5u);
  // One that is there already only moves.
  c.secret = s.secrets.back();
  s = changed_subscription(s, c, random)->what;
  EXPECT_EQ(s.secrets.size(), 5u);
  EXPECT_EQ(s.secrets.front(), c.secret);
  c = {};
  c.drop_old_secrets = true;
  EXPECT_EQ(changed_subscription(s, c, random)->what.secrets.size(), 1u);
  c = {};
  c.rotate_secret = true;
  c.secret = "nonsense";
  EXPECT_FALSE(changed_subscription(s, c, random));
}

} // namespace
} // namespace eventweft
