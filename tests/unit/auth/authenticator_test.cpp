// SPDX-License-Identifier: Apache-2.0
#include "auth/authenticator.hpp"
#include "tests/support/moments.hpp"
#include "tests/unit/auth/vectors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventweft::auth {
namespace {

using testing::HasSubstr;

std::shared_ptr<const jwt_verifier> verifier() {
  return std::make_shared<const jwt_verifier>(
      jwt_options{}, *parse_jwt_keys(vectors::key_set));
}

class authentication : public testing::Test {
 protected:
  void SetUp() override {
    api_key wanted;
    wanted.scopes = *parse_scopes("read");
    auto made = make_api_key(wanted, noon(), random);
    text = made.text;
    ring->add(made.record);
  }

  seeded_random random{1};
  std::shared_ptr<key_ring> ring = std::make_shared<key_ring>();
  std::string text;
};

TEST_F(authentication, takes_keys_and_tokens) {
  const authenticator a{ring, verifier()};
  const auto key = a.authenticate("Bearer " + text, noon());
  ASSERT_TRUE(key);
  EXPECT_EQ(key->how, principal::kind::api_key);
  const auto token =
      a.authenticate("bearer  " + std::string{vectors::ed_token}, noon());
  ASSERT_TRUE(token);
  EXPECT_EQ(token->how, principal::kind::token);
}

TEST_F(authentication, refuses_everything_else_without_repeating_it) {
  const authenticator a{ring, verifier()};
  for (const auto& header :
       {std::string{}, std::string{"Bearer"}, std::string{"Bearer "},
        "Basic " + text, "Bearer" + text, text, "Bearer " + text + " x",
        "Bearer " + text + ",Bearer " + text, " Bearer " + text,
        std::string{"Bearer sentinel"}, "Bearer " + text + "sentinel"}) {
    const auto who = a.authenticate(header, noon());
    ASSERT_FALSE(who) << header;
    EXPECT_EQ(who.error().code, ec::unauthorized);
    EXPECT_THAT(who.error().message, Not(HasSubstr("sentinel")));
    EXPECT_THAT(who.error().message, Not(HasSubstr(text)));
  }
}

TEST_F(authentication, takes_no_tokens_where_none_are_configured) {
  authenticator a{ring, nullptr};
  const auto header = "Bearer " + std::string{vectors::ed_token};
  EXPECT_FALSE(a.authenticate(header, noon()));
  EXPECT_TRUE(a.authenticate("Bearer " + text, noon()));
  a.replace_tokens(verifier());
  EXPECT_TRUE(a.authenticate(header, noon()));
  a.replace_tokens(nullptr);
  EXPECT_FALSE(a.authenticate(header, noon()));
}

} // namespace
} // namespace eventweft::auth
