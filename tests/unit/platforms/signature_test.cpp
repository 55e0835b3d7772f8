// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/signature_verifier.hpp"
#include "tests/unit/platforms/support.hpp"

namespace eventweft::platforms {
namespace {

std::vector<std::string> candidates(const signature_scheme& s,
                                    std::string_view value) {
  std::vector<std::string> out;
  for (const auto& c : parse_signature(s, value).candidates)
    out.push_back(std::string{to_string(c.algorithm)} + " " +
                  std::string{c.text});
  return out;
}

using texts = std::vector<std::string>;

TEST(parse_signature, reads_every_format) {
  signature_scheme s;
  EXPECT_EQ(candidates(s, " ab "), texts{"sha256 ab"});
  EXPECT_EQ(candidates(s, ""), texts{});
  s.format = header_format::prefix;
  s.prefix = "sha256=";
  EXPECT_EQ(candidates(s, "sha256=ab"), texts{"sha256 ab"});
  EXPECT_EQ(candidates(s, "SHA256=ab"), texts{});
  EXPECT_EQ(candidates(s, "sha256="), texts{});
  s.format = header_format::space_list;
  s.prefix = "v1,";
  EXPECT_EQ(candidates(s, "v1,a  v2,b v1,c"), (texts{"sha256 a", "sha256 c"}));
  s.format = header_format::comma_list;
  s.prefix = "v1=";
  EXPECT_EQ(candidates(s, "v1=a, v1=b,,v0=c"), (texts{"sha256 a", "sha256 b"}));
  s.format = header_format::algorithm_prefix;
  s.allowed = {proof_algorithm::hmac_sha256, proof_algorithm::hmac_sha512};
  EXPECT_EQ(candidates(s, "sha512=a"), texts{"sha512 a"});
  EXPECT_EQ(candidates(s, "sha1=a"), texts{});
  EXPECT_EQ(candidates(s, "md5=a"), texts{});
}

TEST(parse_signature, reads_pairs_with_their_time) {
  signature_scheme s;
  s.format = header_format::pairs;
  s.prefix = "v1";
  s.time.from = timestamp_rule::origin::signature;
  s.time.name = "t";
  const auto parsed = parse_signature(s, "t=5, v1=a ,v0=b,v1=c,t=6,x,=");
  ASSERT_EQ(parsed.candidates.size(), 2u);
  EXPECT_EQ(parsed.candidates[1].text, "c");
  // The first one counts: nobody gets to choose among two.
  EXPECT_EQ(parsed.timestamp, "5");
}

TEST(parse_signature, looks_at_so_many_and_no_more) {
  signature_scheme s;
  s.format = header_format::comma_list;
  std::string many;
  for (int i = 0; i < 1'000; ++i)
    many += "a,";
  EXPECT_EQ(parse_signature(s, many).candidates.size(), max_signatures);
}

TEST(decode_secret, knows_every_encoding) {
  signature_scheme s;
  EXPECT_EQ(decode_secret(s, "whsec_x"), "whsec_x");
  EXPECT_FALSE(decode_secret(s, ""));
  s.secret = secret_encoding::base64;
  s.secret_prefix = "whsec_";
  EXPECT_EQ(decode_secret(s, "whsec_Zm9v"), "foo");
  EXPECT_EQ(decode_secret(s, "Zm9v"), "foo");
  EXPECT_FALSE(decode_secret(s, "whsec_"));
  EXPECT_FALSE(decode_secret(s, "not base64"));
  s.secret = secret_encoding::base64_prefixed;
  EXPECT_FALSE(decode_secret(s, "Zm9v"));
  s.secret = secret_encoding::base64_if_prefixed;
  EXPECT_EQ(decode_secret(s, "Zm9v"), "Zm9v");
  EXPECT_EQ(decode_secret(s, "whsec_Zm9v"), "foo");
  s.secret = secret_encoding::hex;
  EXPECT_EQ(decode_secret(s, "666f6f"), "foo");
  // A key for Ed25519 has 32 bytes.
  s.algorithm = proof_algorithm::ed25519;
  EXPECT_FALSE(decode_secret(s, "666f6f"));
  EXPECT_TRUE(decode_secret(s, std::string(64, 'a')));
}

TEST(decode_secret, never_takes_a_public_key_for_a_shared_one) {
  for (auto algorithm :
       {proof_algorithm::hmac_sha256, proof_algorithm::static_token})
    for (auto encoding :
         {secret_encoding::raw, secret_encoding::base64_if_prefixed}) {
      signature_scheme s;
      s.algorithm = algorithm;
      s.secret = encoding;
      EXPECT_FALSE(decode_secret(s, "whpk_Zm9v"));
    }
}

class verifier_test : public platform_test {};

TEST_F(verifier_test, refuses_tokens_that_would_open_nothing) {
  signature_scheme s;
  s.header = "x-signature";
  s.base = text_template::parse("{body}").value();
  config::platform_settings settings;
  settings.tokens = {""};
  EXPECT_TRUE(signature_verifier::make("x", {s}, settings));
  settings.tokens = {"", "t"};
  const auto refused = signature_verifier::make("x", {s}, settings);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::bad_configuration);
  EXPECT_NE(refused.error().message.find("[platforms.x] tokens: "),
            std::string::npos);
}

TEST_F(verifier_test, bounds_the_headers_length) {
  signature_scheme s;
  s.header = "x-signature";
  s.base = text_template::parse("{body}").value();
  const auto v = signature_verifier::make("x", {s}, secret("s")).value();
  const auto w = post("{}", {{"x-signature", std::string(5'000, 'a')}});
  request r{w};
  const auto result = v.verify(r, test_now());
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("longer than 4096"), std::string::npos);
}

TEST_F(verifier_test, names_its_schemes_to_who_did_not_use_them) {
  signature_scheme signature;
  signature.header = "x-signature";
  signature.base = text_template::parse("{body}").value();
  auto other = signature;
  other.header = "x-signature-2";
  signature_scheme token;
  token.header = "x-token";
  token.algorithm = proof_algorithm::static_token;
  auto bearer = token;
  bearer.header = "authorization";
  auto query = token;
  query.header = {};
  query.query_parameter = "token";
  const auto challenge = [](std::vector<signature_scheme> schemes) {
    return signature_verifier::make("x", std::move(schemes), {})
        .value()
        .challenge();
  };
  EXPECT_EQ(challenge({signature, other}), R"(Signature realm="eventweft/x")");
  EXPECT_EQ(challenge({token}), R"(Token realm="eventweft/x")");
  EXPECT_EQ(challenge({signature, bearer, query}),
            R"(Signature realm="eventweft/x", Bearer realm="eventweft")");
}

TEST_F(verifier_test, never_looks_into_a_body_that_is_not_proven) {
  signature_scheme s;
  s.header = "x-signature";
  s.base = text_template::parse("{body}").value();
  s.time.from = timestamp_rule::origin::json;
  s.time.name = "/t";
  const auto v = signature_verifier::make("x", {s}, secret("s")).value();
  const auto w = post("not json", {{"x-signature", "00"}});
  request r{w};
  EXPECT_EQ(v.verify(r, test_now()).error().code, ec::unauthorized);
}

TEST_F(verifier_test, signs_parts_of_the_request_by_template) {
  signature_scheme s;
  s.header = "x-signature";
  s.base =
      text_template::parse("{header:X-A}|{query:q}|{json:/n}|{body}").value();
  const auto v = signature_verifier::make("x", {s}, secret("s")).value();
  // printf 'a|b c|7|{"n":7}' | openssl dgst -sha256 -hmac s
  auto w = post(
      R"({"n":7})",
      {{"x-a", "a"},
       {"x-signature",
        "f047a9ed0ec16ee5310b73b3c65be2c50b1721758c25fe3f8785710e32597ef9"}});
  w.query = "q=b+c";
  {
    request r{w};
    EXPECT_TRUE(v.verify(r, test_now()));
  }
  w.query = "q=b+d";
  {
    request r{w};
    EXPECT_FALSE(v.verify(r, test_now()));
  }
  w.query.clear();
  {
    request r{w};
    EXPECT_NE(v.verify(r, test_now()).error().message.find("parameter q"),
              std::string::npos);
  }
  w.body = shared_text{"{"};
  w.query = "q=b+c";
  {
    request r{w};
    EXPECT_EQ(v.verify(r, test_now()).error().code, ec::malformed);
  }
}

} // namespace
} // namespace eventweft::platforms
