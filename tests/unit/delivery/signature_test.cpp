// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.hpp"
#include "delivery/signature.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

namespace eventweft::delivery {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr auto message = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr int64_t signed_at = 1614265330;
constexpr auto body = R"({"test": 2432232314})";
// Python: base64(hmac.new(b64decode(SECRET), b"ID.TIME.BODY", sha256)).
constexpr auto symmetric = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr auto symmetric_signature =
    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
// openssl pkeyutl -sign -rawin, with the seed 01 02 … 20.
constexpr auto seed_only = "whsk_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
constexpr auto asymmetric = "whsk_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyB5t"
                            "VYuj+ZU+UB4sRLoqYunkB+FOuaVvtfg45ELrQSWZA==";
constexpr auto public_key = "whpk_ebVWLo/mVPlAeLES6KmLp5AfhTrmlb7X4OORC60ElmQ=";
constexpr auto asymmetric_signature =
    "v1a,OVJuLC0iOuaBuQulpz9A/zDgvqV8z8miLUJk2j15ZMONwDNhOvPJ3rO4owAHFyjFq80+"
    "pUUjrNfTHAZs1RQnDw==";

TEST(signing_key, signs_v1_as_python_does) {
  const auto key = signing_key::parse(symmetric);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->sign(message, signed_at, body), symmetric_signature);
  EXPECT_EQ(key->text(), symmetric);
  EXPECT_EQ(key->public_text(), "");
}

TEST(signing_key, signs_an_empty_body) {
  const auto key = signing_key::parse("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->sign("msg_x", 1700000000, ""),
            "v1,CWhT0cq1kky8CmD8vIKu0w0yEqgC9LHYXSAkqB4EBRU=");
}

TEST(signing_key, signs_v1a_as_openssl_does) {
  for (const auto* text : {seed_only, asymmetric}) {
    const auto key = signing_key::parse(text);
    ASSERT_TRUE(key) << text;
    EXPECT_EQ(key->sign(message, signed_at, body), asymmetric_signature);
    EXPECT_EQ(key->text(), asymmetric);
    EXPECT_EQ(key->public_text(), public_key);
  }
}

TEST(signing_key, refuses_what_is_no_secret_without_repeating_it) {
  for (const std::string text :
       {"", "secret", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_",
        "whsec_****", "whsec_c2hvcnQ=", "whsk_AAAA", public_key,
        // 23 and 65 bytes
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY=",
        "whsec_"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAA="}) {
    const auto key = signing_key::parse(text);
    ASSERT_FALSE(key) << text;
    EXPECT_EQ(key.error().code, ec::unprocessable);
    if (text.size() > 8) {
      EXPECT_THAT(key.error().message, Not(HasSubstr(text.substr(8))));
    }
  }
}

TEST(signing_key, refuses_a_pair_whose_halves_do_not_fit) {
  std::string text = asymmetric;
  text[7] = text[7] == 'B' ? 'C' : 'B';
  EXPECT_FALSE(signing_key::parse(text));
}

TEST(signing_key, makes_keys_that_can_be_read_and_differ) {
  seeded_random random{1};
  const auto a = signing_key::make_symmetric(random);
  const auto b = signing_key::make_symmetric(random);
  EXPECT_NE(a.text(), b.text());
  ASSERT_TRUE(signing_key::parse(a.text()));
  EXPECT_EQ(signing_key::parse(a.text())->sign("m", 1, "x"),
            a.sign("m", 1, "x"));
  const auto c = signing_key::make_asymmetric(random);
  ASSERT_TRUE(signing_key::parse(c.text()));
  const auto raw = crypto::from_base64(c.public_text().substr(5));
  const auto signature = crypto::from_base64(c.sign("m", 1, "x").substr(4));
  EXPECT_TRUE(crypto::verify_ed25519(*raw, "m.1.x", *signature));
  EXPECT_FALSE(crypto::verify_ed25519(*raw, "m.1.y", *signature));
}

TEST(message_id, is_the_same_for_every_attempt_and_differs_by_subscription) {
  const auto event = *uuid::parse("018f3c2e-0000-7000-8000-000000000001");
  // sha256("018f3c2e-0000-7000-8000-000000000001/sub-1"), first half
  EXPECT_EQ(message_id(event, "sub-1"), "msg_5cfdb27932dcdee7c5e9bc032cc513a3");
  EXPECT_NE(message_id(event, "sub-1"), message_id(event, "sub-2"));
  EXPECT_NE(message_id(uuid{}, "sub-1"), message_id(event, "sub-1"));
}

TEST(signed_headers, carry_one_signature_a_key_while_secrets_rotate) {
  const std::array keys{*signing_key::parse(symmetric),
                        *signing_key::parse(asymmetric)};
  const timestamp now{std::chrono::seconds{signed_at} +
                      std::chrono::microseconds{999'999}};
  const auto headers = signed_headers(keys, message, now, body);
  const outgoing::header_list wanted{
      {"webhook-id", message},
      {"webhook-timestamp", "1614265330"},
      {"webhook-signature",
       std::string{symmetric_signature} + " " + asymmetric_signature}};
  EXPECT_EQ(headers, wanted);
}

TEST(signed_headers, leave_out_a_signature_that_there_is_no_key_for) {
  const auto headers = signed_headers({}, message, timestamp{}, body);
  ASSERT_EQ(headers.size(), 2u);
  EXPECT_EQ(headers[1].second, "0");
}

} // namespace
} // namespace eventweft::delivery
