// SPDX-License-Identifier: Apache-2.0
#include "codec/subscription_json.hpp"

#include <gtest/gtest.h>

namespace eventweft::codec {
namespace {

TEST(subscription_json, writes_numbers_as_people_do) {
  subscription_view v;
  v.figures.lag_seconds = 0.25;
  auto text = subscription_json(v);
  EXPECT_NE(text.find(R"("rate_per_second":0,)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("lag_seconds":0.25,)"), std::string::npos) << text;
  for (const auto& [rate, written] :
       {std::pair{5.0, "5,"}, {2.5, "2.5,"}, {1e6, "1000000,"}}) {
    v.what.rate_per_second = rate;
    text = subscription_json(v);
    EXPECT_NE(text.find("\"rate_per_second\":" + std::string{written}),
              std::string::npos)
        << text;
  }
}

TEST(subscription_json, says_nothing_of_what_another_node_knows) {
  subscription_view v;
  v.figures.state = "elsewhere";
  v.figures.owner = "node-b";
  v.figures.delivered = 7;
  const auto text = subscription_json(v);
  for (const auto* part :
       {R"("state":"elsewhere")", R"("owner":"node-b")", R"("sent":null)",
        R"("lag_events":null)", R"("breaker":null)", R"("replaying":null)"})
    EXPECT_NE(text.find(part), std::string::npos) << part << text;
  v.figures.state = "delivering";
  v.figures.owner.clear();
  const auto here = subscription_json(v);
  EXPECT_NE(here.find(R"("owner":null)"), std::string::npos) << here;
  EXPECT_NE(here.find(R"("sent":7)"), std::string::npos) << here;
}

TEST(subscription_json, shows_no_secret_but_a_new_one) {
  subscription_view v;
  v.what.secrets = {"whsec_hidden"};
  v.what.headers = {{"Authorization", "hidden"}};
  EXPECT_EQ(subscription_json(v).find("hidden"), std::string::npos);
  v.new_secret = "whsec_shown";
  EXPECT_NE(subscription_json(v).find(R"("secret":"whsec_shown")"),
            std::string::npos);
}

} // namespace
} // namespace eventweft::codec
