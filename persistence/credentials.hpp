// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auth/api_key.hpp"
#include "auth/audit.hpp"
#include "messages/errors.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft {

/// API keys and the audit trail. One connection, used by one thread at a time.
/// Blocks and fails as `store_session` does.
class credential_store {
 public:
  virtual ~credential_store() = default;

  /// Grows with every key that is made or revoked, by whomever. Cheap.
  virtual expected<int64_t> version() = 0;

  /// All of them, revoked ones as well, by id.
  virtual expected<std::vector<auth::api_key>> keys() = 0;

  /// `conflict` if there is one with that id.
  virtual expected<void> add_key(const auth::api_key& key) = 0;

  /// False if there is no such key. One that is revoked stays as it is.
  virtual expected<bool> revoke_key(std::string_view id, timestamp when) = 0;

  /// Notes the last uses; an older one than is known is passed over. Does not
  /// change the version.
  virtual expected<void>
  note_uses(std::span<const std::pair<std::string, timestamp>> uses) = 0;

  /// In one transaction; the entries' ids are not looked at.
  virtual expected<void>
  append_audit(std::span<const auth::audit_entry> entries) = 0;

  /// Newest first.
  virtual expected<std::vector<auth::audit_entry>>
  audit(const auth::audit_query& q) = 0;

  /// Deletes at most `limit` entries that are older; how many it were.
  virtual expected<int64_t> trim_audit(timestamp older_than, size_t limit) = 0;
};

} // namespace eventweft
