// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/tickets.hpp"

#include "codec/filter.hpp"
#include "persistence/batch.hpp"
#include "persistence/postgres/rows.hpp"

#include <stdexcept>
#include <string>

namespace eventweft::postgres {
namespace {

/// Rows that another node is deleting are left to it: two that took each
/// other's in another order would wait for ever.
constexpr const char* forget_tickets_sql =
    "DELETE FROM stream_tickets WHERE hash IN (SELECT hash FROM stream_tickets "
    "WHERE good_until <= clock_timestamp() ORDER BY good_until LIMIT 1000 "
    "FOR UPDATE SKIP LOCKED)";

constexpr const char* count_tickets_sql =
    "SELECT count(*) FILTER (WHERE owner = $1), count(*) FROM stream_tickets "
    "WHERE good_until > clock_timestamp()";

constexpr const char* add_ticket_sql =
    "INSERT INTO stream_tickets (hash, stream, owner, principal, api_key, "
    "signer, filter, credentials_until, good_until) VALUES ($1, $2, $3, $4, "
    "$5, $6, $7::json, $8::timestamptz, "
    "clock_timestamp() + make_interval(secs => $9)) ON CONFLICT DO NOTHING";

constexpr const char* take_ticket_sql =
    "DELETE FROM stream_tickets WHERE hash = $1 RETURNING stream, owner, "
    "principal, api_key, signer, filter, credentials_until, "
    "good_until > clock_timestamp()";

auth::kept_ticket read_ticket(std::string_view hash, const pqxx::row& row) {
  auth::principal who;
  who.id = row[2].view();
  who.key = row[3].view();
  who.signer = row[4].view();
  if (!row[5].is_null()) {
    auto f = codec::parse_filter(row[5].view());
    if (!f)
      throw std::runtime_error{"stream_tickets: " + f.error().message};
    who.forced = std::move(*f);
  }
  if (!row[6].is_null())
    who.expires = read_time(row[6].view());
  auto bearer = auth::ticket_bearer(std::move(who), row[0].view());
  return {std::string{hash}, std::string{row[0].view()},
          std::string{row[1].view()}, std::move(bearer)};
}

} // namespace

expected<void> tickets::add(const auth::kept_ticket& ticket,
                            const auth::ticket_options& limits) {
  return pool_->call(
      connection::retry::yes, [&](pqxx::connection& c) -> expected<void> {
        const auto owner = storable_text(ticket.owner);
        const auto& who = ticket.bearer;
        pqxx::work tx{c};
        tx.exec(forget_tickets_sql);
        const auto there =
            tx.exec(count_tickets_sql, pqxx::params{owner}).one_row();
        if (there[0].as<size_t>() >= limits.per_principal)
          return fail(ec::too_many_requests,
                      "too many tickets are outstanding");
        if (there[1].as<size_t>() >= limits.capacity)
          return fail(ec::overloaded, "too many tickets are outstanding");
        pqxx::params p;
        p.append(ticket.hash);
        p.append(ticket.stream);
        p.append(owner);
        p.append(storable_text(who.id));
        p.append(who.key);
        p.append(who.signer);
        p.append(who.forced ? std::optional{codec::filter_json(*who.forced)}
                            : std::nullopt);
        p.append(who.expires ? std::optional{time_text(*who.expires)}
                             : std::nullopt);
        p.append(static_cast<int64_t>(limits.lifetime.count()));
        tx.exec(add_ticket_sql, p);
        tx.commit();
        return {};
      });
}

expected<std::optional<auth::kept_ticket>>
tickets::take(std::string_view hash) {
  using result_t = expected<std::optional<auth::kept_ticket>>;
  return pool_->call(
      connection::retry::yes, [&](pqxx::connection& c) -> result_t {
        pqxx::nontransaction tx{c};
        const auto taken = tx.exec(take_ticket_sql, pqxx::params{hash});
        if (taken.empty() || !taken[0][7].as<bool>())
          return std::nullopt;
        return read_ticket(hash, taken[0]);
      });
}

} // namespace eventweft::postgres
