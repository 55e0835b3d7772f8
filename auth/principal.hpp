// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auth/scope.hpp"
#include "messages/errors.hpp"
#include "messages/filter.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::auth {

/// Somebody whose credentials held.
struct principal {
  enum class kind : uint8_t {
    /// Nobody asked for credentials: authentication is off.
    anonymous = 0,
    api_key = 1,
    token = 2,
    ticket = 3,
  };

  kind how = kind::anonymous;
  /// A key's id or a token's `sub`; for logs, the audit trail and rate limits.
  /// Never a secret.
  std::string id;
  std::vector<scope> scopes;
  /// Whatever they read passes through this as well.
  std::optional<filter> forced;
  /// From then on they are nobody; a stream ends.
  std::optional<timestamp> expires;
  /// The id of the API key that is behind this, also behind a ticket; empty
  /// for tokens. Once it is revoked, they are nobody.
  std::string key;
  /// The fingerprint of the key that verified the token which is behind this;
  /// empty for API keys. Once that is taken back, they are nobody.
  std::string signer{};

  bool operator==(const principal&) const = default;

  bool expired(timestamp now) const noexcept {
    return expires && now >= *expires;
  }
};

/// What it rests on that somebody is in; with neither, that nobody is asked for
/// credentials.
struct standing {
  /// As in `principal`.
  std::string key;
  std::string signer;

  bool operator==(const standing&) const = default;
};

inline standing standing_of(const principal& who) {
  return {who.key, who.signer};
}

/// May do everything; for a hub that runs without authentication.
principal everyone();

/// Whether, and if not why not; the reason is for the one who was refused.
struct decision {
  bool allowed = false;
  /// `unauthorized` (who are you?) or `forbidden` (not you).
  ec code = ec::none;
  std::string reason;
};

/// `stream` is the stream's name for `permission::stream`, else empty. Whoever
/// carries a forced filter may read through it, but neither manage nor
/// administer, which would let them see more than it shows.
decision decide(const principal& who, permission needed,
                std::string_view stream, timestamp now);

/// What `who` may see of what they ask for: their forced filter, or nothing.
/// To be combined with the stream's and the reader's own.
filter visible_to(const principal& who);

} // namespace eventweft::auth
