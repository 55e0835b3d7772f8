// SPDX-License-Identifier: Apache-2.0
#include "auth/jwt_keys.hpp"
#include "tests/unit/auth/vectors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventweft::auth {
namespace {

using testing::HasSubstr;

TEST(parse_jwt_keys, reads_pem) {
  const std::pair<std::string_view, jws_algorithm> table[] = {
      {vectors::rsa_pem, jws_algorithm::rs256},
      {vectors::rsa_certificate_pem, jws_algorithm::rs256},
      {vectors::ec_pem, jws_algorithm::es256},
      {vectors::ed_pem, jws_algorithm::eddsa}};
  for (const auto& [pem, algorithm] : table) {
    const auto keys = parse_jwt_keys(pem);
    ASSERT_TRUE(keys) << keys.error().message;
    ASSERT_EQ(keys->size(), 1u);
    EXPECT_EQ(to_string(keys->front().algorithm()), to_string(algorithm));
    EXPECT_EQ(keys->front().id(), "");
  }
}

TEST(parse_jwt_keys, reads_several_from_one_file) {
  const auto text = std::string{vectors::rsa_pem} + "a comment\n" +
                    std::string{vectors::ed_pem};
  const auto keys = parse_jwt_keys(text);
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->size(), 2u);
}

TEST(parse_jwt_keys, reads_a_key_set_and_passes_over_what_it_does_not_know) {
  const auto keys = parse_jwt_keys("\n " + std::string{vectors::key_set});
  ASSERT_TRUE(keys) << keys.error().message;
  ASSERT_EQ(keys->size(), 3u);
  EXPECT_EQ((*keys)[0].id(), "rsa-1");
  EXPECT_EQ((*keys)[0].algorithm(), jws_algorithm::rs256);
  EXPECT_EQ((*keys)[1].id(), "ec-1");
  EXPECT_EQ((*keys)[1].algorithm(), jws_algorithm::es256);
  EXPECT_EQ((*keys)[2].id(), "ed-1");
  EXPECT_EQ((*keys)[2].algorithm(), jws_algorithm::eddsa);
}

TEST(parse_jwt_keys, refuses_what_no_token_should_be_verified_with) {
  std::string broken{vectors::ec_pem};
  broken[40] = broken[40] == 'A' ? 'B' : 'A';
  std::string cut{vectors::rsa_pem};
  cut.resize(cut.size() / 2);
  for (
      const auto& text :
      {std::string{}, std::string{"hello"}, std::string{"{"}, std::string{"{}"},
       std::string{R"({"keys":[]})"}, std::string{R"({"keys":[1]})"},
       std::string{R"({"keys":{}})"},
       std::string{R"({"keys":[{"kty":"RSA","kid":"r"}]})"},
       std::string{R"({"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]})"},
       std::string{R"({"keys":[{"kty":"oct","k":"c2hvcnQ"}]})"},
       // not on the curve
       std::string{
           R"({"keys":[{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"}]})"},
       std::string{R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]})"},
       std::string{vectors::small_rsa_pem}, std::string{vectors::p384_pem},
       std::string{vectors::private_pem}, broken, cut}) {
    const auto keys = parse_jwt_keys(text);
    ASSERT_FALSE(keys) << text;
    EXPECT_EQ(keys.error().code, ec::bad_configuration);
  }
  EXPECT_THAT(parse_jwt_keys(vectors::private_pem).error().message,
              HasSubstr("private"));
  EXPECT_THAT(parse_jwt_keys(vectors::small_rsa_pem).error().message,
              HasSubstr("2,048"));
}

TEST(parse_jwt_keys, refuses_a_set_that_holds_a_private_key) {
  const std::string good{vectors::key_set};
  const auto with_member = [&](std::string_view before, std::string_view more) {
    auto text = good;
    const auto at = text.find(before);
    EXPECT_NE(at, text.npos) << before;
    return text.insert(at, more);
  };
  for (const auto* kind : {R"("kty":"RSA")", R"("kty":"EC")"}) {
    const auto keys = parse_jwt_keys(with_member(kind, R"("d":"AQAB",)"));
    ASSERT_FALSE(keys) << kind;
    EXPECT_EQ(keys.error().code, ec::bad_configuration);
    EXPECT_THAT(keys.error().message, HasSubstr("private"));
  }
  // Also one that no token would be verified with.
  const auto keys = parse_jwt_keys(with_member(
      "{\"kty\":\"EC\"",
      R"({"kid":"z","kty":"EC","crv":"P-521","use":"enc","d":"AQAB"},)"));
  ASSERT_FALSE(keys);
  EXPECT_THAT(keys.error().message, HasSubstr("\"z\""));
}

TEST(jwt_key, refuses_a_secret_that_is_short_or_a_public_key) {
  const auto known = jwt_key::shared_secret(std::string(32, 'x'), "a");
  EXPECT_EQ(known->fingerprint(),
            jwt_key::shared_secret(std::string(32, 'x'), "a")->fingerprint());
  EXPECT_NE(known->fingerprint(),
            jwt_key::shared_secret(std::string(32, 'x'), "b")->fingerprint());
  EXPECT_NE(known->fingerprint(),
            jwt_key::shared_secret(std::string(32, 'y'), "a")->fingerprint());
  EXPECT_FALSE(jwt_key::shared_secret(std::string(31, 'x')));
  EXPECT_TRUE(jwt_key::shared_secret(std::string(32, 'x')));
  EXPECT_FALSE(jwt_key::shared_secret(std::string{vectors::rsa_pem}));
}

} // namespace
} // namespace eventweft::auth
