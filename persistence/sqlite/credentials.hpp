// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/credentials.hpp"
#include "persistence/sqlite/database.hpp"

namespace eventweft::sqlite {

class credentials final : public credential_store {
 public:
  explicit credentials(database_file file) : database_(std::move(file)) {}

  expected<int64_t> version() override;
  expected<std::vector<auth::api_key>> keys() override;
  expected<void> add_key(const auth::api_key& key) override;
  expected<bool> revoke_key(std::string_view id, timestamp when) override;
  expected<void>
  note_uses(std::span<const std::pair<std::string, timestamp>> uses) override;
  expected<void>
  append_audit(std::span<const auth::audit_entry> entries) override;
  expected<std::vector<auth::audit_entry>>
  audit(const auth::audit_query& q) override;
  expected<int64_t> trim_audit(timestamp older_than, size_t limit) override;

 private:
  lazy_database database_;
};

} // namespace eventweft::sqlite
