// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/public_key.hpp"
#include "messages/errors.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace eventweft::auth {

/// The algorithms of JSON Web Signatures that are known here; there is no
/// "none".
enum class jws_algorithm : uint8_t { hs256, rs256, es256, eddsa };

/// "HS256", …
std::string_view to_string(jws_algorithm a) noexcept;
std::optional<jws_algorithm> parse_jws_algorithm(std::string_view name);

/// A key for one algorithm, which its kind decides and no token can change:
/// a public key never becomes an HMAC's secret.
class jwt_key {
 public:
  /// HS256. `bad_configuration` for less than 32 bytes, or a PEM text.
  static expected<jwt_key> shared_secret(std::string secret,
                                         std::string id = {});
  explicit jwt_key(crypto::public_key key, std::string id = {});

  jws_algorithm algorithm() const noexcept { return algorithm_; }
  /// The `kid`; empty: any token may use it.
  const std::string& id() const noexcept { return id_; }
  /// The same for the same key with the same id, and only then. No secret.
  const std::string& fingerprint() const noexcept { return fingerprint_; }

  bool verify(std::string_view message, std::string_view signature) const;

 private:
  jwt_key(jws_algorithm a, std::variant<std::string, crypto::public_key> m,
          std::string id);

  jws_algorithm algorithm_;
  // The secret, or the public key.
  std::variant<std::string, crypto::public_key> material_;
  std::string id_;
  std::string fingerprint_;
};

/// The keys in a PEM text (`PUBLIC KEY`, `CERTIFICATE`), or in a JSON Web Key
/// Set (RFC 7517), whichever it is. Of a set, keys of unknown types, curves,
/// algorithms or uses are passed over, as the RFC asks; one that claims to be
/// of a known kind and is broken is not. `bad_configuration` if nothing usable
/// is left.
expected<std::vector<jwt_key>> parse_jwt_keys(std::string_view text);

} // namespace eventweft::auth
