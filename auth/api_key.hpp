// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auth/principal.hpp"
#include "messages/errors.hpp"
#include "messages/filter.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::auth {

/// What is kept of an API key. The key itself is not among it.
struct api_key {
  /// 16 hexadecimal digits; stands in the key, in lists and in the audit
  /// trail.
  std::string id;
  /// SHA-256 of the key's whole text, in hexadecimal. The key has 256 random
  /// bits: a slow hash, made for passwords, would add nothing but time.
  std::string hash;
  /// For people.
  std::string name;
  std::vector<scope> scopes;
  std::optional<filter> forced;
  timestamp created_at{};
  std::optional<timestamp> expires_at;
  std::optional<timestamp> revoked_at;
  /// To the minute or so.
  std::optional<timestamp> last_used_at;

  bool operator==(const api_key&) const = default;
};

struct new_api_key {
  api_key record;
  /// `ew_ID_SECRET`; shown once.
  std::string text;
};

/// Makes one with the record's members as given; id, hash and creation time
/// are set.
new_api_key make_api_key(api_key wanted, timestamp now, random_source& random);

/// `wanted` as it may be made: with at least one scope, each of them once, and
/// none that its forced filter would take back. `unprocessable` otherwise.
expected<api_key> checked_api_key(api_key wanted);

/// True for anything that begins like a key, valid or not.
bool looks_like_api_key(std::string_view text) noexcept;

/// The keys that are known to this process. Thread-safe.
class key_ring {
 public:
  /// Replaces all of them, say after the store was read; keeps later uses, and
  /// what was revoked meanwhile: nothing takes that back.
  void load(std::vector<api_key> keys);
  void add(api_key key);
  /// From now on it opens nothing. `not_found` if there is no such key.
  expected<void> revoke(std::string_view id, timestamp now);

  /// `unauthorized` unless `text` is a key that is neither revoked nor
  /// expired; the reason does not say which. Takes as long for an unknown id
  /// as for a wrong secret.
  expected<principal> verify(std::string_view text, timestamp now) const;

  /// Whether that key opens anything now.
  bool alive(std::string_view id, timestamp now) const;
  bool empty() const;

  /// By id; revoked ones as well.
  std::vector<api_key> list() const;
  /// The ids whose last use is later than what was taken from here before.
  std::vector<std::pair<std::string, timestamp>> take_uses();

 private:
  struct entry {
    explicit entry(api_key k);
    api_key key;
    mutable std::atomic<int64_t> last_used;
    int64_t reported;
  };
  using table = std::map<std::string, std::unique_ptr<entry>, std::less<>>;

  mutable std::shared_mutex mutex_;
  table keys_;
};

} // namespace eventweft::auth
