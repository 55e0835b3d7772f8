// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auth/jwt_keys.hpp"
#include "auth/principal.hpp"
#include "messages/errors.hpp"
#include "messages/time.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::auth {

struct jwt_options {
  /// `iss` must be this; empty: it is not looked at.
  std::string issuer;
  /// `aud` must name one of these; empty: it is not looked at.
  std::vector<std::string> audiences;
  /// How far the clocks of issuer and hub may be apart.
  std::chrono::seconds leeway{60};
  /// The claim with the scopes: a text with spaces between, or an array.
  std::string scope_claim = "scope";
  /// The claim with the forced filter, an object as in a subscription.
  std::string filter_claim = "eventweft_filter";
};

/// Verifies JSON Web Tokens (RFC 7519, 7515) by RFC 8725's advice: the key
/// decides the algorithm and the token must agree; `exp` is a must; `crit` and
/// claims given twice are refused.
///
/// Signatures are OpenSSL's business. The JOSE libraries of Debian 12 don't
/// fit: libjwt 1.10 picks the algorithm from the token and knows neither EdDSA
/// nor key sets, cpp-jwt and cjose know no EdDSA either, and rhonabwy brings a
/// second TLS library along. What remains above a signature is three pieces of
/// base64 and a few claims. Immutable, thread-safe.
class jwt_verifier {
 public:
  jwt_verifier(jwt_options options, std::vector<jwt_key> keys);

  /// `unauthorized` with a reason that repeats nothing of the token. Scopes
  /// that this hub doesn't know are passed over: they are for somebody else.
  /// A filter that can't be read refuses the token.
  expected<principal> verify(std::string_view token, timestamp now) const;

  /// Whether the key with that fingerprint is one of ours.
  bool knows_key(std::string_view fingerprint) const;

 private:
  struct header;
  /// The key that made the signature; null if none did.
  const jwt_key* find_signer(const header& h, std::string_view message,
                             std::string_view signature) const;

  jwt_options options_;
  std::vector<jwt_key> keys_;
};

} // namespace eventweft::auth
