// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auth/api_key.hpp"
#include "auth/jwt.hpp"
#include "auth/principal.hpp"
#include "messages/errors.hpp"
#include "messages/time.hpp"

#include <memory>
#include <mutex>
#include <string_view>

namespace eventweft::auth {

/// Finds out who sent an `Authorization` header. Thread-safe.
class authenticator {
 public:
  /// `keys` is shared with whoever manages them; `tokens` may be null.
  authenticator(std::shared_ptr<const key_ring> keys,
                std::shared_ptr<const jwt_verifier> tokens);

  /// From now on tokens are verified with these, say after their file changed.
  void replace_tokens(std::shared_ptr<const jwt_verifier> tokens);

  /// `header` is the value of `Authorization`: `Bearer` and an API key or a
  /// JWT. `unauthorized` for anything else, an empty value included.
  expected<principal> authenticate(std::string_view header,
                                   timestamp now) const;

  /// The same for the bare API key or JWT.
  expected<principal> verify(std::string_view token, timestamp now) const;

  /// Whether tokens of the key with that fingerprint still hold.
  bool knows_signer(std::string_view fingerprint) const;

 private:
  std::shared_ptr<const jwt_verifier> tokens() const;

  std::shared_ptr<const key_ring> keys_;
  mutable std::mutex mutex_;
  std::shared_ptr<const jwt_verifier> tokens_;
};

/// The credentials in an `Authorization` header's value; empty if it is not
/// of the scheme `Bearer` (RFC 6750), whose name has no case.
std::string_view bearer_token(std::string_view header) noexcept;

} // namespace eventweft::auth
