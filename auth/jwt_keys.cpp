// SPDX-License-Identifier: Apache-2.0
#include "auth/jwt_keys.hpp"

#include "auth/base64url.hpp"
#include "crypto/digest.hpp"

#include <simdjson.h>

#include <array>

namespace eventweft::auth {

namespace {

namespace dom = simdjson::dom;

constexpr size_t min_secret = 32;
constexpr size_t max_keys = 100;

tl::unexpected<error> unusable(std::string why) {
  return fail(ec::bad_configuration, "JWT keys: " + std::move(why));
}

std::string_view text_member(const dom::object& o, const char* name) {
  std::string_view out;
  return o[name].get(out) == simdjson::SUCCESS ? out : std::string_view{};
}

// Empty for a member that is absent or broken, which no key can be made of.
std::string bytes_member(const dom::object& o, const char* name) {
  return from_base64url(text_member(o, name)).value_or("");
}

std::optional<jws_algorithm> algorithm_of(const dom::object& key) {
  const auto type = text_member(key, "kty");
  const auto curve = text_member(key, "crv");
  if (type == "oct")
    return jws_algorithm::hs256;
  if (type == "RSA")
    return jws_algorithm::rs256;
  if (type == "EC" && curve == "P-256")
    return jws_algorithm::es256;
  if (type == "OKP" && curve == "Ed25519")
    return jws_algorithm::eddsa;
  return std::nullopt;
}

// Whether a key may be used for what we use it for.
bool is_for_us(const dom::object& key, jws_algorithm algorithm) {
  const auto use = text_member(key, "use");
  const auto alg = text_member(key, "alg");
  if (!use.empty() && use != "sig")
    return false;
  dom::array operations;
  if (key["key_ops"].get(operations) == simdjson::SUCCESS) {
    bool verifies = false;
    for (const auto operation : operations) {
      std::string_view name;
      verifies = verifies ||
                 (operation.get(name) == simdjson::SUCCESS && name == "verify");
    }
    if (!verifies)
      return false;
  }
  return alg.empty() || parse_jws_algorithm(alg) == algorithm;
}

std::string
fingerprint_of(const std::variant<std::string, crypto::public_key>& material,
               std::string_view id) {
  const auto* secret = std::get_if<std::string>(&material);
  // Digests have one length, so that no id can pass for a part of a key.
  auto text = crypto::digest(
      crypto::hash::sha256,
      secret != nullptr ? *secret
                        : std::get<crypto::public_key>(material).info());
  text += secret != nullptr ? 's' : 'p';
  text += id;
  return crypto::to_hex(crypto::digest(crypto::hash::sha256, text));
}

expected<jwt_key> read_key(const dom::object& key, jws_algorithm algorithm) {
  const std::string id{text_member(key, "kid")};
  const auto adopt =
      [&id](expected<crypto::public_key> k) -> expected<jwt_key> {
    if (!k)
      return unusable("\"" + id + "\": " + k.error().message);
    return jwt_key{std::move(*k), id};
  };
  switch (algorithm) {
  case jws_algorithm::hs256:
    return jwt_key::shared_secret(bytes_member(key, "k"), id);
  case jws_algorithm::rs256:
    return adopt(crypto::public_key::rsa(bytes_member(key, "n"),
                                         bytes_member(key, "e")));
  case jws_algorithm::es256:
    return adopt(crypto::public_key::p256(bytes_member(key, "x"),
                                          bytes_member(key, "y")));
  case jws_algorithm::eddsa:
    break;
  }
  return adopt(crypto::public_key::ed25519(bytes_member(key, "x")));
}

expected<std::vector<jwt_key>> parse_jwks(std::string_view text) {
  dom::parser parser;
  dom::element root;
  dom::array keys;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS)
    return unusable("neither PEM nor JSON");
  if (root["keys"].get(keys) != simdjson::SUCCESS)
    return unusable("no member \"keys\" with an array");
  std::vector<jwt_key> out;
  for (const auto element : keys) {
    dom::object key;
    if (element.get(key) != simdjson::SUCCESS)
      return unusable("a key is no object");
    // Of whatever kind, for whatever use: it should not lie here.
    if (key["d"].error() == simdjson::SUCCESS)
      return unusable("\"" + std::string{text_member(key, "kid")} +
                      "\": it holds a private key; give the public one");
    const auto algorithm = algorithm_of(key);
    if (!algorithm || !is_for_us(key, *algorithm))
      continue;
    auto made = read_key(key, *algorithm);
    if (!made)
      return fail(std::move(made.error()));
    if (out.size() == max_keys)
      return unusable("more than 100");
    out.push_back(std::move(*made));
  }
  if (out.empty())
    return unusable("none that RS256, ES256, EdDSA or HS256 can use");
  return out;
}

} // namespace

std::string_view to_string(jws_algorithm a) noexcept {
  switch (a) {
  case jws_algorithm::hs256:
    return "HS256";
  case jws_algorithm::rs256:
    return "RS256";
  case jws_algorithm::es256:
    return "ES256";
  case jws_algorithm::eddsa:
    return "EdDSA";
  }
  return "EdDSA";
}

std::optional<jws_algorithm> parse_jws_algorithm(std::string_view name) {
  for (const auto a : {jws_algorithm::hs256, jws_algorithm::rs256,
                       jws_algorithm::es256, jws_algorithm::eddsa})
    if (name == to_string(a))
      return a;
  return std::nullopt;
}

expected<jwt_key> jwt_key::shared_secret(std::string secret, std::string id) {
  if (secret.size() < min_secret)
    return unusable("a secret for HS256 has 32 bytes or more");
  if (secret.find("-----BEGIN") != std::string::npos)
    return unusable("a PEM text is no secret");
  return jwt_key{jws_algorithm::hs256, std::move(secret), std::move(id)};
}

jwt_key::jwt_key(jws_algorithm a,
                 std::variant<std::string, crypto::public_key> m,
                 std::string id)
    : algorithm_(a),
      material_(std::move(m)),
      id_(std::move(id)),
      fingerprint_(fingerprint_of(material_, id_)) {}

jwt_key::jwt_key(crypto::public_key key, std::string id)
    : jwt_key(jws_algorithm::eddsa, std::move(key), std::move(id)) {
  switch (std::get<crypto::public_key>(material_).type()) {
  case crypto::public_key::kind::rsa:
    algorithm_ = jws_algorithm::rs256;
    break;
  case crypto::public_key::kind::p256:
    algorithm_ = jws_algorithm::es256;
    break;
  case crypto::public_key::kind::ed25519:
    break;
  }
}

bool jwt_key::verify(std::string_view message,
                     std::string_view signature) const {
  if (const auto* const key = std::get_if<crypto::public_key>(&material_))
    return key->verify(message, signature);
  const std::array<std::string_view, 1> parts{message};
  return crypto::equal_constant_time(
      crypto::hmac(crypto::hash::sha256, std::get<std::string>(material_),
                   parts),
      signature);
}

expected<std::vector<jwt_key>> parse_jwt_keys(std::string_view text) {
  const auto start = text.find_first_not_of(" \t\r\n");
  if (start != std::string_view::npos && text[start] == '{')
    return parse_jwks(text);
  auto keys = crypto::public_key::from_pem(text);
  if (!keys)
    return unusable(std::move(keys.error().message));
  std::vector<jwt_key> out;
  for (auto& key : *keys)
    out.emplace_back(std::move(key));
  return out;
}

} // namespace eventweft::auth
