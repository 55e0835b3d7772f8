// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::crypto {

/// A key that signatures are verified with. Its kind decides the only
/// algorithm it takes part in. Immutable, thread-safe, cheap to copy.
class public_key {
 public:
  enum class kind : unsigned char {
    rsa,     ///< RSASSA-PKCS1-v1_5 with SHA-256; 2,048 bits or more
    p256,    ///< ECDSA with SHA-256; signatures are r and s, 32 bytes each
    ed25519, ///< signatures have 64 bytes
  };

  /// All keys in a PEM text: `PUBLIC KEY` or `CERTIFICATE` blocks. A block of
  /// another kind, of a private key above all, or one whose key is none of the
  /// above is `bad_configuration`, as is a text without any.
  static expected<std::vector<public_key>> from_pem(std::string_view text);

  /// From big-endian numbers, as JSON Web Keys have them.
  static expected<public_key> rsa(std::string_view modulus,
                                  std::string_view exponent);
  static expected<public_key> p256(std::string_view x, std::string_view y);
  static expected<public_key> ed25519(std::string_view bytes);

  kind type() const noexcept { return kind_; }

  /// False for any malformed signature.
  bool verify(std::string_view message, std::string_view signature) const;

  /// What tells it from all other keys: its SubjectPublicKeyInfo (DER).
  std::string info() const;

  struct native;

 private:
  public_key(kind k, std::shared_ptr<const native> key)
      : kind_(k), key_(std::move(key)) {}
  static expected<public_key> adopt(std::shared_ptr<const native> key);

  kind kind_;
  std::shared_ptr<const native> key_;
};

} // namespace eventweft::crypto
