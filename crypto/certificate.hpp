// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/time.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace eventweft::crypto {

/// What a node shows of itself and checks of others: a certificate with its
/// key, and the private authority that both sides trust. Immutable,
/// thread-safe, cheap to copy.
class credentials {
 public:
  /// From PEM texts: the certificate may be followed by its intermediates,
  /// `authority` may hold several. `bad_configuration` begins with which of
  /// them is wrong ("certificate: ", "key: ", "ca: "): text that can't be read,
  /// a key that does not belong to the certificate, a certificate that the
  /// authority did not give out, that is not valid now, is not for `name` or
  /// not for both ends of a TLS connection.
  static expected<credentials> load(std::string_view certificate,
                                    std::string_view key,
                                    std::string_view authority,
                                    const std::string& name);

  /// PEM, the own one first.
  const std::string& certificate() const noexcept;
  const std::string& key() const noexcept;
  const std::string& authority() const noexcept;

  /// When the first of the certificate and its intermediates expires.
  timestamp valid_until() const noexcept;

  /// ECDSA or RSA with SHA-256, or Ed25519, as the key is.
  expected<std::string> sign(std::string_view text) const;

  /// `unauthorized` with the reason unless `certificate` (PEM, with its
  /// intermediates) is from the authority, valid now and for the DNS name
  /// `name` exactly, and `signature` is its key's over `text`.
  expected<void> verify(std::string_view certificate, const std::string& name,
                        std::string_view text,
                        std::string_view signature) const;

 private:
  struct state;
  explicit credentials(std::shared_ptr<const state> s) : state_(std::move(s)) {}
  std::shared_ptr<const state> state_;
};

} // namespace eventweft::crypto
