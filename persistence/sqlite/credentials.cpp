// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/credentials.hpp"

#include "codec/filter.hpp"
#include "persistence/batch.hpp"

#include <stdexcept>

namespace eventweft::sqlite {
namespace {

std::optional<timestamp> time_at(SQLite::Statement& row, int column) {
  const auto value = row.getColumn(column);
  return value.isNull() ? std::nullopt : parse_rfc3339(value.getString());
}

void bind_time(SQLite::Statement& q, int index,
               const std::optional<timestamp>& time) {
  if (time)
    q.bind(index, to_rfc3339(*time));
  else
    q.bind(index);
}

auth::api_key read_key(SQLite::Statement& row) {
  auth::api_key key;
  key.id = row.getColumn(0).getString();
  key.hash = row.getColumn(1).getString();
  key.name = row.getColumn(2).getString();
  auto scopes = auth::parse_scopes(row.getColumn(3).getString());
  if (!scopes)
    throw std::runtime_error{"api_keys: " + scopes.error().message};
  key.scopes = std::move(*scopes);
  if (const auto text = row.getColumn(4); !text.isNull()) {
    auto f = codec::parse_filter(text.getString());
    if (!f)
      throw std::runtime_error{"api_keys: " + f.error().message};
    key.forced = std::move(*f);
  }
  key.created_at = time_at(row, 5).value_or(timestamp{});
  key.expires_at = time_at(row, 6);
  key.revoked_at = time_at(row, 7);
  key.last_used_at = time_at(row, 8);
  return key;
}

void grow_version(database& db) {
  db.prepared("UPDATE api_keys_version SET version = version + 1").exec();
}

} // namespace

expected<int64_t> credentials::version() {
  return database_.call([](database& db) -> expected<int64_t> {
    auto& q = db.prepared("SELECT version FROM api_keys_version");
    const int64_t version = q.executeStep() ? q.getColumn(0).getInt64() : 0;
    q.reset();
    return version;
  });
}

expected<std::vector<auth::api_key>> credentials::keys() {
  using result_t = expected<std::vector<auth::api_key>>;
  return database_.call([](database& db) -> result_t {
    std::vector<auth::api_key> out;
    auto& q = db.prepared(
        "SELECT id, hash, name, scopes, filter, created_at, expires_at, "
        "revoked_at, last_used_at FROM api_keys ORDER BY id");
    while (q.executeStep())
      out.push_back(read_key(q));
    return out;
  });
}

expected<void> credentials::add_key(const auth::api_key& key) {
  return database_.call([&](database& db) -> expected<void> {
    write_transaction tx{db};
    auto& q = db.prepared(
        "INSERT INTO api_keys (id, hash, name, scopes, filter, created_at, "
        "expires_at, revoked_at, last_used_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING");
    q.bind(1, key.id);
    q.bind(2, key.hash);
    q.bind(3, storable_text(key.name));
    q.bind(4, to_string(key.scopes));
    if (key.forced)
      q.bind(5, codec::filter_json(*key.forced));
    else
      q.bind(5);
    q.bind(6, to_rfc3339(key.created_at));
    bind_time(q, 7, key.expires_at);
    bind_time(q, 8, key.revoked_at);
    bind_time(q, 9, key.last_used_at);
    if (q.exec() == 0)
      return fail(ec::conflict, "there is an API key with this id");
    grow_version(db);
    tx.commit();
    return {};
  });
}

expected<bool> credentials::revoke_key(std::string_view id, timestamp when) {
  return database_.call([&](database& db) -> expected<bool> {
    write_transaction tx{db};
    auto& q = db.prepared("UPDATE api_keys SET revoked_at = "
                          "coalesce(revoked_at, ?2) WHERE id = ?1");
    q.bind(1, std::string{id});
    q.bind(2, to_rfc3339(when));
    const bool known = q.exec() > 0;
    if (known)
      grow_version(db);
    tx.commit();
    return known;
  });
}

expected<void> credentials::note_uses(
    std::span<const std::pair<std::string, timestamp>> uses) {
  return database_.call([&](database& db) -> expected<void> {
    write_transaction tx{db};
    for (const auto& [id, time] : uses) {
      auto& q = db.prepared("UPDATE api_keys SET last_used_at = ?2 WHERE id = "
                            "?1 AND coalesce(last_used_at, '') < ?2");
      q.bind(1, id);
      q.bind(2, to_rfc3339(time));
      q.exec();
    }
    tx.commit();
    return {};
  });
}

expected<void>
credentials::append_audit(std::span<const auth::audit_entry> entries) {
  return database_.call([&](database& db) -> expected<void> {
    write_transaction tx{db};
    for (const auto& e : entries) {
      auto& q = db.prepared(
          "INSERT INTO audit_log (at, actor_kind, actor, action, target, "
          "address, status) VALUES (?, ?, ?, ?, ?, ?, ?)");
      q.bind(1, to_rfc3339(e.at));
      q.bind(2, e.actor_kind);
      q.bind(3, storable_text(e.actor));
      q.bind(4, e.action);
      q.bind(5, storable_text(e.target));
      q.bind(6, e.address);
      q.bind(7, e.status);
      q.exec();
    }
    tx.commit();
    return {};
  });
}

expected<std::vector<auth::audit_entry>>
credentials::audit(const auth::audit_query& asked) {
  using result_t = expected<std::vector<auth::audit_entry>>;
  return database_.call([&](database& db) -> result_t {
    auto& q = db.prepared(
        "SELECT id, at, actor_kind, actor, action, target, address, status "
        "FROM audit_log WHERE (?1 = 0 OR id < ?1) "
        "AND (?2 = '' OR actor = ?2) AND (?3 = '' OR action = ?3) "
        "AND (?4 = '' OR target = ?4) AND (?5 IS NULL OR at >= ?5) "
        "AND (?6 IS NULL OR at < ?6) ORDER BY id DESC LIMIT ?7");
    q.bind(1, asked.before);
    q.bind(2, asked.actor);
    q.bind(3, asked.action);
    q.bind(4, asked.target);
    bind_time(q, 5, asked.since);
    bind_time(q, 6, asked.until);
    q.bind(7, static_cast<int64_t>(asked.limit));
    std::vector<auth::audit_entry> out;
    while (q.executeStep()) {
      auto& e = out.emplace_back();
      e.id = q.getColumn(0).getInt64();
      e.at = time_at(q, 1).value_or(timestamp{});
      e.actor_kind = q.getColumn(2).getString();
      e.actor = q.getColumn(3).getString();
      e.action = q.getColumn(4).getString();
      e.target = q.getColumn(5).getString();
      e.address = q.getColumn(6).getString();
      e.status = q.getColumn(7).getInt();
    }
    return out;
  });
}

expected<int64_t> credentials::trim_audit(timestamp older_than, size_t limit) {
  return database_.call([&](database& db) -> expected<int64_t> {
    write_transaction tx{db};
    auto& q = db.prepared("DELETE FROM audit_log WHERE id IN (SELECT id FROM "
                          "audit_log WHERE at < ? ORDER BY at LIMIT ?)");
    q.bind(1, to_rfc3339(older_than));
    q.bind(2, static_cast<int64_t>(limit));
    const int64_t gone = q.exec();
    tx.commit();
    return gone;
  });
}

} // namespace eventweft::sqlite
