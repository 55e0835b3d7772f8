// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/credentials.hpp"

#include "codec/filter.hpp"
#include "persistence/batch.hpp"
#include "persistence/postgres/rows.hpp"

#include <optional>
#include <stdexcept>

namespace eventweft::postgres {
namespace {

using retry = connection::retry;

std::optional<timestamp> time_at(const pqxx::row& row, int column) {
  return row[column].is_null() ? std::nullopt
                               : std::optional{read_time(row[column].view())};
}

std::optional<std::string> text_of(const std::optional<timestamp>& time) {
  return time ? std::optional{time_text(*time)} : std::nullopt;
}

auth::api_key read_key(const pqxx::row& row) {
  auth::api_key key;
  key.id = row[0].view();
  key.hash = row[1].view();
  key.name = row[2].view();
  auto scopes = auth::parse_scopes(row[3].view());
  if (!scopes)
    throw std::runtime_error{"api_keys: " + scopes.error().message};
  key.scopes = std::move(*scopes);
  if (!row[4].is_null()) {
    auto f = codec::parse_filter(row[4].view());
    if (!f)
      throw std::runtime_error{"api_keys: " + f.error().message};
    key.forced = std::move(*f);
  }
  key.created_at = read_time(row[5].view());
  key.expires_at = time_at(row, 6);
  key.revoked_at = time_at(row, 7);
  key.last_used_at = time_at(row, 8);
  return key;
}

void grow_version(pqxx::work& tx) {
  tx.exec("UPDATE api_keys_version SET version = version + 1").no_rows();
}

} // namespace

expected<int64_t> credentials::version() {
  return pool_->call(retry::yes, [](pqxx::connection& c) -> expected<int64_t> {
    pqxx::nontransaction tx{c};
    return tx.exec("SELECT version FROM api_keys_version")
        .one_field()
        .as<int64_t>();
  });
}

expected<std::vector<auth::api_key>> credentials::keys() {
  using result_t = expected<std::vector<auth::api_key>>;
  return pool_->call(retry::yes, [](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    std::vector<auth::api_key> out;
    for (const auto& row :
         tx.exec("SELECT id, hash, name, scopes, filter, created_at, "
                 "expires_at, revoked_at, last_used_at FROM api_keys "
                 "ORDER BY id"))
      out.push_back(read_key(row));
    return out;
  });
}

expected<void> credentials::add_key(const auth::api_key& key) {
  return pool_->call(retry::no, [&](pqxx::connection& c) -> expected<void> {
    pqxx::work tx{c};
    pqxx::params p;
    p.append(key.id);
    p.append(key.hash);
    p.append(storable_text(key.name));
    p.append(to_string(key.scopes));
    p.append(key.forced ? std::optional{codec::filter_json(*key.forced)}
                        : std::nullopt);
    p.append(time_text(key.created_at));
    p.append(text_of(key.expires_at));
    p.append(text_of(key.revoked_at));
    p.append(text_of(key.last_used_at));
    const auto made = tx.exec(
        "INSERT INTO api_keys (id, hash, name, scopes, filter, created_at, "
        "expires_at, revoked_at, last_used_at) VALUES ($1, $2, $3, $4, "
        "$5::json, $6::timestamptz, $7::timestamptz, $8::timestamptz, "
        "$9::timestamptz) ON CONFLICT (id) DO NOTHING",
        p);
    if (made.affected_rows() == 0)
      return fail(ec::conflict, "there is an API key with this id");
    grow_version(tx);
    tx.commit();
    return {};
  });
}

expected<bool> credentials::revoke_key(std::string_view id, timestamp when) {
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> expected<bool> {
    pqxx::work tx{c};
    const auto changed =
        tx.exec("UPDATE api_keys SET revoked_at = coalesce(revoked_at, "
                "$2::timestamptz) WHERE id = $1",
                pqxx::params{id, time_text(when)});
    const bool known = changed.affected_rows() > 0;
    if (known)
      grow_version(tx);
    tx.commit();
    return known;
  });
}

expected<void> credentials::note_uses(
    std::span<const std::pair<std::string, timestamp>> uses) {
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> expected<void> {
    pqxx::work tx{c};
    for (const auto& [id, time] : uses)
      tx.exec("UPDATE api_keys SET last_used_at = $2::timestamptz "
              "WHERE id = $1 AND (last_used_at IS NULL "
              "OR last_used_at < $2::timestamptz)",
              pqxx::params{id, time_text(time)});
    tx.commit();
    return {};
  });
}

expected<void>
credentials::append_audit(std::span<const auth::audit_entry> entries) {
  return pool_->call(retry::no, [&](pqxx::connection& c) -> expected<void> {
    pqxx::work tx{c};
    for (const auto& e : entries) {
      pqxx::params p;
      p.append(time_text(e.at));
      p.append(e.actor_kind);
      p.append(storable_text(e.actor));
      p.append(e.action);
      p.append(storable_text(e.target));
      p.append(e.address);
      p.append(e.status);
      tx.exec("INSERT INTO audit_log (at, actor_kind, actor, action, target, "
              "address, status) "
              "VALUES ($1::timestamptz, $2, $3, $4, $5, $6, $7)",
              p);
    }
    tx.commit();
    return {};
  });
}

expected<std::vector<auth::audit_entry>>
credentials::audit(const auth::audit_query& q) {
  using result_t = expected<std::vector<auth::audit_entry>>;
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> result_t {
    pqxx::nontransaction tx{c};
    pqxx::params p;
    p.append(q.before);
    p.append(q.actor);
    p.append(q.action);
    p.append(q.target);
    p.append(text_of(q.since));
    p.append(text_of(q.until));
    p.append(static_cast<int64_t>(q.limit));
    std::vector<auth::audit_entry> out;
    for (const auto& row : tx.exec(
             "SELECT id, at, actor_kind, actor, action, target, address, "
             "status FROM audit_log WHERE ($1::bigint = 0 OR id < $1::bigint) "
             "AND ($2 = '' OR actor = $2) AND ($3 = '' OR action = $3) "
             "AND ($4 = '' OR target = $4) "
             "AND ($5::timestamptz IS NULL OR at >= $5::timestamptz) "
             "AND ($6::timestamptz IS NULL OR at < $6::timestamptz) "
             "ORDER BY id DESC LIMIT $7",
             p)) {
      auto& e = out.emplace_back();
      e.id = row[0].as<int64_t>();
      e.at = read_time(row[1].view());
      e.actor_kind = row[2].view();
      e.actor = row[3].view();
      e.action = row[4].view();
      e.target = row[5].view();
      e.address = row[6].view();
      e.status = row[7].as<int>();
    }
    return out;
  });
}

expected<int64_t> credentials::trim_audit(timestamp older_than, size_t limit) {
  return pool_->call(retry::yes, [&](pqxx::connection& c) -> expected<int64_t> {
    pqxx::work tx{c};
    const auto gone = tx.exec(
        "DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log "
        "WHERE at < $1::timestamptz ORDER BY at LIMIT $2)",
        pqxx::params{time_text(older_than), static_cast<int64_t>(limit)});
    const auto count = static_cast<int64_t>(gone.affected_rows());
    tx.commit();
    return count;
  });
}

} // namespace eventweft::postgres
