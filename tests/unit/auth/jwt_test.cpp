// SPDX-License-Identifier: Apache-2.0
#include "auth/jwt.hpp"
#include "crypto/digest.hpp"
#include "tests/support/moments.hpp"
#include "tests/unit/auth/vectors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace eventweft::auth {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr int64_t now_seconds = 1'769'860'800;

std::string base64url(std::string_view bytes) {
  auto out = crypto::to_base64(bytes);
  while (out.ends_with('='))
    out.pop_back();
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  return out;
}

std::string hs256(std::string_view message, std::string_view secret) {
  const std::array<std::string_view, 1> parts{message};
  return base64url(crypto::hmac(crypto::hash::sha256, secret, parts));
}

// Signed with the shared secret, whatever the header says.
std::string token(std::string_view claims,
                  std::string_view header = R"({"alg":"HS256"})") {
  const auto message = base64url(header) + "." + base64url(claims);
  return message + "." + hs256(message, vectors::shared_secret);
}

std::string lasting(std::string_view more) {
  return R"({"exp":)" + std::to_string(now_seconds + 600) + std::string{more} +
         "}";
}

jwt_key secret() {
  return *jwt_key::shared_secret(std::string{vectors::shared_secret});
}

jwt_verifier knowing(std::vector<jwt_key> keys, jwt_options options = {}) {
  return {std::move(options), std::move(keys)};
}

jwt_options strict() {
  jwt_options out;
  out.issuer = "https://issuer.example";
  out.audiences = {"eventweft"};
  return out;
}

TEST(jwt, reads_what_a_token_says) {
  const auto who =
      knowing({secret()}, strict()).verify(vectors::hs_token, noon());
  ASSERT_TRUE(who) << who.error().message;
  EXPECT_EQ(who->how, principal::kind::token);
  EXPECT_EQ(who->id, "ci");
  EXPECT_EQ(to_string(who->scopes), "read stream:pr_*");
  ASSERT_TRUE(who->forced);
  EXPECT_THAT(who->forced->source_names, testing::ElementsAre("octo/*"));
  EXPECT_EQ(who->expires, noon() + 1h);
}

TEST(jwt, accepts_what_others_sign) {
  for (const auto keys :
       {vectors::key_set, vectors::rsa_pem, vectors::ec_pem, vectors::ed_pem}) {
    const auto verifier = knowing(*parse_jwt_keys(keys), strict());
    const bool all = keys == vectors::key_set;
    const std::pair<std::string_view, bool> tokens[] = {
        {vectors::rsa_token, all || keys == vectors::rsa_pem},
        {vectors::pyjwt_rsa_token, all || keys == vectors::rsa_pem},
        {vectors::rsa_token_without_kid, all || keys == vectors::rsa_pem},
        {vectors::ec_token, all || keys == vectors::ec_pem},
        {vectors::ec_token_without_kid, all || keys == vectors::ec_pem},
        {vectors::ed_token, all || keys == vectors::ed_pem},
        {vectors::ed_token_without_kid, all || keys == vectors::ed_pem},
        {vectors::hs_token, false}};
    for (const auto& [text, wanted] : tokens)
      EXPECT_EQ(verifier.verify(text, noon()).has_value(), wanted) << text;
  }
}

TEST(jwt, notices_every_changed_character) {
  const auto verifier = knowing(*parse_jwt_keys(vectors::key_set));
  for (const auto original :
       {vectors::rsa_token, vectors::ec_token, vectors::ed_token}) {
    ASSERT_TRUE(verifier.verify(original, noon()));
    for (size_t i = 0; i < original.size(); ++i) {
      std::string text{original};
      text[i] = text[i] == 'A' ? 'B' : 'A';
      const auto who = verifier.verify(text, noon());
      ASSERT_FALSE(who) << i;
      EXPECT_EQ(who.error().code, ec::unauthorized);
    }
  }
}

TEST(jwt, a_key_with_another_id_is_not_tried) {
  auto keys = *parse_jwt_keys(vectors::key_set);
  for (auto& key : keys)
    if (key.id() == "ed-1")
      key = jwt_key{crypto::public_key::from_pem(vectors::ed_pem)->front(),
                    "ed-2"};
  EXPECT_FALSE(knowing(keys).verify(vectors::ed_token, noon()));
  EXPECT_TRUE(knowing(keys).verify(vectors::ed_token_without_kid, noon()));
}

TEST(jwt, no_algorithm_is_no_signature) {
  const auto verifier = knowing({secret()});
  ASSERT_TRUE(verifier.verify(token(lasting("")), noon()));
  for (const char* header :
       {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"NONE"})",
        R"({"alg":""})", R"({"alg":null})", R"({"alg":["HS256"]})",
        R"({"typ":"JWT"})", R"({"alg":"hs256"})", R"({"alg":"HS384"})",
        R"({"alg":"PS256"})", R"({"alg":"ES256K"})"}) {
    const auto message = base64url(header) + "." + base64url(lasting(""));
    EXPECT_FALSE(verifier.verify(message + ".", noon())) << header;
    EXPECT_FALSE(verifier.verify(message, noon())) << header;
    EXPECT_FALSE(verifier.verify(token(lasting(""), header), noon())) << header;
  }
}

TEST(jwt, a_public_key_is_never_a_secret) {
  // The classic: an HMAC whose secret is the PEM text that everybody has.
  for (const auto pem : {vectors::rsa_pem, vectors::ec_pem, vectors::ed_pem}) {
    const auto verifier = knowing(*parse_jwt_keys(pem));
    const auto message =
        base64url(R"({"alg":"HS256"})") + "." + base64url(lasting(""));
    EXPECT_FALSE(verifier.verify(message + "." + hs256(message, pem), noon()));
  }
  // A header that names another asymmetric algorithm than the key's.
  const auto keys = *parse_jwt_keys(vectors::key_set);
  const std::string text{vectors::ed_token_without_kid};
  const auto rest = text.substr(text.find('.'));
  EXPECT_FALSE(knowing(keys).verify(
      base64url(R"({"alg":"ES256","typ":"JWT"})") + rest, noon()));
}

TEST(jwt, keys_that_come_with_the_token_are_not_trusted) {
  // jwk, jku and x5u are what a forger would like us to read.
  const auto forged = std::string{"another secret of thirty-two bytes"};
  for (const auto& header :
       {R"({"alg":"HS256","jwk":{"kty":"oct","k":")" + base64url(forged) +
            R"("}})",
        std::string{R"({"alg":"HS256","jku":"http://evil.example/"})"},
        std::string{R"({"alg":"HS256","kid":"../../dev/null"})"}}) {
    const auto message = base64url(header) + "." + base64url(lasting(""));
    EXPECT_FALSE(knowing({secret()})
                     .verify(message + "." + hs256(message, forged), noon()));
    EXPECT_FALSE(
        knowing({secret()}).verify(message + "." + hs256(message, ""), noon()));
  }
}

TEST(jwt, times_are_checked_with_some_leeway) {
  const auto verifier = knowing({secret()});
  const auto at = [](int64_t s) { return std::to_string(now_seconds + s); };
  const std::pair<std::string, bool> table[] = {
      {R"({"exp":)" + at(1) + "}", true},
      {R"({"exp":)" + at(-59) + "}", true},
      {R"({"exp":)" + at(-60) + "}", false},
      {R"({"exp":)" + at(-60) + ".5}", true},
      {R"({"exp":)" + at(-86'400) + "}", false},
      {R"({"exp":")" + at(600) + "\"}", false},
      {R"({"exp":null})", false},
      {R"({"exp":-1})", false},
      {R"({"exp":1e300})", false},
      {R"({"exp":9223372036854775807})", false},
      {R"({})", false},
      {lasting(R"(,"nbf":)" + at(60)), true},
      {lasting(R"(,"nbf":)" + at(61)), false},
      {lasting(R"(,"nbf":"soon")"), false},
  };
  for (const auto& [claims, wanted] : table)
    EXPECT_EQ(verifier.verify(token(claims), noon()).has_value(), wanted)
        << claims;
}

TEST(jwt, whoever_comes_within_the_leeway_stays_until_its_end) {
  const auto who =
      knowing({secret()})
          .verify(token(R"({"exp":)" + std::to_string(now_seconds - 10) + "}"),
                  noon());
  ASSERT_TRUE(who) << who.error().message;
  EXPECT_EQ(who->expires, noon() + 50s);
}

TEST(jwt, issuer_and_audience_are_checked_where_configured) {
  const auto verifier = knowing({secret()}, strict());
  const std::string iss = R"(,"iss":"https://issuer.example")";
  const std::pair<std::string, bool> table[] = {
      {iss + R"(,"aud":"eventweft")", true},
      {iss + R"(,"aud":["a","eventweft"])", true},
      {iss + R"(,"aud":["a"])", false},
      {iss + R"(,"aud":[])", false},
      {iss + R"(,"aud":"eventweft2")", false},
      {iss + R"(,"aud":{"eventweft":1})", false},
      {iss, false},
      {R"(,"aud":"eventweft")", false},
      {R"(,"aud":"eventweft","iss":"https://issuer.example/")", false},
      {R"(,"aud":"eventweft","iss":["https://issuer.example"])", false},
  };
  for (const auto& [more, wanted] : table)
    EXPECT_EQ(verifier.verify(token(lasting(more)), noon()).has_value(), wanted)
        << more;
  EXPECT_TRUE(knowing({secret()}).verify(token(lasting("")), noon()));
}

TEST(jwt, scopes_come_as_a_text_or_an_array) {
  jwt_options options;
  options.scope_claim = "permissions";
  const auto verifier = knowing({secret()}, options);
  const std::pair<std::string, std::string> table[] = {
      {R"(,"permissions":"ingest read")", "ingest read"},
      {R"(,"permissions":["ingest","stream:x"])", "ingest stream:x"},
      {R"(,"permissions":["ingest",7,null])", "ingest"},
      {R"(,"permissions":7)", ""},
      {R"(,"scope":"admin")", ""},
      {"", ""}};
  for (const auto& [more, wanted] : table) {
    const auto who = verifier.verify(token(lasting(more)), noon());
    ASSERT_TRUE(who) << more;
    EXPECT_EQ(to_string(who->scopes), wanted);
  }
}

TEST(jwt, a_filter_that_cannot_be_read_refuses_the_token) {
  const auto verifier = knowing({secret()});
  const auto good = verifier.verify(
      token(lasting(R"(,"eventweft_filter":{"platforms":["github"]})")),
      noon());
  ASSERT_TRUE(good && good->forced);
  EXPECT_THAT(good->forced->platforms, testing::ElementsAre("github"));
  for (const char* more :
       {R"(,"eventweft_filter":{"platform":["github"]})",
        R"(,"eventweft_filter":"x")", R"(,"eventweft_filter":null)",
        R"(,"eventweft_filter":[])", R"(,"eventweft_filter":{})",
        R"(,"eventweft_filter":{"source_names":[]})",
        R"(,"eventweft_filter":{"platforms":["github"],"source_names":[]})"})
    EXPECT_FALSE(verifier.verify(token(lasting(more)), noon())) << more;
}

TEST(jwt, what_parsers_disagree_about_is_refused) {
  const auto verifier = knowing({secret()});
  EXPECT_FALSE(verifier.verify(
      token(lasting(R"(,"scope":"read","scope":"admin")")), noon()));
  EXPECT_FALSE(verifier.verify(
      token(lasting(""), R"({"alg":"HS256","alg":"none"})"), noon()));
  EXPECT_FALSE(verifier.verify(
      token(lasting(""), R"({"alg":"HS256","crit":["b64"],"b64":false})"),
      noon()));
  EXPECT_FALSE(verifier.verify(token(lasting(""), R"({"alg":"HS256","kid":7})"),
                               noon()));
}

TEST(jwt, what_is_no_token_is_refused) {
  const auto verifier = knowing({secret()});
  const auto good = token(lasting(""));
  ASSERT_TRUE(verifier.verify(good, noon()));
  for (const auto& text :
       {std::string{}, std::string{"."}, std::string{".."}, std::string{"a.b"},
        good + ".", good + ".x", good + "=", " " + good, good + "\n",
        "." + good, good.substr(0, good.rfind('.')) + ".", token("[]"),
        token("not json"), token(lasting(""), "[]"), token(""),
        std::string(20'000, 'x'),
        // a fourth byte's stray bits
        good.substr(0, good.size() - 1) + static_cast<char>(good.back() + 1)})
    EXPECT_FALSE(verifier.verify(text, noon())) << text;
}

TEST(jwt, a_refusal_repeats_nothing_of_the_token) {
  const auto verifier = knowing({secret()}, strict());
  const auto who = verifier.verify(
      token(lasting(R"(,"iss":"sentinel","sub":"sentinel")")), noon());
  ASSERT_FALSE(who);
  EXPECT_THAT(who.error().message, Not(HasSubstr("sentinel")));
}

TEST(jwt, no_key_opens_nothing) {
  EXPECT_FALSE(knowing({}).verify(token(lasting("")), noon()));
}

} // namespace
} // namespace eventweft::auth
